"""Losses beside the labels, and beside the activation of the last layer."""

from __future__ import annotations

from collections.abc import Iterator

from cnnctl.catalog import load
from cnnctl.errors import Diagnostic
from cnnctl.specs.components import Component
from cnnctl.specs.graph import snake_case
from cnnctl.specs.learning_rates import line_of
from cnnctl.specs.spec import Spec

CROSSENTROPIES = {
    "SparseCategoricalCrossentropy": "int",
    "CategoricalCrossentropy": "categorical",
    "CategoricalFocalCrossentropy": "categorical",
    "CategoricalGeneralizedCrossEntropy": "int",  # whatever its name says
}
"""The losses over classes, and the labels that each takes."""

HINGES = frozenset({"Hinge", "SquaredHinge"})
"""The losses that pull the one output of two classes to -1 and 1."""


def labels_of_loss(spec: Spec) -> Iterator[Diagnostic]:
    """Losses and metrics that take other labels than `data.label_mode` gives."""
    assert spec.compile
    loss = spec.compile.loss
    needed = CROSSENTROPIES.get(loss.name)
    if "data.label_mode" in spec.doubtful:
        return
    if spec.data and needed and spec.data.label_mode != needed:
        mode = spec.data.label_mode
        other = next((name for name, m in CROSSENTROPIES.items() if m == mode), None)
        fix = f"use `data.label_mode: {needed}`"
        if other:
            fix += f", or `loss: {snake_case(other)}`"
        yield Diagnostic(
            "label-mode",
            f"{loss.name} takes {needed} labels, and `data.label_mode` is {mode}",
            loss.location,
            fix,
        )
    if spec.data and are_embeddings(spec) and spec.data.label_mode != "int":
        message = f"Circle takes int labels, and `data.label_mode` is {spec.data.label_mode}"
        yield Diagnostic("label-mode", message, loss.location, "use `data.label_mode: int`")
    for metric in spec.compile.metrics if spec.data else ():
        dense = metric.name.removeprefix("Sparse")
        if dense != metric.name and spec.data and spec.data.label_mode == "categorical":
            yield Diagnostic(
                "label-mode",
                f"{metric.name} takes int labels, and `data.label_mode` is categorical",
                metric.location,
                f"use `data.label_mode: int`, or `{snake_case(dense)}`",
            )


def probabilities_of_loss(spec: Spec) -> Iterator[Diagnostic]:
    """Cross-entropy takes probabilities, or logits where `from_logits` says so."""
    assert spec.compile
    loss = spec.compile.loss
    fitting = {"BinaryCrossentropy": ("sigmoid",)}.get(loss.name, ("softmax", "sigmoid"))
    if loss.errors or loss.name not in {*CROSSENTROPIES, "BinaryCrossentropy"}:
        return
    last = spec.graph.layers[-1].component
    activation = "softmax" if last.name == "Softmax" else activation_of(last)
    if loss.arguments.get("from_logits", False):
        if activation in {"softmax", "sigmoid"}:
            yield Diagnostic(
                "softmax-from-logits",
                f"{loss.name} has `from_logits: true`, and the last layer applies {activation} "
                "already",
                loss.place("from_logits"),
                "remove one of the two",
                (f"the last layer is in {line_of(last.location, loss.location)}",),
            )
    elif activation == "linear":
        yield Diagnostic(
            "logits-without-softmax",
            f"{loss.name} takes probabilities, and the last layer has no {fitting[0]}",
            last.location,
            f"add `activation: {fitting[0]}`, or `loss: {{{loss.name}: {{from_logits: true}}}}`",
        )
    elif activation is not None and activation not in fitting:
        yield Diagnostic(
            "no-probabilities",
            f"{loss.name} takes probabilities, and the last layer gives those of `{activation}`",
            last.place("activation"),
            f"use `{fitting[0]}`",
        )


def are_embeddings(spec: Spec) -> bool:
    """Whether the outputs are an embedding of the image rather than a value per class, as Circle
    trains them with class numbers for labels."""
    return spec.compile is not None and spec.compile.loss.name == "Circle"


def logits_of(loss: Component) -> str | None:
    """What of a loss says that outputs mean class 1 above 0, not above 0.5."""
    if loss.name in HINGES:
        return loss.written
    return "from_logits: true" if loss.arguments.get("from_logits") is True else None


def activation_of(layer: Component) -> str | None:
    """The name of a layer's activation; linear for one that could have an activation and lacks it;
    None for a layer without any, or with an error that leaves it open."""
    entry = load().find(layer.kind, layer.name) if layer.name else None
    known = {argument.name for argument in entry.arguments} if entry else set()
    if layer.errors - known or "activation" in layer.errors:
        return None
    value = layer.arguments.get("activation")
    if isinstance(value, Component):
        return value.name
    return "linear" if layer.name in {"Dense", "Conv2D", "Activation"} else None
