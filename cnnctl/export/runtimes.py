"""Load an export back by its own runtime."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Compute = Callable[[np.ndarray], np.ndarray]
    """Float32 images (n, …) to outputs (n, …)."""


def read_export(name: str, path: Path) -> Compute:
    """What an export computes, by its own runtime."""
    import numpy as np

    if name == "keras":
        import keras

        whole = path.with_name(f"{path.name}.keras")
        path.rename(whole)
        try:
            # This process wrote the file a moment ago: it is not from outside.
            model = keras.models.load_model(whole, compile=False)
        finally:
            whole.rename(path)
        return lambda x: np.asarray(model(x, training=False))
    if name == "saved_model":
        import tensorflow as tf

        loaded = tf.saved_model.load(str(path))
        return lambda x: np.asarray(loaded.serve(x))
    if name == "onnx":
        runtime = importlib.import_module("onnxruntime")
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0].name
        return lambda x: np.asarray(session.run(None, {given: x})[0])
    interpreter = importlib.import_module("ai_edge_litert.interpreter").Interpreter(
        model_content=path.read_bytes()
    )
    (taken,), (given_back,) = interpreter.get_input_details(), interpreter.get_output_details()

    def compute(x: np.ndarray) -> np.ndarray:
        if taken["shape_signature"][0] == 1 < len(x):
            return np.concatenate([compute(each[None]) for each in x])
        if tuple(interpreter.get_input_details()[0]["shape"]) != x.shape:
            interpreter.resize_tensor_input(taken["index"], x.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(taken["index"], x)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(given_back["index"]))

    interpreter.allocate_tensors()
    return compute
