"""Where every value of a spec comes from: a line of a file, a flag, or a default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnnctl.catalog import Argument
from cnnctl.catalog import load as load_catalog
from cnnctl.errors import Location
from cnnctl.specs.components import Component
from cnnctl.specs.nodes import Mapping, Node, plain
from cnnctl.specs.schema import is_reference
from cnnctl.specs.sections import Compile, Data, Fit, Model
from cnnctl.specs.spec import Spec


@dataclass(frozen=True)
class Origin:
    """One value.

    Args:
        path: Its dotted path, as `--set` takes it: `compile.optimizer.Adam.learning_rate`.
        value: A plain value; for a component the name of its class.
        location: Where it is written; None for a default.
        default_of: For a default, whose it is: `cnnctl` or `keras`, or a plug-in's file.
    """

    path: str
    value: Any
    location: Location | None
    default_of: str | None = None

    @property
    def source(self) -> str:
        """The place for people: `configs/mnist.yaml:7`, `--set fit.epochs=3`, `default (keras)`."""
        if self.location is None:
            return f"default ({self.default_of})"
        if self.location.file.startswith("--"):
            return self.location.file
        return f"{self.location.file}:{self.location.line}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        place = self.location
        is_flag = place is not None and place.file.startswith("--")
        return {
            "path": self.path,
            "value": self.value,
            "origin": "default" if place is None else "flag" if is_flag else "file",
            "file": place.file if place and not is_flag else None,
            "line": place.line if place and not is_flag else None,
            "flag": place.file if place and is_flag else None,
        }


def origins(spec: Spec) -> Iterator[Origin]:
    """Every value of a spec, given or not, in the order of the language."""
    given = {
        "name": spec.name,
        "description": spec.description,
        "seed": spec.seed,
        "deterministic": spec.deterministic,
    }
    for key, value in given.items():
        yield _scalar(key, value, spec.tree.items.get(key))
    for name, section in (
        ("data", spec.data),
        ("model", spec.model),
        ("compile", spec.compile),
        ("fit", spec.fit),
    ):
        node = spec.tree.items.get(name)
        if section is not None:
            yield from _section(name, section, node if isinstance(node, Mapping) else None)


def _section(
    name: str, section: Data | Model | Compile | Fit, node: Mapping | None
) -> Iterator[Origin]:
    for key in type(section).model_fields:
        value = getattr(section, key)
        child = node.items.get(key) if node else None
        path = f"{name}.{key}"
        if isinstance(value, Component):
            yield from component(path, value)
        elif isinstance(value, list) and any(isinstance(each, Component) for each in value):
            for index, each in enumerate(value):
                yield from component(f"{path}.{index}", each)
        else:
            yield _scalar(path, value, child)


def component(path: str, of: Component) -> Iterator[Origin]:
    """The class of a component, and its arguments."""
    yield Origin(path, of.name, of.location)
    if of.inputs is not None:
        yield Origin(f"{path}.{of.name}.inputs", list(of.inputs), of.place("inputs"))
    entry = load_catalog().find(of.kind, of.name)
    for argument in entry.arguments if entry else ():
        inner = f"{path}.{of.name}.{argument.name}"
        if argument.name in of.arguments:
            yield from _value(inner, of.arguments[argument.name], of.place(argument.name))
        else:
            assert entry is not None
            yield Origin(inner, _default(argument), None, entry.source)


def _default(argument: Argument) -> Any:
    """A default as it would be shown if it were written: `GlorotUniform` for `glorot_uniform`."""
    if isinstance(argument.default, str):
        for schema in argument.schema.get("anyOf", [argument.schema]):
            kind = is_reference(schema)
            if kind and (entry := load_catalog().find(kind, argument.default)):
                return entry.name
    return argument.default


def _value(path: str, value: Any, place: Location) -> Iterator[Origin]:
    if isinstance(value, Component):
        yield from component(path, value)
    elif isinstance(value, list) and any(isinstance(each, Component | list) for each in value):
        for index, each in enumerate(value):
            yield from _value(f"{path}.{index}", each, place)
    else:
        yield Origin(path, value, place)


def _scalar(path: str, value: Any, node: Node | None) -> Origin:
    if node is None:
        return Origin(path, value, None, "cnnctl")
    return Origin(path, plain(node), node.location)
