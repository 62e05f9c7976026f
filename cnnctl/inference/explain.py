"""How each output of a layer came about: what it sees, what that is multiplied by, and the sum.

Worked out from the layer's input and weights in float64, beside what Keras computes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Place = tuple[int, ...]


@dataclass(frozen=True)
class Sum:
    """How one output came about.

    Args:
        place: Of the output, without the batch: (row, column, channel), or (unit,).
        values: The inputs that it sees, in order; padding is None.
        weights: What each is multiplied by; empty for pooling.
        bias: What is added; None where the layer has none.
        total: Sum, or the pooled value, before the activation.
        activation: Its name; empty for none.
        output: After it.
        window: The first and the last input position (rows, columns) that it sees; None for a layer
            that sees all.
    """

    place: Place
    values: tuple[float | None, ...]
    weights: tuple[float, ...]
    bias: float | None
    total: float
    activation: str
    output: float
    window: tuple[Place, Place] | None = None


@dataclass(frozen=True, eq=False)
class View:
    """One layer.

    Args:
        name: Unique in the network.
        kind: Its class.
        inputs: (height, width, channels) or any other shape of its input.
        output: Of its output.
        weights: By name.
        layer: The Keras layer.
    """

    name: str
    kind: str
    inputs: np.ndarray
    output: np.ndarray
    weights: dict[str, np.ndarray]
    layer: Any = field(repr=False)

    def sums(self) -> Iterator[Sum]:
        """How each output came about, for convolutions, pooling and dense layers; else nothing."""
        if self.kind in ("Conv2D", "Conv1D"):
            yield from _convolved(self)
        elif self.kind in ("MaxPooling2D", "AveragePooling2D"):
            yield from _pooled(self)
        elif self.kind == "Dense" and self.inputs.ndim == 1:
            yield from _dense(self)


def _convolved(view: View) -> Iterator[Sum]:
    kernel = view.weights["kernel"].astype(np.float64)
    flat = view.kind == "Conv1D"
    x = view.inputs[None] if flat else view.inputs
    output = view.output[None] if flat else view.output
    kernel = kernel[None] if flat else kernel
    config = view.layer
    if config.groups != 1 or config.data_format != "channels_last":
        return
    strides = (1, *config.strides) if flat else config.strides
    dilation = (1, *config.dilation_rate) if flat else config.dilation_rate
    padding = config.padding
    bias = view.weights.get("bias") if config.use_bias else None
    starts = _starts(padding, x.shape, output.shape, kernel.shape, strides, dilation, flat)
    activation = _name_of(config.activation)
    for place in np.ndindex(output.shape):
        row, column, channel = place
        top, left = starts[0] + row * strides[0], starts[1] + column * strides[1]
        values, weights, total = [], [], 0.0
        for a, b, c in np.ndindex(kernel.shape[:3]):
            at = top + a * dilation[0], left + b * dilation[1]
            inside = 0 <= at[0] < x.shape[0] and 0 <= at[1] < x.shape[1]
            value = float(x[at[0], at[1], c]) if inside else None
            weight = float(kernel[a, b, c, channel])
            values.append(value)
            weights.append(weight)
            total += (value or 0.0) * weight
        own = None if bias is None else float(bias[channel])
        window = (top, left), (top + (kernel.shape[0] - 1) * dilation[0],
                               left + (kernel.shape[1] - 1) * dilation[1])  # fmt: skip
        yield Sum(place[1:] if flat else place, tuple(values), tuple(weights), own,
                  total + (own or 0.0), activation, float(output[place]), window)  # fmt: skip


def _starts(
    padding: str,
    shape: Sequence[int],
    output: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    flat: bool = False,
) -> tuple[int, int]:
    """Where the first window begins: TensorFlow pads the less in front (`same`)."""
    if padding == "valid":
        return 0, 0
    found = []
    for axis in (0, 1):
        extent = (kernel[axis] - 1) * dilation[axis] + 1
        pad = max((output[axis] - 1) * strides[axis] + extent - shape[axis], 0)
        before = pad if padding == "causal" and axis == 1 else pad // 2
        found.append(0 if flat and axis == 0 else -before)
    return found[0], found[1]


def _pooled(view: View) -> Iterator[Sum]:
    config = view.layer
    if config.data_format != "channels_last":
        return
    size, strides, x = config.pool_size, config.strides, view.inputs
    starts = _starts(config.padding, x.shape, view.output.shape, size, strides, (1, 1))
    for place in np.ndindex(view.output.shape):
        row, column, channel = place
        top, left = starts[0] + row * strides[0], starts[1] + column * strides[1]
        values = []
        for a, b in np.ndindex(*size):
            at = top + a, left + b
            inside = 0 <= at[0] < x.shape[0] and 0 <= at[1] < x.shape[1]
            values.append(float(x[at[0], at[1], channel]) if inside else None)
        known = [value for value in values if value is not None]
        total = max(known) if view.kind == "MaxPooling2D" else math.fsum(known) / len(known)
        yield Sum(place, tuple(values), (), None, total, "", float(view.output[place]),
                  ((top, left), (top + size[0] - 1, left + size[1] - 1)))  # fmt: skip


def _dense(view: View) -> Iterator[Sum]:
    kernel = view.weights["kernel"].astype(np.float64)
    bias = view.weights.get("bias")
    values = tuple(map(float, view.inputs))
    activation = _name_of(view.layer.activation)
    for unit in range(len(view.output)):
        own = None if bias is None else float(bias[unit])
        total = float(view.inputs.astype(np.float64) @ kernel[:, unit]) + (own or 0.0)
        yield Sum((unit,), values, tuple(map(float, kernel[:, unit])), own, total, activation,
                  float(view.output[unit]))  # fmt: skip


def _name_of(activation: Any) -> str:
    name = getattr(activation, "__name__", type(activation).__name__)
    return "" if name == "linear" else name
