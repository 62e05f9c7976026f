"""Metrics that say something else than is meant, as the data tell: errors and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnctl.errors import Diagnostic
from cnnctl.specs.components import Component
from cnnctl.specs.iou_rules import class_ids_of_targets, has_class_ids
from cnnctl.specs.metric_families import ALONE, IOUS, OF_ZERO_AND_ONE, Misfit


def always_one(metrics: Sequence[Component], outputs: int | None) -> list[str]:
    """Notes on metrics that look for the class among as many outputs as there are, or more."""
    top = ("TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy")
    return [
        f"`{metric.written}` is always 1: the class is among the {k} largest of {outputs} outputs; "
        f"write `k: {max(1, outputs // 2)}`, say"
        for metric in metrics
        if metric.name in top and outputs and (k := metric.arguments.get("k", 5)) >= outputs > 1
    ]


def one_by_one(metrics: Sequence[Component], outputs: int | None) -> list[str]:
    """Notes on metrics that look at each output by itself, where each image has one class.

    Args:
        metrics: Of a spec whose labels are one-hot rows.
        outputs: How many classes there are.
    """
    if not outputs or outputs < 3:
        return []
    return [
        f"`{metric.written}` compares each of the {outputs} outputs by itself with 0.5, so a "
        f"network that knows nothing has {1 - 1 / outputs:.4f}; for the share of images whose "
        "class is right, write `categorical_accuracy`"
        for metric in metrics
        if metric.name == "BinaryAccuracy"
    ]


@dataclass(frozen=True)
class Targets:
    """What numeric targets turn out to be once they are read.

    Args:
        values: Each value that occurs, if all are whole numbers; None otherwise.
        one_hot: Whether each image has a row with exactly one 1, and zeros otherwise.
        multi_hot: Whether each image has a row of zeros and ones, some with several ones or none.
        are_measures: Whether each image has a row of other numbers, which are no shares of 1.
    """

    values: Sequence[float] | None
    one_hot: bool = False
    multi_hot: bool = False
    are_measures: bool = False

    @property
    def are_binary(self) -> bool:
        """Whether every value is 0 or 1."""
        return self.values is not None and all(each in (0, 1) for each in self.values)


def largest_of_measures(metrics: Sequence[Component], found: Targets) -> list[str]:
    """Notes on metrics that compare which number is the largest, of coordinates, say."""
    return [
        f"`{metric.written}` is the share of images of which the same number of the row is the "
        "largest in output and target; for how far numbers are off, write `mae`"
        for metric in metrics
        if found.are_measures and metric.name in {*ALONE, "accuracy"}
    ]


def targets(
    metrics: Sequence[Component], outputs: int | None, found: Targets, logits: str | None = None
) -> Iterator[Diagnostic]:
    """Metrics that take numeric targets for something else than they are.

    Args:
        metrics: Of a spec with `label_mode: float`.
        outputs: How many the network has, if it is known.
        found: The targets.
        logits: As in `Output`.
    """
    for metric in metrics:
        if metric.errors or metric.is_of_plugin:
            continue
        if misfit := _of_targets(metric, outputs, found, logits):
            yield misfit.of(metric)


def _of_targets(
    metric: Component, outputs: int | None, found: Targets, logits: str | None
) -> Misfit | None:
    name = metric.name
    numbers = "use a metric of numbers, such as `mae` or `R2Score`"
    if not found.are_binary and (
        name in OF_ZERO_AND_ONE or (name == "accuracy" and outputs == 1)
    ):  # fmt: skip
        what = "compares classes 0 and 1, and the targets are other numbers"
        return Misfit(f"`{metric.written}` {what}", numbers)
    if name == "Accuracy" and found.values is None:
        what = "counts outputs that equal the target exactly, and the targets are no whole numbers"
        return Misfit(f"`{metric.written}` {what}", numbers)
    takes_rows = name in {*ALONE, "accuracy"} or (name in IOUS and not has_class_ids(metric))
    if found.multi_hot and takes_rows and outputs != 1:
        fix = "binary_accuracy" if "ccuracy" in name else "BinaryIoU"
        if logits:
            fix = f"{'BinaryIoU' if name in IOUS else 'BinaryAccuracy'}: {{threshold: 0}}"
        return Misfit(
            f"`{metric.written}` compares which number of a row is the largest, and the targets "
            "are rows with several ones, or none",
            f"write `{fix}`, which compares each number by itself",
        )
    if name in IOUS and has_class_ids(metric):
        return class_ids_of_targets(metric, found.values, numbers)
    return None
