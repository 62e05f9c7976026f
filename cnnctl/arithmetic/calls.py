"""What a rule gets and gives: a layer applied to shapes, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnctl.arithmetic.facts import Formula, Number, Shape, Weight

if TYPE_CHECKING:
    from cnnctl.specs.components import Component


class Refusal(Exception):
    """A layer does not fit its input, or its arguments do not fit one another.

    Args:
        message: What is wrong, in one line.
        hint: The change that fixes it.
        rule: The diagnostic's stable name.
        argument: The argument that is wrong, if it is one alone.
        shrunk: Whether fewer or smaller windows above would fix it too.
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        rule: str = "shape-mismatch",
        argument: str | None = None,
        shrunk: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.rule = rule
        self.argument = argument
        self.shrunk = shrunk


@dataclass(frozen=True, slots=True)
class Call:
    """A layer applied to inputs.

    Args:
        name: The layer's class.
        arguments: Its arguments, with the catalog's defaults where the spec gives none.
        shapes: The shapes of its inputs, without the batch.
    """

    name: str
    arguments: Mapping[str, Any]
    shapes: tuple[Shape, ...]

    def __getitem__(self, argument: str) -> Any:
        return self.arguments.get(argument)

    @property
    def shape(self) -> Shape:
        """The shape of the first input."""
        return self.shapes[0]

    @property
    def rank(self) -> int:
        """How many spatial axes the layer is made for: 2 for Conv2D."""
        digits = re.search(r"([123])D", self.name)
        if digits is None:
            raise TypeError(f"{self.name} has no rank in its name")
        return int(digits.group(1))

    @property
    def channels_first(self) -> bool:
        """Whether the channels stand before the spatial axes."""
        return bool(self["data_format"] == "channels_first")

    def layer(self, argument: str) -> Component:
        """A layer among the arguments, as wrappers have it."""
        component: Component = self[argument]
        return component


class Link(NamedTuple):
    """What one axis of a layer's output sees of one axis of its input.

    Position `i` depends on the input's positions from `start + i * step` on, `size` of them.
    """

    axis: int
    size: Number = 1
    step: Number = 1
    start: Number = 0


Links = tuple["Link | None", ...]
"""One for each axis of the output; None where it mixes all of the input, as channels do."""


class Outcome(NamedTuple):
    """What comes of a layer applied to inputs.

    Args:
        shape: The output's shape, without the batch.
        weights: The layer's weights.
        macs: Multiply-adds as a sum of products; None if they are not known.
        formulas: How the sizes came about (those of weights and multiply-adds are added).
        links: For each input, how the output's axes look at it; empty where that is lost.
    """

    shape: Shape
    weights: tuple[Weight, ...] = ()
    macs: tuple[Sequence[int], ...] | None = ()
    formulas: tuple[Formula, ...] = ()
    links: tuple[Links, ...] = ()


def same(shape: Sequence[int]) -> Links:
    """The links of a layer that treats each value on its own."""
    return tuple(Link(axis) for axis in range(len(shape)))


def replaced(call: Call, shape: Shape) -> Call:
    """The same layer applied to one input of another shape."""
    return replace(call, shapes=(shape,))
