"""Contradictions: pairs of values that are each right and cannot both be meant."""

from __future__ import annotations

from collections.abc import Iterator

from cnnctl.errors import Diagnostic
from cnnctl.specs.learning_rates import rates, schedules
from cnnctl.specs.loss_rules import labels_of_loss, probabilities_of_loss
from cnnctl.specs.monitor_rules import UNKNOWN_DIRECTION, metric_names, monitored, validates
from cnnctl.specs.pairs import contradictory
from cnnctl.specs.spec import Spec

SINCE_RUNS = frozenset({
    UNKNOWN_DIRECTION, "bidirectional-character", "logit-threshold", "loss-misfit", "metric-misfit",
    "metric-name",
})  # fmt: skip
"""Rules that runs of earlier versions may break, and are read all the same."""


def contradictions(spec: Spec) -> Iterator[Diagnostic]:
    """Every contradiction in a spec.

    Values that have an error already are skipped.
    """
    if spec.compile:
        yield from labels_of_loss(spec)
        yield from probabilities_of_loss(spec)
        yield from rates(spec)
        yield from monitored(spec, validates(spec))
        yield from metric_names(spec, bool(spec.data and spec.data.validation))
    yield from contradictory(spec)
    yield from _epochs(spec)
    yield from schedules(spec)


def _epochs(spec: Spec) -> Iterator[Diagnostic]:
    for callback in spec.fit.callbacks:
        start = callback.arguments.get("start_from_epoch", 0)
        if start >= spec.fit.epochs and not spec.doubtful & {"fit", "fit.epochs"}:
            yield Diagnostic(
                "start-above-end",
                f"{callback.name} starts at epoch {start}, and the training ends at "
                f"{spec.fit.epochs}",
                callback.place("start_from_epoch"),
                "lower `start_from_epoch`, or raise `fit.epochs`",
            )
