"""The line of the spec that a failure at run time comes from: that of the layer it arose in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cnnctl.errors import Diagnostic, TrainingError
from cnnctl.plugins.traceback import frames, places_in_plugins
from cnnctl.specs import GraphLayer, Spec

_NODE = re.compile(r"\bnode:? ['`\"]?([\w./-]+)", re.IGNORECASE)
"""TensorFlow's names of operations, which begin with the layers that they belong to."""

_NO_REASON = (
    "Graph execution", "Detected at", "File ", "<stack", "Stack trace", "[[",
    "Exception encountered when calling", "Could not automatically infer",
)  # fmt: skip
_AFTERWARDS = "Arguments received by"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def failure(what: str, error: BaseException, model: Any, spec: Spec) -> TrainingError:
    """A failure of TensorFlow or of a plug-in, as the error that is reported.

    Args:
        what: What failed: `the training`.
        error: What was raised.
        model: The `keras.Model` in which it was.
        spec: Its spec.
    """
    reason = reason_of(error)
    layer = _layer(error, model, spec)
    places = places_in_plugins(error)
    if layer is None:
        return TrainingError(f"{what} failed: {reason}", hint="\n".join(places) or None)
    message = f"{layer.component} `{layer.name}` failed: {reason}"
    notes = (*places, f"during {what}")
    diagnostic = Diagnostic("failed-layer", message, layer.location, None, notes)
    return TrainingError(message, diagnostics=[diagnostic])


def reason_of(error: BaseException) -> str:
    """The one line of a framework's message that says most."""
    text = _COLOUR.sub("", str(error)).partition(_AFTERWARDS)[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(_NO_REASON)] or [type(error).__name__]
    return next((line for line in told if "ncompatible" in line or "must" in line), told[0])


def _layer(error: BaseException, model: Any, spec: Spec) -> GraphLayer | None:
    """The layer of the spec in which an error arose: that whose method was running, or that whose
    operation TensorFlow names."""
    layers = {layer.name: layer for layer in spec.graph.layers}
    for frame, _ in frames(error):
        running = frame.f_locals.get("self")
        name = getattr(running, "name", None)
        if isinstance(name, str) and name in layers and running is model.get_layer(name):
            return layers[name]
    found = (layer_of(match[1], model, spec) for match in _NODE.finditer(str(error)))
    return next((layer for layer in found if layer), None)


def layer_of(node: str, model: Any, spec: Spec) -> GraphLayer | None:
    """The layer of the spec that an operation of TensorFlow belongs to.

    Args:
        node: The operation's name: `net_1/conv2d_1/Relu`.
        model: The `keras.Model` that was traced.
        spec: Its spec.
    """
    layers = {layer.name: layer for layer in spec.graph.layers}
    return next((layers[n] for n in _names_in(node, model.name) if n in layers), None)


def _names_in(node: str, model: str) -> Iterator[str]:
    """What the layers may be called whose scopes are in an operation's path, likeliest first.

    A scope that is opened again gets a number: `while/net_3/conv2d_1_2` is in the layer `conv2d_1`
    of the network `net`, `while/net_3/conv2d_1` in `conv2d`.
    """
    scopes = node.split("/")
    found = [
        n for n, scope in enumerate(scopes) if re.fullmatch(rf"{re.escape(model)}(_\d+)?", scope)
    ]
    if not found:
        return
    again = scopes[found[0]] != model
    for part in scopes[found[0] + 1 :]:
        if again:
            yield from (part.removesuffix(end) for end in ("_1", "_2") if part.endswith(end))
        yield part
