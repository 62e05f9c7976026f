"""Whether the formulas of plug-ins say what Keras built: looked at whenever a network is built."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from cnnctl.arithmetic import NoFormula, Refusal
from cnnctl.arithmetic.evaluate import evaluate
from cnnctl.errors import Diagnostic
from cnnctl.specs import GraphLayer, Spec
from cnnctl.specs.graph import INPUT


def disagreements(spec: Spec, model: Any, input_shape: tuple[int, ...]) -> Iterator[Diagnostic]:
    """Where the formula of a plug-in's layer gives another shape or other weights than Keras.

    Args:
        spec: A checked spec.
        model: The `keras.Model` that was built from it.
        input_shape: Shape of one image, without the batch.
    """
    for layer in spec.graph.layers:
        if not layer.component.is_of_plugin:
            continue
        shapes = [
            input_shape if name == INPUT else _shape(model.get_layer(name)) for name in layer.inputs
        ]
        if any(None in shape for shape in shapes):
            continue
        told = _told(layer, model.get_layer(layer.name), tuple(shapes))
        if told:
            message = f"the formula of {layer.component} is not what Keras builds: {told}"
            hint = "mend the formula, or register the layer without one"
            yield Diagnostic("other-formula", message, layer.location, hint)


def _told(layer: GraphLayer, built: Any, shapes: tuple[tuple[int, ...], ...]) -> str:
    """What a formula says and Keras does not; empty where they agree, or there is no formula."""
    try:
        outcome = evaluate(layer.component, shapes)
    except NoFormula:
        return ""
    except Refusal as refusal:
        return f"it refuses the input, {refusal.message}"
    shape = _shape(built)
    same = len(shape) == len(outcome.shape) and all(
        size in (None, ours) for size, ours in zip(shape, outcome.shape, strict=True)
    )
    if not same:
        return f"it gives the shape {_words(outcome.shape)}, and Keras {_words(shape)}"
    for trainable, word in ((True, "trainable"), (False, "non-trainable")):
        ours = sum(weight.size for weight in outcome.weights if weight.trainable is trainable)
        weights = built.trainable_weights if trainable else built.non_trainable_weights
        theirs = sum(math.prod(weight.shape) for weight in weights)
        if ours != theirs:
            return f"it counts {ours:,} {word} parameters, and Keras {theirs:,}"
    return ""


def _shape(built: Any) -> tuple[int, ...]:
    return tuple(built.output.shape[1:])


def _words(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "()"
