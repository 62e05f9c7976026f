"""Components: what a spec constructs, by class name, with arguments checked by the catalog.

A component is a class name as the single key with its constructor's arguments as the value, or a
bare word where it takes none: `{Dropout: {rate: 0.3}}`, `Flatten`, `adam`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cnnctl.catalog import Catalog, Entry
from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic, Location
from cnnctl.spec.nodes import Mapping, Node, Scalar, Sequence, describe, plain
from cnnctl.spec.schema import articles, fits_scalar, is_reference, takes

_WITHOUT_SHAPE = re.compile(
    r"(.*_)?(activation|initializer|regularizer|constraint)|dtype|trainable"
)
"""Arguments that change no shape."""


@dataclass(frozen=True, slots=True)
class Component:
    """Something to construct.

    Args:
        kind: The catalog's kind: layer, block, optimizer, loss, ….
        name: The canonical name in the catalog, whatever alias the spec used.
        arguments: Plain values, components, and lists of them.
        location: Where its name stands.
        places: Where each argument's value stands.
        inputs: For a layer: the names of the layers that feed it; None for the one before.
        written: The name as the spec has it: `Adam`, `adam`, `mse`. Keras reports a metric by it.
        faults: The arguments that have a fault, and are left out of `arguments`; an empty string
            for the name itself. Empty in every spec that is used: see `Checker`.
    """

    kind: str
    name: str
    arguments: dict[str, Any]
    location: Location
    places: dict[str, Location] = field(default_factory=dict, compare=False)
    inputs: tuple[str, ...] | None = None
    written: str = field(default="", compare=False)
    faults: frozenset[str] = field(default=frozenset(), compare=False)

    def __str__(self) -> str:
        return self.name

    def place(self, argument: str) -> Location:
        """Where an argument's value stands; the component's own place if it is not given."""
        return self.places.get(argument, self.location)

    @property
    def shape_is_open(self) -> bool:
        """Whether a fault leaves open what the layer does to shapes."""
        return not all(_WITHOUT_SHAPE.fullmatch(fault) for fault in self.faults)

    def parts(self) -> Iterator[Component]:
        """The components among the arguments, at any depth."""
        for value in self.arguments.values():
            yield from _parts(value)


def _parts(value: Any) -> Iterator[Component]:
    if isinstance(value, Component):
        yield value
        yield from value.parts()
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)


_NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}


class Checker:
    """Turns nodes into components, and collects every fault on the way.

    What is at fault is marked in the component, so that whoever looks further (the graph, the
    arithmetic, the contradictions) reports no fault that only follows from another.

    Args:
        catalog: What names there are.

    Attributes:
        found: The diagnostics so far.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.found: list[Diagnostic] = []

    def component(self, node: Node, kind: str) -> Component:
        """The component that a node describes; one without a name, and a diagnostic, if it is
        none."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return self._construct(kind, node.value, node.location, None)
        if isinstance(node, Mapping) and node.items:
            name, arguments = next(iter(node.items.items()))
            place = node.keys[name]
            if len(node.items) > 1:
                self._several_keys(node, kind, name, place)
                return _nameless(kind, place)
            if isinstance(arguments, Scalar) and arguments.value is None:
                arguments = Mapping({}, arguments.location)
            if isinstance(arguments, Mapping):
                return self._construct(kind, name, place, arguments)
            self._bare_value(kind, name, place, arguments)
            return _nameless(kind, place)
        self._say(
            "wrong-type",
            f"{articles(kind)} is a class name, not {describe(node)}",
            node.location,
            self._form(kind),
        )
        return _nameless(kind, node.location)

    def value(self, node: Node, schema: dict[str, Any], what: str) -> Any:
        """The value of a node that has to fit a schema of the catalog.

        Args:
            node: The value as written.
            schema: See `cnnctl.spec.schema`.
            what: How messages call it: "`filters` of Conv2D".
        """
        if "anyOf" in schema:
            return self._any_of(node, schema, what)
        if kind := is_reference(schema):
            return self.component(node, kind)
        if schema.get("type") == "array" and isinstance(node, Sequence):
            if _right_length(node, schema):
                return [self.value(item, schema.get("items", {}), what) for item in node.items]
        elif schema.get("type") == "object" and isinstance(node, Mapping):
            inner = schema.get("additionalProperties", {})
            return {key: self.value(item, inner, what) for key, item in node.items.items()}
        elif not schema or (isinstance(node, Scalar) and fits_scalar(node.value, schema)):
            return plain(node)
        self._wrong(node, schema, what)
        return None

    def _any_of(self, node: Node, schema: dict[str, Any], what: str) -> Any:
        engaged: list[Diagnostic] | None = None
        for alternative in schema["anyOf"]:
            trial = Checker(self.catalog)
            value = trial.value(node, alternative, what)
            if not trial.found:
                return value
            if engaged is None and _engages(node, alternative, schema):
                engaged = trial.found
        if engaged is not None:
            self.found.extend(engaged)
        else:
            self._wrong(node, schema, what)
        return None

    def _construct(
        self, kind: str, name: str, place: Location, arguments: Mapping | None
    ) -> Component:
        entry = self.catalog.find(kind, name)
        if entry is None and kind == "layer":
            entry = self.catalog.find("block", name)
        given = dict(arguments.items) if arguments else {}
        keys = arguments.keys if arguments else {}
        places = {key: node.location for key, node in given.items()}
        faults: set[str] = set()
        inputs = None
        if kind == "layer" and "inputs" in given:
            names = self._argument(given.pop("inputs"), _NAMES, f"`inputs` of {name}")
            inputs = tuple(names) if names else None
            faults |= set() if names else {"inputs"}
        if entry is None:
            self._unknown(kind, name, place)
            label = plain(given["name"]) if "name" in given else None
            values = {"name": label} if isinstance(label, str) else {}
            return Component(
                kind, "", values, place, places, inputs, name, frozenset({"", *faults})
            )
        values = self._arguments(entry, given, keys, place, faults)
        return Component(
            entry.kind, entry.name, values, place, places, inputs, name, frozenset(faults)
        )

    def _argument(self, node: Node, schema: dict[str, Any], what: str) -> Any:
        """The value of an argument; None if there is a fault in it."""
        before = len(self.found)
        value = self.value(node, schema, what)
        return value if len(self.found) == before else None

    def _arguments(
        self,
        entry: Entry,
        given: dict[str, Node],
        keys: dict[str, Location],
        place: Location,
        faults: set[str],
    ) -> dict[str, Any]:
        known = {argument.name: argument for argument in entry.arguments}
        values = {}
        misspelled = set()
        for key, node in given.items():
            before, meant = len(self.found), key
            if key in known:
                what = f"`{key}` of {entry.name}"
                value = self.value(node, known[key].schema, what)
                # The layers of a block are looked at further even if one of them has a fault.
                if len(self.found) == before or (isinstance(value, list) and _is_whole(value)):
                    values[key] = value
            elif key in entry.managed:
                message = f"`{key}` of {entry.name} cannot be given: {entry.managed[key]}"
                self._say("managed-argument", message, keys[key], "remove it")
            else:
                choices = [*known, "inputs"] if entry.kind in {"layer", "block"} else list(known)
                close = nearest(key, [name for name in choices if name not in given])
                misspelled.add(close)
                meant = close or key
                takes_ = f"it takes: {', '.join(choices)}" if choices else "it takes no arguments"
                self._say(
                    "unknown-argument",
                    f"unknown argument `{key}` of {entry.name}",
                    keys[key],
                    f"did you mean `{close}`?" if close else None,
                    () if close else (takes_,),
                )
            if len(self.found) > before:
                faults.add(meant)
        for argument in entry.arguments:
            if argument.required and argument.name not in {*given, *misspelled}:
                faults.add(argument.name)
                self._say(
                    "missing-argument",
                    f"{entry.name} needs `{argument.name}`: {takes(argument.schema)}",
                    place,
                    f"write `{entry.name}: {{{argument.name}: …}}`",
                )
        return values

    def _unknown(self, kind: str, name: str, place: Location) -> None:
        if reason := self.catalog.refusal(kind, name):
            self._say(f"refused-{kind}", f"{name} cannot be used in a spec", place, None, (reason,))
            return
        close = self.catalog.nearest(kind, name)
        if close is None and kind == "layer":
            close = self.catalog.nearest("block", name)
        hint = f"did you mean `{close}`?" if close else None
        notes: tuple[str, ...] = ()
        names = self.catalog.names(kind)
        if not close and len(names) <= 24:
            notes = (f"available: {', '.join(names)}",)
        elif not close:
            notes = ("`cnnctl layers` lists what a spec may use",)
        self._say(f"unknown-{kind.replace('_', '-')}", f"unknown {_word(kind)} `{name}`", place,
                  hint, notes)  # fmt: skip

    def _several_keys(self, node: Mapping, kind: str, name: str, place: Location) -> None:
        others = [key for key in node.items if key != name]
        message = f"{articles(kind)} has its class name as the single key"
        first = node.items[name]
        if isinstance(first, Scalar) and first.value is None and self.catalog.find(kind, name):
            hint = f"indent `{others[0]}` below `{name}:`"
            self._say("several-keys", message, node.keys[others[0]], hint)
        else:
            also = ", ".join(f"`{key}`" for key in others)
            self._say("several-keys", message, place, f"beside it stands {also}")

    def _bare_value(self, kind: str, name: str, place: Location, node: Node) -> None:
        entry = self.catalog.find(kind, name) or self.catalog.find("block", name)
        if entry is None:
            self._unknown(kind, name, place)
            return
        first = entry.arguments[0].name if entry.arguments else None
        shown = describe(node).removeprefix("the text ").strip("`")
        hint = f"write `{name}: {{{first}: {shown}}}`" if first else f"write `{name}`"
        message = f"{name} takes its arguments by name, not {describe(node)}"
        self._say("unnamed-argument", message, node.location, hint)

    def _form(self, kind: str) -> str:
        names = self.catalog.names(kind)
        example = {"layer": "Flatten` or `Dense: {units: 10}", "optimizer": "adam"}.get(kind)
        return f"such as `{example or (names[0] if names else '…')}`"

    def _wrong(self, node: Node, schema: dict[str, Any], what: str) -> None:
        hint = None
        if isinstance(node, Scalar) and isinstance(node.value, str) and "enum" in str(schema):
            choices = [str(v) for v in _enumerated(schema)]
            close = nearest(node.value, choices)
            hint = f"did you mean `{close}`?" if close else None
        message = f"{what} takes {takes(schema)}, not {describe(node)}"
        self._say("wrong-value", message, node.location, hint)

    def _say(
        self,
        rule: str,
        message: str,
        place: Location,
        hint: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.found.append(Diagnostic(rule, message, place, hint, notes))


def _nameless(kind: str, place: Location) -> Component:
    return Component(kind, "", {}, place, faults=frozenset({""}))


def _is_whole(value: Any) -> bool:
    """Whether a list holds components, or lists of them, and nothing that is no component."""
    if isinstance(value, list):
        return all(_is_whole(each) for each in value)
    return isinstance(value, Component)


def _word(kind: str) -> str:
    return {"dataset": "data set", "rate_schedule": "schedule"}.get(kind, kind)


def _engages(node: Node, alternative: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether a fault inside this alternative is the one to report."""
    if isinstance(node, Mapping):
        return is_reference(alternative) is not None
    if isinstance(node, Sequence) and alternative.get("type") == "array":
        return _right_length(node, alternative)
    if isinstance(node, Scalar) and isinstance(node.value, str):
        others = [a for a in schema["anyOf"] if a is not alternative and a.get("type") != "null"]
        return is_reference(alternative) is not None and not others
    return False


def _right_length(node: Sequence, schema: dict[str, Any]) -> bool:
    count = len(node.items)
    return bool(schema.get("minItems", 0) <= count <= schema.get("maxItems", count))


def _enumerated(schema: dict[str, Any]) -> list[Any]:
    found = [value for value in schema.get("enum", []) if value is not None]
    for alternative in schema.get("anyOf", []):
        found.extend(_enumerated(alternative))
    return found
