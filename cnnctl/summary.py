"""The table of a network: layers, output shapes, parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnctl.errors import DataError
from cnnctl.preflight import preflight
from cnnctl.spec import Spec


@dataclass(frozen=True)
class Row:
    """One layer.

    Args:
        name: Unique in the network.
        layer: The class.
        output_shape: Of one picture, without the batch.
        parameters: Trainable and not.
    """

    name: str
    layer: str
    output_shape: tuple[int | None, ...]
    parameters: int


@dataclass(frozen=True)
class Summary:
    """A network's layers and totals.

    Args:
        name: The spec's.
        input_shape: Of one picture.
        rows: The layers.
        trainable: Parameters that training changes.
        non_trainable: Parameters that it does not.
        notes: How the figures came about, where that is not the usual way.
    """

    name: str
    input_shape: tuple[int | None, ...]
    rows: tuple[Row, ...]
    trainable: int
    non_trainable: int
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All parameters."""
        return self.trainable + self.non_trainable

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "total": self.total}


def summarize(path: str | Path, overrides: Iterable[str] = ()) -> Summary:
    """The summary of a spec, by arithmetic; by Keras where a layer has no formula.

    Raises:
        UsageError, SpecError: The spec cannot be read, or has faults.
        DataError: Only the pictures could tell the input shape.
    """
    checked = preflight(path, overrides)
    spec, trace = checked.spec, checked.trace
    if trace is None:
        raise DataError(
            f"the input shape of {spec.name} is known only from its pictures",
            hint="write it down: `model.input_shape: [height, width, channels]`",
        )
    if trace.unknown:
        return _by_keras(spec, trace.input_shape, trace.unknown)
    rows = tuple(
        Row(each.name, each.layer, each.output_shape, each.trainable + each.non_trainable)
        for each in trace.layers
    )
    return Summary(spec.name, trace.input_shape, rows, trace.trainable, trace.non_trainable)


def _by_keras(spec: Spec, input_shape: tuple[int | None, ...], unknown: tuple[str, ...]) -> Summary:
    from cnnctl.backend import quiet

    quiet()
    from cnnctl.model import build

    model = build(spec, [size or 1 for size in input_shape])
    rows = tuple(
        Row(layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
        if type(layer).__name__ != "InputLayer"
    )
    trainable = sum(int(weight.value.shape.num_elements()) for weight in model.trainable_weights)
    note = f"built with Keras: there is no formula for {', '.join(unknown)}"
    return Summary(
        spec.name, input_shape, rows, trainable, model.count_params() - trainable, (note,)
    )
