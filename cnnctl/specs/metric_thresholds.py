"""Metrics with thresholds, and crossentropies: of probabilities or of logits."""

from __future__ import annotations

from cnnctl.specs.components import Component
from cnnctl.specs.metric_families import (
    AT,
    COUNTS,
    CROSSENTROPIES,
    F_SCORES,
    PROBABILITIES,
    THRESHOLD,
    Misfit,
    Output,
)


def threshold_of_outputs(output: Output, metric: Component) -> Misfit | None:
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
        fix = "use `BinaryAccuracy: {threshold: 0}`"
        if name in COUNTS or name == "BinaryIoU":
            fix = f"write `{name}: {{{key}: 0}}`"
        elif name in F_SCORES:
            fix = "end the network in probabilities: `sigmoid`, without `from_logits`"
        return Misfit(
            f"`{label}` takes outputs above {at} for class 1, and with `{output.logits}` "
            "they are so above 0",
            fix,
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


def curve_of_outputs(output: Output, metric: Component) -> Misfit | None:
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
