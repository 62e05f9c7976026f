"""What distinguishes two specs once everything they leave out is filled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from cnnctl.specs.components import Component
from cnnctl.specs.provenance import Origin, component, origins
from cnnctl.specs.sections import Document
from cnnctl.specs.spec import Spec

_MOST_PAIRS = 2_000_000


@dataclass(frozen=True)
class Difference:
    """One value that differs.

    Args:
        path: The dotted path in the first spec, or in the second where only that has it.
        before: The first spec's value, or None.
        after: The second's, or None.
    """

    path: str
    before: Origin | None
    after: Origin | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "path": self.path,
            "a": self.before.to_dict() if self.before else None,
            "b": self.after.to_dict() if self.after else None,
        }


def differences(before: Spec, after: Spec) -> list[Difference]:
    """The values that differ; a default counts as if it were written.

    Layers and callbacks are aligned, so that one more layer is one difference.
    """
    found = list(_pairs(_outside(before), _outside(after)))
    found += _aligned("model.layers", before.model.layers, after.model.layers)
    metrics = [spec.compile.metrics if spec.compile else [] for spec in (before, after)]
    found += _aligned("compile.metrics", *metrics)
    found += _aligned("fit.callbacks", before.fit.callbacks, after.fit.callbacks)
    order = list(Document.model_fields)
    return sorted(found, key=lambda each: order.index(each.path.split(".")[0]))


_LISTS = ("model.layers.", "compile.metrics.", "fit.callbacks.")


def _outside(spec: Spec) -> list[Origin]:
    """The values that are in none of the lists; an empty list has no value that differs."""
    return [
        origin
        for origin in origins(spec)
        if not origin.path.startswith(_LISTS) and f"{origin.path}." not in _LISTS
    ]


def _pairs(before: Sequence[Origin], after: Sequence[Origin]) -> Iterator[Difference]:
    one = {origin.path: origin for origin in before}
    other = {origin.path: origin for origin in after}
    order = list(one) + [path for path in other if path not in one]
    for path in order:
        a, b = one.get(path), other.get(path)
        if a is None or b is None:
            # Only a value that was written is worth a line of its own.
            if (a or b or _NOTHING).location is not None:
                yield Difference(path, a, b)
        elif not _same(a.value, b.value):
            yield Difference(path, a, b)


def _same(a: Any, b: Any) -> bool:
    """Whether two values mean the same: 3 is [3, 3] where a list is also possible."""
    if isinstance(a, list) != isinstance(b, list):
        values, value = (a, b) if isinstance(a, list) else (b, a)
        return bool(values) and all(each == value for each in values)
    return bool(a == b)


_NOTHING = Origin("", None, None)


def matched(one: Sequence[Any], other: Sequence[Any]) -> SequenceMatcher[Any]:
    """Match two lists as well as is possible in a second: of very long ones what is often in them
    is not matched, since each is compared with each."""
    return SequenceMatcher(None, one, other, autojunk=len(one) * len(other) > _MOST_PAIRS)


def _aligned(path: str, before: list[Component], after: list[Component]) -> Iterator[Difference]:
    """Differences of two lists of components: equal ones are set against each other, and of the
    rest those of the same class."""
    one, other = ([_key(each) for each in side] for side in (before, after))
    for tag, i, i_end, j, j_end in matched(one, other).get_opcodes():
        if tag == "equal":
            continue
        one_names = [each.name for each in before[i:i_end]]
        other_names = [each.name for each in after[j:j_end]]
        matcher = matched(one_names, other_names)
        for same, a, a_end, b, b_end in matcher.get_opcodes():
            if same == "equal":
                for step in range(a_end - a):
                    at = f"{path}.{i + a + step}"
                    yield from _pairs(
                        list(component(at, before[i + a + step])),
                        list(component(at, after[j + b + step])),
                    )
                continue
            for index in range(i + a, i + a_end):
                yield Difference(f"{path}.{index}", _whole(f"{path}.{index}", before[index]), None)
            for index in range(j + b, j + b_end):
                yield Difference(f"{path}.{index}", None, _whole(f"{path}.{index}", after[index]))


def _key(of: Component) -> str:
    """The same text for components that mean the same."""
    return repr([(o.path, o.value) for o in component("", of)])


def _whole(path: str, of: Component) -> Origin:
    """A component with the arguments that were given, as one value."""
    return Origin(path, plain_component(of), of.location)


def plain_component(of: Component) -> Any:
    """A component as YAML would have it: a bare word, or a mapping with its class as the key."""
    arguments = {key: _plain(value) for key, value in of.arguments.items()}
    if of.inputs is not None:
        arguments["inputs"] = list(of.inputs)
    return {of.name: arguments} if arguments else of.name


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return plain_component(value)
    return [_plain(each) for each in value] if isinstance(value, list) else value
