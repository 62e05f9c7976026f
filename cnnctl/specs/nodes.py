"""A YAML document as a tree in which every value, and every key, knows where it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cnnctl.errors import Location
from cnnctl.specs.dump import flow

ScalarValue: TypeAlias = "bool | int | float | str | None"

LONGEST_SHOWN = 80
"""How many characters of a name a message shows."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without parts."""

    value: ScalarValue
    location: Location


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys, each with its own place, and values, in the order in which they were written."""

    items: dict[str, Node]
    location: Location
    keys: dict[str, Location] = field(default_factory=dict)

    def single(self) -> tuple[str, Node] | None:
        """The only key and its value: the form in which a spec constructs something."""
        return next(iter(self.items.items())) if len(self.items) == 1 else None


Node: TypeAlias = Scalar | Sequence | Mapping


def plain(node: Node) -> Any:
    """The value without its places: None, bool, int, float, str, list, dict."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.items.items()}


def located(value: Any, place: Location) -> Node:
    """A plain value as a node, all of which stands at one place."""
    if isinstance(value, dict):
        items = {key: located(each, place) for key, each in value.items()}
        return Mapping(items, place, dict.fromkeys(items, place))
    if isinstance(value, list | tuple):
        return Sequence(tuple(located(each, place) for each in value), place)
    return Scalar(value, place)


def shortened(text: str) -> str:
    """A text as a message shows it: whole, unless it is very long."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def describe(node: Node) -> str:
    """A value as a message shows it: the text `abc`, the list [1, 2], a mapping."""
    if isinstance(node, Mapping):
        return "a mapping" if node.items else "an empty mapping"
    if isinstance(node, Sequence):
        text = flow(plain(node))
        return text if len(text) <= 40 else f"a list of {len(node.items)}"
    value = node.value
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text `{value}`" if len(value) <= 40 else f"the text `{value[:37]}…`"
    return str(value)
