"""The number of outputs beside the number of classes."""

from __future__ import annotations

from collections.abc import Iterator

from cnnctl.errors import Diagnostic, Location
from cnnctl.specs.loss_rules import are_embeddings
from cnnctl.specs.spec import Spec

_PASSING = frozenset(
    {
        "Activation",
        "BatchNormalization",
        "Dropout",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling2D",
        "ReLU",
        "Softmax",
    }
)
"""Layers behind which there are as many channels as before."""


def compare_outputs(
    spec: Spec, outputs: int | None, classes: int, data: str
) -> Iterator[Diagnostic]:
    """The error of a network that has not an output for each class, and no other.

    A network with more outputs than classes would train without a word, and wrongly. Two classes
    may share one output.
    """
    if outputs is None or outputs == classes or (classes == 2 and outputs == 1):
        return
    if are_embeddings(spec):
        return
    yield Diagnostic(
        "class-count",
        f"the network has {outputs} outputs, and {data} has {classes} classes",
        _outputs_place(spec),
        f"{classes} outputs are needed",
    )


def _outputs_place(spec: Spec) -> Location:
    """Where the number of outputs is written, above layers that only pass it on."""
    layers = {layer.name: layer for layer in spec.graph.layers}
    at = last = spec.graph.layers[-1]
    while at.component.name in _PASSING and at.inputs[0] in layers:
        at = layers[at.inputs[0]]
    sized = [name for name in ("units", "filters") if name in at.component.arguments]
    return at.component.place(sized[0]) if sized else last.location
