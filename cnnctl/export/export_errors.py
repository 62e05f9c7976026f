"""Errors of exports, with the layer that is the cause, its line and a fix."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import Diagnostic, RunError
from cnnctl.export.agreement import TOLERANCE, Disagreement
from cnnctl.export.disagreement import disagreement, first_layer
from cnnctl.export.runtimes import read_export
from cnnctl.export.writers import WRITERS, inputs, silent, with_normalization
from cnnctl.io.atomic import remove
from cnnctl.network.failures import layer_of

if TYPE_CHECKING:
    from cnnctl.data.preparation import Prepared
    from cnnctl.inference.trained import Trained

_TRIED = 10
"""Training images on which the layer is looked for from which on an export disagrees."""


_SAFER = {
    "onnx": "use --format saved_model, which holds every layer of Keras",
    "litert": "use --format saved_model, which holds every layer of Keras",
    "saved_model": "use --format keras",
}
"""The fix, by format."""


def disagreement_error(
    error: Disagreement,
    network: Any,
    partial: Path,
    data: Prepared,
    trained: Trained,
    quantize: str | None,
    pixels: bool,
) -> RunError:
    """The error of an export that disagrees, with the layer from which on it does, its line and a
    fix."""
    import keras
    import numpy as np

    x = inputs(data, data.dataset.train.x[:_TRIED], pixels)

    def differs(name: str) -> bool:
        part = keras.Model(network.inputs[0], network.get_layer(name).output, name=network.name)
        model = with_normalization(part, data.normalization) if pixels else part
        path = partial.with_name(f"{partial.name}-{name}")
        try:
            with silent():
                WRITERS[error.format](model, path, data, quantize, pixels)
                found = read_export(error.format, path)(x)
            expected = np.asarray(model(x, training=False))
        finally:
            remove(path)
        return disagreement(found, expected, TOLERANCE[quantize]) is not None

    fix = _SAFER.get(error.format)
    hint = "; ".join(filter(None, (fix, "nothing is left of the export")))
    layer = first_layer(trained.spec.graph, differs) if quantize != "int8" else None
    if layer is None:
        return RunError(str(error), hint=hint)
    message = (
        f"the {error.format} export does not agree from {layer.component} `{layer.name}` on: "
        f"{error.why}"
    )
    note = "an export of the network up to this layer disagrees, and those of its inputs agree"
    diagnostic = Diagnostic("export-differs", message, layer.location, hint, (note,))
    return RunError(message, hint=hint, diagnostics=[diagnostic])


_OPERATION = re.compile(r'fused\["(\w+):", "([^"@]+)')
"""An operation in a message of LiteRT's converter: type and name."""
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def conversion_error(error: Exception, format: str, model: Any, trained: Trained) -> RunError:
    """The error that names the layer which a format cannot hold, with its line and a fix."""
    from cnnctl.export.inference_graph import Unsupported

    text = str(error)
    named: list[tuple[str, str]] = []
    if isinstance(error, Unsupported):
        named = list(error.operations)
    elif found := [pair for pair in _OPERATION.findall(text) if pair[0] not in _CALLS]:
        named = found
    else:  # a runtime's message: names of operations, at most
        paths = re.findall(rf"{re.escape(model.name)}[\w./-]*/[\w./-]+", text)
        named = [("", each) for each in paths]
    operations: dict[str, set[str]] = {}
    for kind, name in named:
        if layer := layer_of(name, model, trained.spec):
            operations.setdefault(layer.name, set()).add(kind)
    reason = (text.strip() or type(error).__name__).splitlines()[0]
    fix = "use --format saved_model, which holds every layer of Keras, or replace the layer"
    diagnostics = []
    for layer in trained.spec.graph.layers:
        if layer.name not in operations:
            continue
        kinds = sorted(kind for kind in operations[layer.name] if kind)
        why = f"there is no equivalent of {', '.join(kinds)}" if kinds else "the converter fails"
        message = f"{layer.component} `{layer.name}` cannot be exported as {format}: {why}"
        notes = () if kinds else (f"{reason:.150}",)
        diagnostics.append(
            Diagnostic("cannot-export", message, layer.component.location, fix, notes)
        )
    if diagnostics:
        return RunError(diagnostics[0].message, hint=fix, diagnostics=diagnostics)
    message = f"{trained.source} cannot be exported as {format}: {reason:.150}"
    return RunError(message, hint=None if format == "saved_model" else "use --format saved_model")
