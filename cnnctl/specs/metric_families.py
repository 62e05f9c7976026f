"""Metrics by what they take outputs for, and what a rule says of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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
    """What is wrong with a metric, the fix, and the argument at which it shows."""

    message: str
    fix: str
    argument: str = ""
    rule: str = RULE

    def of(self, metric: Component) -> Diagnostic:
        """It at the place of a metric."""
        place = metric.place(self.argument) if self.argument else metric.location
        return Diagnostic(self.rule, self.message, place, self.fix)


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
