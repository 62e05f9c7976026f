"""Metrics that cannot say anything about a network's output.

Each rule is one of three kinds: Keras raises an error in the first step, the value is the same for
right and for wrong predictions, or the threshold is one for probabilities where the outputs are
logits. `tests/specs/test_metric_rules.py` holds every verdict against Keras itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cnnctl.errors import Diagnostic
from cnnctl.specs.components import Component
from cnnctl.specs.iou_rules import class_ids_of_outputs
from cnnctl.specs.metric_families import (
    ALONE,
    CONTINUOUS,
    COUNTS,
    F_SCORES,
    IOUS,
    PROBABILITIES,
    Misfit,
    Output,
)
from cnnctl.specs.metric_thresholds import curve_of_outputs, threshold_of_outputs


def misfits(output: Output, metrics: Sequence[Component]) -> Iterator[Diagnostic]:
    """Every metric that does not fit the output; those of plug-ins are for their authors to say."""
    for metric in metrics:
        if metric.errors or metric.is_of_plugin:
            continue
        found = next(filter(None, (rule(output, metric) for rule in _RULES)), None)
        if found:
            yield found.of(metric)


def _number_for_row(output: Output, metric: Component) -> Misfit | None:
    """Class numbers where a metric needs a row of numbers, and a row where it needs the number."""
    sparse = metric.name.startswith("Sparse")
    if output.count == 1:
        return None
    if output.labels == "int" and not sparse and metric.name not in {"accuracy", *IOUS}:
        fix = "use `data.label_mode: categorical`, or a metric whose name starts with `sparse_`"
        if metric.name == "Accuracy":
            fix = "write `accuracy`, which suits itself to the labels"
        return Misfit(
            f"{metric.name} compares {output.count} outputs with as many numbers, and "
            "`data.label_mode: int` gives one class number",
            fix,
            rule="label-mode",
        )
    if output.labels == "float" and sparse:
        return Misfit(
            f"{metric.name} compares the outputs with a class number, and `data.label_mode: float` "
            f"gives {output.count} numbers",
            f"use `{metric.name.removeprefix('Sparse')}`",
            rule="label-mode",
        )
    return None


def _largest_of_one(output: Output, metric: Component) -> Misfit | None:
    """Which output is the largest, or how they relate, where there is one."""
    name, arguments = metric.name, metric.arguments
    if output.count != 1:
        return None
    always = None
    fix = "use `BinaryAccuracy`"
    if output.logits:
        fix = "use `BinaryAccuracy: {threshold: 0}`"
    if name in ALONE:
        always = "is always 1"
    elif name.startswith("Sparse") and name != "SparseCategoricalCrossentropy":
        always = "takes every image for class 0"
    elif name in {"CategoricalCrossentropy", "SparseCategoricalCrossentropy"}:
        always, fix = "compares several outputs", "use `BinaryCrossentropy`"
        if output.logits:
            fix = "use `BinaryCrossentropy: {from_logits: true}`"
    elif name in F_SCORES and arguments.get("threshold") is None:
        always, fix = "takes every image for class 1", f"write `{name}: {{threshold: 0.5}}`"
        if output.logits:
            fix = "use `Precision: {thresholds: 0}` and `Recall: {thresholds: 0}`"
    elif name == "KLDivergence":
        always = "is best where every output is 1"
    elif name in COUNTS and arguments.get("top_k"):
        always, fix = "takes every image for class 1", "remove `top_k`"
    elif name in {"PearsonCorrelation", "ConcordanceCorrelation"}:
        always = "is always 0 or NaN" if arguments.get("axis", -1) != 0 else None
        fix = "add `axis: 0`, which compares the images of a batch, or use `R2Score`"
    elif name == "CosineSimilarity" and output.activation in {"sigmoid", "softmax"}:
        always = "sees only the sign" if arguments.get("axis", -1) != 0 else None
        fix = "use `mae`, or `BinaryAccuracy`"
    if output.labels == "float" and "Accuracy" in fix and output.activation not in PROBABILITIES:
        fix = "use a metric of numbers, such as `mae`"
    return Misfit(f"{name} of a network with one output {always}", fix) if always else None


def _equal_numbers(output: Output, metric: Component) -> Misfit | None:
    """Equality with outputs that are continuous."""
    continuous = output.activation in CONTINUOUS or output.logits
    if output.activation == "linear" and output.labels != "float":
        continuous = True
    if metric.name != "Accuracy" or not continuous:
        return None
    fix = "write `accuracy`, which suits itself to the labels"
    if output.logits and output.count == 1:
        fix = "use `BinaryAccuracy: {threshold: 0}`"
    return Misfit(
        "`Accuracy` counts outputs that equal the label exactly, which those of the last layer "
        "hardly ever do",
        fix,
    )


def _sizes(output: Output, metric: Component) -> Misfit | None:
    """Arguments that name an output, or say how many there are."""
    name, arguments = metric.name, metric.arguments
    index = arguments.get("class_id")
    if index is not None and index >= output.count:
        last = output.count - 1
        return Misfit(
            f"{name} looks at output {index}, and the last of {output.count} is {last}",
            f"write `class_id: {last}`" if last else "remove `class_id`",
            "class_id",
        )
    top = arguments.get("top_k")
    if top is not None and top > output.count:
        return Misfit(
            f"{name} takes the largest {top} of {output.count} outputs",
            f"write `top_k: {output.count - 1}`",
            "top_k",
        )
    if name == "AUC" and arguments.get("multi_label") and output.count > 1:
        weights = arguments.get("label_weights")
        given = {
            "num_labels": arguments.get("num_labels"),
            "label_weights": weights and len(weights),
        }
        for key, count in given.items():
            if count is not None and count != output.count:
                return Misfit(
                    f"AUC has {count} labels, and the network has {output.count} outputs",
                    f"`{key}` must match the {output.count} outputs",
                    key,
                )
    return None


def _values(output: Output, metric: Component) -> Misfit | None:
    """Formulas that have no value for the outputs or the labels."""
    if metric.name == "Poisson" and output.logits:
        return Misfit(
            f"Poisson takes the logarithm of the outputs, and with `{output.logits}` some are "
            "negative",
            "remove it",
        )
    if metric.arguments.get("from_sorted_ids") and (
        output.activation in {*CONTINUOUS, "linear"} or output.logits
    ):
        return Misfit(
            f"{metric.name} has `from_sorted_ids: true`, and the outputs are no class numbers",
            "remove `from_sorted_ids`",
            "from_sorted_ids",
        )
    return None


_RULES: Any = (
    _number_for_row, _largest_of_one, _equal_numbers, class_ids_of_outputs, _sizes,
    threshold_of_outputs, curve_of_outputs, _values,
)  # fmt: skip
