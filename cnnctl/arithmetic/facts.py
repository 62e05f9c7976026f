"""What the arithmetic says of a layer and of a network.

Shapes are without the batch: `(height, width, channels)`, or `(channels, height, width)` in a
network whose layers say `data_format: channels_first`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from cnnctl.errors import Location

if TYPE_CHECKING:
    from fractions import Fraction

Shape: TypeAlias = tuple[int, ...]
OpenShape: TypeAlias = "tuple[int | None, ...]"
"""Of one image, without the batch; None where even Keras does not know a size."""

Number: TypeAlias = "int | float | Fraction"

FLOAT_BYTES = 4
"""Bytes of one float32."""


class NoFormula(Exception):
    """The arithmetic does not know a layer: its class, or a form of it that has no closed form."""


class Open(int):
    """A size that is known here and that Keras leaves open until images come.

    What is computed from one is one. Keras cannot make a weight of such a size.

    Args:
        size: The size.
        fix: The change by which Keras knows it.
    """

    fix: str

    def __new__(cls, size: int, fix: str) -> Open:
        """Make a size that comes with its fix."""
        made = super().__new__(cls, size)
        made.fix = fix
        return made

    def _with(self, size: Any) -> Any:
        return Open(size, self.fix) if isinstance(size, int) else size

    def __add__(self, other: Any) -> Any:
        return self._with(int(self) + other)

    def __sub__(self, other: Any) -> Any:
        return self._with(int(self) - other)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other - int(self))

    def __mul__(self, other: Any) -> Any:
        return self._with(int(self) * other)

    def __floordiv__(self, other: Any) -> Any:
        return self._with(int(self) // other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._with(other // int(self))

    def __neg__(self) -> Any:
        return self._with(-int(self))

    __radd__, __rmul__ = __add__, __mul__


@dataclass(frozen=True, slots=True)
class Formula:
    """How a figure came about.

    Args:
        quantity: `parameters` (the trainable ones), `non_trainable`, `macs`, `memory`; a size:
            `height`, `width`, `units`, …; `receptive_field`, `receptive_stride` and
            `receptive_start`, with the axis behind it (`receptive_field height`) where they differ.
        text: The formula with its numbers in it: `5·5·32·64 + 64 = 51,264`.
    """

    quantity: str
    text: str


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight of a layer, by Keras's name for it."""

    name: str
    shape: Shape
    trainable: bool = True

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Field:
    """What one axis of a layer's output sees of the network's input.

    Position `i` of the output depends on the input's positions `start + i * stride` up to, but not
    including, `start + i * stride + size`. Behind a layer that enlarges its input the figures may
    be fractions and the interval is the smallest one of this form that holds all positions.

    Args:
        axis: The axis of the network's input, counted from 0 without the batch.
        size: Extent, in input positions.
        stride: Distance between the fields of neighbours ("jump"); 0 if all see the same.
        start: Where the first field starts; negative where it reaches into the padding.
    """

    axis: int
    size: Number
    stride: Number
    start: Number


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer: what the arithmetic says of it, or Keras where that has no formula.

    Args:
        name: The layer's name in the network.
        layer: Its class.
        location: Where it is written.
        inputs: The names of the layers that feed it.
        input_shapes: One shape for each of them.
        output_shape: OpenShape of its output for one image.
        trainable: Parameters that training changes.
        non_trainable: Parameters that it does not: frozen ones, moving averages.
        weights: The weights that hold them.
        formulas: How the figures came about; empty where they are Keras's.
        macs: Multiply-adds of one forward pass of one image, see `cnnctl.arithmetic.counting`;
            None if they are not known.
        memory: Bytes of its output for one image in float32; None if its shape is open.
        receptive_field: One `Field` for each spatial axis of its output; None where that has no
            meaning, as behind Flatten, where a value may come from anywhere.
    """

    name: str
    layer: str
    location: Location
    inputs: tuple[str, ...]
    input_shapes: tuple[OpenShape, ...]
    output_shape: OpenShape
    trainable: int
    non_trainable: int
    weights: tuple[Weight, ...]
    formulas: tuple[Formula, ...]
    macs: int | None
    memory: int | None
    receptive_field: tuple[Field, ...] | None

    @property
    def parameters(self) -> int:
        """All parameters, trainable and not."""
        return self.trainable + self.non_trainable

    @property
    def sees_all(self) -> bool:
        """Whether no spatial axis is left: together its values see all that the layers saw."""
        return len(self.output_shape) <= 1

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        order = (
            "name", "layer", "inputs", "input_shapes", "output_shape", "parameters", "trainable",
            "non_trainable", "macs", "memory", "receptive_field", "weights", "formulas",
        )  # fmt: skip
        plain = {**asdict(self), "parameters": self.parameters}
        return {key: plain[key] for key in order}


@dataclass(frozen=True, slots=True)
class Trace:
    """What the arithmetic says of a network.

    Args:
        input_shape: Shape of one image.
        layers: The layers in order of evaluation; where some are unknown, without them and
            without those that they feed.
        unknown: The names of the layers that have no formula.
    """

    input_shape: Shape
    layers: tuple[LayerFacts, ...]
    unknown: tuple[str, ...] = ()

    @property
    def trainable(self) -> int:
        """Parameters that training changes."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def non_trainable(self) -> int:
        """Parameters that training leaves alone or keeps by other means."""
        return sum(layer.non_trainable for layer in self.layers)

    @property
    def total(self) -> int:
        """All parameters."""
        return self.trainable + self.non_trainable

    @property
    def macs(self) -> int | None:
        """Multiply-adds of one forward pass of one image; None if a layer's are not known."""
        return _sum_or_none(layer.macs for layer in self.layers)

    @property
    def output_shape(self) -> Shape:
        """Shape of the network's output for one image.

        Raises:
            NoFormula: A layer is unknown, and the shapes behind it with it.
        """
        if self.unknown:
            raise NoFormula(*self.unknown)
        last = self.layers[-1].output_shape if self.layers else self.input_shape
        return cast("Shape", last)  # no size is open where the arithmetic knows every layer


def _sum_or_none(counts: Iterable[int | None]) -> int | None:
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total
