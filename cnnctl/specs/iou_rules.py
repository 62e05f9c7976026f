"""Intersection over union of class numbers or of rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from cnnctl.specs.components import Component
from cnnctl.specs.metric_families import BOUNDED, CONTINUOUS, IOUS, Misfit, Output


def has_class_ids(metric: Component) -> bool:
    """Whether an IoU takes labels for class numbers, not for rows."""
    default = not metric.name.startswith("OneHot")
    return default and bool(metric.arguments.get("sparse_y_true", True))


def class_ids_of_targets(
    metric: Component, values: Sequence[float] | None, numbers: str
) -> Misfit | None:
    """Targets that an IoU takes for class numbers, which Keras leaves out if they are none."""
    takes = f"{metric.name} takes targets for class numbers"
    if values is None:
        return Misfit(f"{takes}, and these are no whole numbers", numbers)
    classes, ignored = metric.arguments["num_classes"], metric.arguments.get("ignore_class")
    seen = [each for each in values if each != ignored]
    if any(each < 0 for each in seen):
        return Misfit(f"{takes}, and one is {min(seen):g}", numbers)
    if any(each >= classes for each in seen):
        most = int(max(seen))
        return Misfit(
            f"{takes} from 0 to {classes - 1}, and one is {most}",
            f"write `num_classes: {most + 1}` if they are classes, or {numbers}",
            "num_classes",
        )
    return None


def class_ids_of_outputs(output: Output, metric: Component) -> Misfit | None:
    """IoU, of class numbers or of rows of numbers."""
    if metric.name not in IOUS:
        return None
    one_hot = metric.name.startswith("OneHot")
    sparse_true = not one_hot and metric.arguments.get("sparse_y_true", True)
    sparse_pred = metric.arguments.get("sparse_y_pred", not one_hot)
    binary = "BinaryIoU: {threshold: 0}" if output.logits else "BinaryIoU"
    if output.count == 1:
        whole = output.activation not in CONTINUOUS and not output.logits
        if sparse_true and sparse_pred and whole:
            return None
        return Misfit(
            f"{metric.name} needs class numbers, and the one output is not a class number",
            f"use `{binary}`",
        )
    if output.labels == "int":
        if not sparse_true:
            fix = metric.name.removeprefix("OneHot") + ": {sparse_y_pred: false, …}"
            return Misfit(
                f"{metric.name} takes one-hot labels, and `data.label_mode` is int",
                f"use `{fix}`, or `data.label_mode: categorical`",
                rule="label-mode",
            )
        if sparse_pred:
            return Misfit(
                f"{metric.name} takes outputs for class numbers, and there are {output.count} for "
                "each image",
                "add `sparse_y_pred: false`, which takes the largest",
            )
    elif (sparse_true or sparse_pred) and not (
        # Numbers that are class numbers, as far as can be told.
        output.labels == "float"
        and sparse_true == sparse_pred
        and not (output.activation in BOUNDED or output.logits)
    ):
        flags = {"sparse_y_true": sparse_true, "sparse_y_pred": sparse_pred}
        added = " and ".join(f"`{key}: false`" for key, given in flags.items() if given)
        return Misfit(
            f"{metric.name} takes {'labels' if sparse_true else 'outputs'} for class numbers, "
            f"and there are {output.count} numbers for each image",
            f"add {added}, which takes the largest",
        )
    classes = metric.arguments["num_classes"]
    if classes < output.count:
        return Misfit(
            f"{metric.name} of {classes} classes leaves out images of the others, and the network "
            f"has {output.count} outputs",
            f"write `num_classes: {output.count}`",
            "num_classes",
        )
    return None
