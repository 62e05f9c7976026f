"""The figures of a network, layer by layer, and how each came about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from cnnctl.arithmetic import LayerFacts, Trace
from cnnctl.arithmetic.facts import FLOAT_BYTES, OpenShape
from cnnctl.errors import DataError
from cnnctl.io.arguments import as_path
from cnnctl.preflight import check, is_of_run
from cnnctl.specs import AnySpec, Spec
from cnnctl.specs.graph import INPUT


@dataclass(frozen=True)
class Summary:
    """A network's layers and totals.

    Args:
        name: The spec's.
        spec: The path of its file, as it was given.
        input_shape: OpenShape of the network's input.
        rows: The layers, in order of evaluation.
        trainable: Parameters that training changes.
        non_trainable: Parameters that it does not.
        notes: How the figures came about, where that is not the usual way.
    """

    name: str
    spec: str
    input_shape: OpenShape
    rows: tuple[LayerFacts, ...]
    trainable: int
    non_trainable: int
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All parameters."""
        return self.trainable + self.non_trainable

    @property
    def output_shape(self) -> OpenShape:
        """Shape of the network's output."""
        return self.rows[-1].output_shape if self.rows else self.input_shape

    @property
    def macs(self) -> int | None:
        """Multiply-adds of one forward pass of one image; None if a layer's are not known."""
        return _sum_or_none(row.macs for row in self.rows)

    @property
    def memory(self) -> int | None:
        """Bytes of all layers' outputs for one image in float32, as training keeps them."""
        return _sum_or_none(row.memory for row in self.rows)

    @property
    def parameter_memory(self) -> int:
        """Bytes of all parameters in float32."""
        return self.total * FLOAT_BYTES

    @property
    def seen(self) -> LayerFacts | None:
        """The last layer whose values have a receptive field; None if there is none."""
        return next((row for row in reversed(self.rows) if row.receptive_field), None)

    @property
    def is_sequential(self) -> bool:
        """Whether every layer is fed by exactly the one before it."""
        above = [INPUT, *(row.name for row in self.rows)]
        return all(row.inputs == (name,) for row, name in zip(self.rows, above, strict=False))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        field = self.seen.receptive_field if self.seen else None
        return {
            **asdict(self),
            "rows": [each.to_dict() for each in self.rows],
            "output_shape": self.output_shape,
            "total": self.total,
            "macs": self.macs,
            "memory": self.memory,
            "parameter_memory": self.parameter_memory,
            "receptive_field": [asdict(each) for each in field] if field else None,
        }


def summarize(path: AnySpec, overrides: str | Iterable[str] = ()) -> Summary:
    """The summary of a spec, by arithmetic; by Keras where a layer has no formula.

    Args:
        path: The spec: its path, its name if it is a shipped one, or itself.
        overrides: Changes to it, as `--set` takes them: `fit.epochs=3`.

    Raises:
        UsageError, SpecError: The spec cannot be read, or has errors.
        DataError: Only the images could tell the input shape.
    """
    spec, trace = traced(path, overrides)
    notes: tuple[str, ...] = ()
    if trace.unknown:
        from cnnctl.summary.by_keras import rows_by_keras

        rows = rows_by_keras(spec, trace)
        missing = ", ".join(f"{row.name} ({row.layer})" for row in rows if not row.formulas)
        notes = (f"no formula for {missing}: Keras built the network, and counted",)
    else:
        rows = trace.layers
    trainable = sum(row.trainable for row in rows)
    non_trainable = sum(row.non_trainable for row in rows)
    file, shape = str(spec.path), trace.input_shape
    return Summary(spec.name, file, shape, rows, trainable, non_trainable, notes)


def traced(path: AnySpec, overrides: str | Iterable[str] = ()) -> tuple[Spec, Trace]:
    """A checked spec and its arithmetic.

    Raises:
        UsageError, SpecError: The spec cannot be read, or has errors.
        DataError: Only the images could tell the input shape.
    """
    recorded = not isinstance(path, Spec) and is_of_run(as_path(path, "spec"))
    checked = check(path, overrides, recorded=recorded)
    if checked.trace is None:
        raise DataError(
            f"the input shape of {checked.spec.name} is known only from its pictures",
            hint="write it down: `model.input_shape: [height, width, channels]`",
        )
    return checked.spec, checked.trace


def _sum_or_none(counts: Iterable[int | None]) -> int | None:
    found = list(counts)
    known = [count for count in found if count is not None]
    return sum(known) if len(known) == len(found) else None
