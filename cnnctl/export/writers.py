"""Write a network in each format, and say what the formats need."""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import UsageError
from cnnctl.io.atomic import remove

if TYPE_CHECKING:
    import numpy as np

    from cnnctl.data.pixel_normalization import Normalization
    from cnnctl.data.preparation import Prepared


SUFFIXES = {"keras": ".keras", "saved_model": "", "onnx": ".onnx", "litert": ".tflite"}
"""By format; a saved model is a folder."""
_NEEDS = {"onnx": ("onnx", "tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}
CALIBRATION = 200
"""Training images by which the ranges for int8 are found."""


def refuse_missing(name: str) -> None:
    """Raise UsageError where a package that a format needs is not installed."""
    missing = [each for each in _NEEDS.get(name, ()) if importlib.util.find_spec(each) is None]
    if missing:
        raise UsageError(f"{name} needs {', '.join(missing)}", hint="pip install 'cnnctl[export]'")


def with_normalization(model: Any, scale: Normalization) -> Any:
    """A model that takes pixels as stored."""
    import keras

    image = keras.Input(model.input_shape[1:])
    subtract, divide = (tuple(each) for each in (scale.subtract, scale.divide))
    if len(subtract) == 1:
        normalized = keras.layers.Rescaling(1 / divide[0], -subtract[0] / divide[0])(image)
    else:
        variance = [each**2 for each in divide]
        normalized = keras.layers.Normalization(mean=list(subtract), variance=variance)(image)
    return keras.Model(image, model(normalized), name=model.name)


@contextmanager
def silent() -> Iterator[None]:
    """Converters talk: to standard output, in warnings, in logs, and from C++ to the file itself.

    What goes wrong is an exception all the same.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
        logging.disable(before)


def _write_keras(model: Any, path: Path, *_: Any) -> None:
    # Keras looks at the name, which is not a `.keras` file's yet.
    whole = path.with_name(f"{path.name}.keras")
    try:
        model.save(whole)
        whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)


def _write_saved_model(model: Any, path: Path, *_: Any) -> None:
    from cnnctl.export.inference_graph import write_saved_model

    write_saved_model(model, path)


def _write_onnx(model: Any, path: Path, *_: Any) -> None:
    from cnnctl.export.inference_graph import Graph
    from cnnctl.export.onnx_operations import WHICH, write_onnx

    write_onnx(Graph(model, WHICH), path)


def _write_litert(
    model: Any, path: Path, data: Prepared, quantize: str | None, pixels: bool
) -> tuple[str, ...]:
    import tensorflow as tf

    from cnnctl.export.decomposition import DECOMPOSITIONS
    from cnnctl.export.inference_graph import Graph

    notes: tuple[str, ...] = ()
    graph = Graph(model, DECOMPOSITIONS)
    if graph.loops:  # LiteRT collects what a loop computes in tensors of a fixed size
        graph = Graph(model, DECOMPOSITIONS, batch=1)
        notes = ("the network has loops: the export takes one image per call",)
    folder = path.with_name(f"{path.name}-saved_model")
    try:
        graph.write_saved_model(folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
        if quantize is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        elif quantize == "int8":
            some = inputs(data, data.dataset.train.x[:CALIBRATION], pixels)
            converter.representative_dataset = lambda: ([each[None]] for each in some)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        path.write_bytes(converter.convert())
    finally:
        remove(folder)
    return notes


WRITERS: dict[str, Callable[..., tuple[str, ...] | None]] = {
    "keras": _write_keras,
    "saved_model": _write_saved_model,
    "onnx": _write_onnx,
    "litert": _write_litert,
}


def inputs(data: Prepared, x: np.ndarray, pixels: bool) -> np.ndarray:
    """Images as an export takes them, float32."""
    import numpy as np

    return np.asarray(x, np.float32) if pixels else data.normalization.apply(np.asarray(x))
