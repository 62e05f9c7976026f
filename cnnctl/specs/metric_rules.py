"""Metrics that cannot say anything about a network's output.

Each rule is one of three kinds: Keras raises an error in the first step, the value is the same for
right and for wrong predictions, or the threshold is one for probabilities where the outputs are
logits. `tests/spec/test_metric_rules.py` holds every verdict against Keras itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cnnctl.errors import Diagnostic
from cnnctl.specs.components import Component

RULE = "metric-misfit"

CONTINUOUS = frozenset({
    "celu", "elu", "exponential", "gelu", "log_sigmoid", "log_softmax", "mish", "selu", "sigmoid",
    "silu", "softmax", "softplus", "softsign", "squareplus", "tanh",
})  # fmt: skip
"""Activations whose values are a whole number by accident only."""

PROBABILITIES = frozenset({"sigmoid", "softmax"})
BOUNDED = PROBABILITIES | {"tanh"}
"""Activations whose values are 0 once they are made whole numbers."""

COUNTS = frozenset({
    "FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives",
})  # fmt: skip
AT = frozenset({
    "PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
})  # fmt: skip
IOUS = frozenset({"IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"})
CROSSENTROPIES = frozenset({
    "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy",
})  # fmt: skip
F_SCORES = frozenset({"F1Score", "FBetaScore"})
THRESHOLD = F_SCORES | {"BinaryAccuracy", "BinaryIoU"}
ALONE = frozenset({"CategoricalAccuracy", "TopKCategoricalAccuracy"})
"""Metrics that compare which of several outputs is the largest."""

OF_ZERO_AND_ONE = COUNTS | AT | {"AUC", "BinaryAccuracy", "BinaryIoU"}
"""Metrics that take targets for 0 and 1, whatever they are."""


class Misfit(NamedTuple):
    """What is wrong with a metric, what to write instead, and the argument at which it shows."""

    message: str
    mend: str
    argument: str = ""
    rule: str = RULE


@dataclass(frozen=True)
class Output:
    """What a network puts out, and what it is compared with.

    Args:
        count: How many outputs an image has.
        labels: `data.label_mode`.
        activation: Of the last layer; None where it is not known.
        logits: What of the loss makes the outputs logits (`from_logits: true`, `hinge`), which mean
            class 1 above 0; None for probabilities and numbers.
    """

    count: int
    labels: str
    activation: str | None
    logits: str | None


def misfits(output: Output, metrics: Sequence[Component]) -> Iterator[Diagnostic]:
    """Every metric that does not fit the output; those of plug-ins are for their authors to say."""
    for metric in metrics:
        if metric.faults or metric.is_of_plugin:
            continue
        found = next(filter(None, (rule(output, metric) for rule in _RULES)), None)
        if found:
            place = metric.place(found.argument) if found.argument else metric.location
            yield Diagnostic(found.rule, found.message, place, found.mend)


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
        if metric.faults or metric.is_of_plugin:
            continue
        if misfit := _of_targets(metric, outputs, found, logits):
            place = metric.place(misfit.argument) if misfit.argument else metric.location
            yield Diagnostic(misfit.rule, misfit.message, place, misfit.mend)


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
    takes_rows = name in {*ALONE, "accuracy"} or (name in IOUS and not _has_class_ids(metric))
    if found.multi_hot and takes_rows and outputs != 1:
        mend = "binary_accuracy" if "ccuracy" in name else "BinaryIoU"
        if logits:
            mend = f"{'BinaryIoU' if name in IOUS else 'BinaryAccuracy'}: {{threshold: 0}}"
        return Misfit(
            f"`{metric.written}` compares which number of a row is the largest, and the targets "
            "are rows with several ones, or none",
            f"write `{mend}`, which compares each number by itself",
        )
    if name in IOUS and _has_class_ids(metric):
        return _class_ids(metric, found.values, numbers)
    return None


def _has_class_ids(metric: Component) -> bool:
    """Whether an IoU takes labels for class numbers, not for rows."""
    default = not metric.name.startswith("OneHot")
    return default and bool(metric.arguments.get("sparse_y_true", True))


def _class_ids(metric: Component, values: Sequence[float] | None, numbers: str) -> Misfit | None:
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


def _number_for_row(output: Output, metric: Component) -> Misfit | None:
    """Class numbers where a metric needs a row of numbers, and a row where it needs the number."""
    sparse = metric.name.startswith("Sparse")
    if output.count == 1:
        return None
    if output.labels == "int" and not sparse and metric.name not in {"accuracy", *IOUS}:
        mend = "use `data.label_mode: categorical`, or a metric whose name starts with `sparse_`"
        if metric.name == "Accuracy":
            mend = "write `accuracy`, which suits itself to the labels"
        return Misfit(
            f"{metric.name} compares {output.count} outputs with as many numbers, and "
            "`data.label_mode: int` gives one class number",
            mend,
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
    mend = "use `BinaryAccuracy`"
    if output.logits:
        mend = "use `BinaryAccuracy: {threshold: 0}`"
    if name in ALONE:
        always = "is always 1"
    elif name.startswith("Sparse") and name != "SparseCategoricalCrossentropy":
        always = "takes every image for class 0"
    elif name in {"CategoricalCrossentropy", "SparseCategoricalCrossentropy"}:
        always, mend = "compares several outputs", "use `BinaryCrossentropy`"
        if output.logits:
            mend = "use `BinaryCrossentropy: {from_logits: true}`"
    elif name in F_SCORES and arguments.get("threshold") is None:
        always, mend = "takes every image for class 1", f"write `{name}: {{threshold: 0.5}}`"
        if output.logits:
            mend = "use `Precision: {thresholds: 0}` and `Recall: {thresholds: 0}`"
    elif name == "KLDivergence":
        always = "is best where every output is 1"
    elif name in COUNTS and arguments.get("top_k"):
        always, mend = "takes every image for class 1", "remove `top_k`"
    elif name in {"PearsonCorrelation", "ConcordanceCorrelation"}:
        always = "is always 0 or NaN" if arguments.get("axis", -1) != 0 else None
        mend = "add `axis: 0`, which compares the images of a batch, or use `R2Score`"
    elif name == "CosineSimilarity" and output.activation in {"sigmoid", "softmax"}:
        always = "sees only the sign" if arguments.get("axis", -1) != 0 else None
        mend = "use `mae`, or `BinaryAccuracy`"
    if output.labels == "float" and "Accuracy" in mend and output.activation not in PROBABILITIES:
        mend = "use a metric of numbers, such as `mae`"
    return Misfit(f"{name} of a network with one output {always}", mend) if always else None


def _equal_numbers(output: Output, metric: Component) -> Misfit | None:
    """Equality with outputs that are continuous."""
    continuous = output.activation in CONTINUOUS or output.logits
    if output.activation == "linear" and output.labels != "float":
        continuous = True
    if metric.name != "Accuracy" or not continuous:
        return None
    mend = "write `accuracy`, which suits itself to the labels"
    if output.logits and output.count == 1:
        mend = "use `BinaryAccuracy: {threshold: 0}`"
    return Misfit(
        "`Accuracy` counts outputs that equal the label exactly, which those of the last layer "
        "hardly ever do",
        mend,
    )


def _ids_of_classes(output: Output, metric: Component) -> Misfit | None:
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
            mend = metric.name.removeprefix("OneHot") + ": {sparse_y_pred: false, …}"
            return Misfit(
                f"{metric.name} takes one-hot labels, and `data.label_mode` is int",
                f"use `{mend}`, or `data.label_mode: categorical`",
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


def _threshold(output: Output, metric: Component) -> Misfit | None:
    """A threshold of 0.5 for outputs that mean class 1 above 0, or one that every output passes."""
    name, arguments = metric.name, metric.arguments
    key = "thresholds" if name in COUNTS else None
    if name in THRESHOLD or (name == "accuracy" and output.count == 1):
        key = "threshold"
    if key is None or arguments.get("top_k"):
        return None
    given = arguments.get(key)
    if name in F_SCORES and given is None:
        return None
    label = metric.written if name in {"accuracy", "BinaryAccuracy"} else name
    if output.logits and (given is None or name in F_SCORES):
        at = 0.5 if given is None else given
        mend = "use `BinaryAccuracy: {threshold: 0}`"
        if name in COUNTS or name == "BinaryIoU":
            mend = f"write `{name}: {{{key}: 0}}`"
        elif name in F_SCORES:
            mend = "end the network in probabilities: `sigmoid`, without `from_logits`"
        return Misfit(
            f"`{label}` takes outputs above {at} for class 1, and with `{output.logits}` "
            "they are so above 0",
            mend,
            rule="logit-threshold",
        )
    if given is None or output.activation not in PROBABILITIES or output.logits:
        return None
    values: list[float] = given if isinstance(given, list) else [given]
    if all(each <= 0 or each >= 1 for each in values):
        what = "every" if values[0] <= 0 else "no"
        return Misfit(
            f"{what} output of `{output.activation}` is above {values[0]}",
            f"write `{key}: 0.5`",
            key,
        )
    return None


def _curve(output: Output, metric: Component) -> Misfit | None:
    """Metrics over thresholds from 0 to 1, and crossentropies: of probabilities or of logits."""
    name, from_logits = metric.name, metric.arguments.get("from_logits", False)
    if name in AT and output.logits:
        return Misfit(
            f"{name} looks for a threshold between 0 and 1, and with `{output.logits}` it is "
            "anywhere",
            "end the network in probabilities: `sigmoid`, without `from_logits`",
            rule="logit-threshold",
        )
    if name != "AUC" and name not in CROSSENTROPIES:
        return None
    if from_logits and output.activation in PROBABILITIES and name != "AUC":
        return Misfit(
            f"{name} has `from_logits: true`, and the last layer applies {output.activation} "
            "already",
            "remove `from_logits`",
            "from_logits",
        )
    if output.logits and not from_logits and (name == "AUC" or "from_logits" in output.logits):
        return Misfit(
            f"{name} takes probabilities, and with `{output.logits}` the outputs are none",
            "add `from_logits: true` to it",
            rule="logit-threshold",
        )
    return None


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
    _number_for_row, _largest_of_one, _equal_numbers, _ids_of_classes, _sizes, _threshold, _curve,
    _values,
)  # fmt: skip
