"""A trained network for other programs, each export loaded back by its own runtime and compared.

What does not agree with the Keras model on test pictures is an error, and leaves no file.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import os
import re
import shutil
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import CnnctlError, Diagnostic, RunError, UsageError
from cnnctl.export.disagreement import disagreement, first_layer
from cnnctl.inference.prediction import per_class
from cnnctl.inference.trained import find
from cnnctl.io.atomic import cannot_write
from cnnctl.network.failures import layer_of

if TYPE_CHECKING:
    import numpy as np

    from cnnctl.data.pixel_normalization import Normalization
    from cnnctl.data.preparation import Prepared
    from cnnctl.inference.trained import Trained
    from cnnctl.specs import Spec

    Compute = Callable[[np.ndarray], np.ndarray]
    """Float32 pictures (n, …) to outputs (n, …)."""

SUFFIXES = {"keras": ".keras", "saved_model": "", "onnx": ".onnx", "litert": ".tflite"}
"""By format; a saved model is a folder."""
_NEEDS = {"onnx": ("onnx", "tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}
TOLERANCE = {None: 1e-4, "float16": 2e-2}
"""Largest difference of an output. Weights rounded to float16 have an error of 2**-11 each."""
AGREEMENT = 0.95
"""The part of the pictures for which a network in int8 has to find the same class, or, where there
are no classes, nearly the same outputs."""
STEPS = 2
"""Nearly the same: by how many steps of 8 bits, 1/255 of the outputs' spread, an output may differ
for each layer with weights. One is for the layer's weights, one for what it puts out."""
CALIBRATION = 200
"""Training pictures by which the ranges for int8 are found."""
_TIMED = 50
_TRIED = 10
"""Training images on which the layer is looked for from which on an export disagrees."""


@dataclass(frozen=True)
class Exported:
    """An export that agrees with its network.

    Args:
        path: The file, or the folder of a saved model.
        format: keras, saved_model, onnx or litert.
        quantize: `int8`, `float16` or None.
        takes: What it takes: `pixels`, or `normalized` pictures.
        bytes: Of the file, or of all files in the folder.
        pictures: How many test pictures were compared.
        difference: The largest difference of an output.
        agreement: The part of the pictures with the same class; None where there are no classes.
        accuracy: Of the export; None where there are no classes.
        accuracy_by_keras: Of the Keras model on the same pictures.
        milliseconds: For one picture, median.
        milliseconds_by_keras: The same for the Keras model, compiled.
        notes: What is worth knowing.
    """

    path: str
    format: str
    quantize: str | None
    takes: str
    bytes: int
    pictures: int
    difference: float
    agreement: float | None
    accuracy: float | None
    accuracy_by_keras: float | None
    milliseconds: float
    milliseconds_by_keras: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def export(
    source: Path,
    format: str,
    out: Path | None = None,
    *,
    quantize: str | None = None,
    pixels: bool = False,
    images: int = 1000,
    spec: Spec | None = None,
    checkpoint: str | None = None,
    data_dir: Path | None = None,
    full_data: bool = False,
    device: str = "auto",
) -> Exported:
    """Export a trained network, and compare the export with it.

    Args:
        source: A run folder, a checkpoint folder in it, a `.keras` or a `.weights.h5` file.
        format: keras, saved_model, onnx or litert.
        out: Where; beside the run by default: RUN/exports/NAME.onnx.
        quantize: `int8` or `float16` weights, for litert.
        pixels: Whether the export takes pixels as stored, and normalizes them itself.
        images: On how many test pictures they are compared.
        spec, checkpoint, data_dir, full_data, device: As in `cnnctl.predict_split`.

    Raises:
        UsageError: There is no such format, or its packages are not installed, or the place is
            taken.
        RunError: The export does not agree with the network, or cannot be written.
    """
    if format not in SUFFIXES:
        raise UsageError(f"there is no format `{format}`", hint=f"there are {', '.join(SUFFIXES)}")
    if quantize is not None and format != "litert":
        raise UsageError("--quantize is for litert")
    _refuse_missing(format)
    trained = find(source, spec=spec, checkpoint=checkpoint)
    path = out or _place(trained.run.path if trained.run else None, source, format, quantize)
    if path.exists():
        raise UsageError(f"{path} is there already", hint="name another with --out, or remove it")
    if out is not None and not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")
    data = trained.prepare(data_dir=data_dir, full_data=full_data)
    loaded = trained.load(data.checked, images, device)
    model = _with_normalization(loaded.model, data.normalization) if pixels else loaded.model
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path.parent, error, "name another place with --out") from error
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        with _silent():
            notes = _WRITERS[format](model, partial, data, quantize, pixels) or ()
        found = _compared(model, partial, data, trained.spec, format, quantize, pixels, images)
        partial.replace(path)
    except _Disagreement as error:
        raise _located(error, loaded.model, partial, data, trained, quantize, pixels) from None
    except CnnctlError:
        raise
    except OSError as error:
        raise cannot_write(path, error, "name another place with --out") from error
    except Exception as error:  # whatever a converter raises
        raise _refusal(error, format, model, trained) from error
    finally:
        _remove(partial)
    return Exported(path=str(path), format=format, quantize=quantize,
                    takes="pixels" if pixels else "normalized", bytes=_size(path),
                    notes=(*loaded.notes, *notes), **found)  # fmt: skip


class _Disagreement(Exception):
    """An export does not agree with its network.

    Args:
        format: Its format.
        why: How it disagrees.
    """

    def __init__(self, format: str, why: str) -> None:
        super().__init__(f"the {format} export does not agree: {why}")
        self.format = format
        self.why = why


_SAFER = {
    "onnx": "use --format saved_model, which holds every layer of Keras",
    "litert": "use --format saved_model, which holds every layer of Keras",
    "saved_model": "use --format keras",
}
"""The fix, by format."""


def _located(
    error: _Disagreement,
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

    x = _inputs(data, data.dataset.train.x[:_TRIED], pixels)

    def differs(name: str) -> bool:
        part = keras.Model(network.inputs[0], network.get_layer(name).output, name=network.name)
        model = _with_normalization(part, data.normalization) if pixels else part
        path = partial.with_name(f"{partial.name}-{name}")
        try:
            with _silent():
                _WRITERS[error.format](model, path, data, quantize, pixels)
                found = _read(error.format, path)(x)
            expected = np.asarray(model(x, training=False))
        finally:
            _remove(path)
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


def _refusal(error: Exception, format: str, model: Any, trained: Trained) -> RunError:
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


def _refuse_missing(name: str) -> None:
    missing = [each for each in _NEEDS.get(name, ()) if importlib.util.find_spec(each) is None]
    if missing:
        raise UsageError(f"{name} needs {', '.join(missing)}", hint="pip install 'cnnctl[export]'")


def _place(run: Path | None, source: Path, name: str, quantize: str | None) -> Path:
    folder = run / "exports" if run else source.parent
    stem = f"{run.parent.name if run else source.stem}{f'-{quantize}' if quantize else ''}"
    return folder / f"{stem}{SUFFIXES[name] or '-saved_model'}"


def _with_normalization(model: Any, scale: Normalization) -> Any:
    """A model that takes pixels as stored."""
    import keras

    picture = keras.Input(model.input_shape[1:])
    subtract, divide = (tuple(each) for each in (scale.subtract, scale.divide))
    if len(subtract) == 1:
        normalized = keras.layers.Rescaling(1 / divide[0], -subtract[0] / divide[0])(picture)
    else:
        variance = [each**2 for each in divide]
        normalized = keras.layers.Normalization(mean=list(subtract), variance=variance)(picture)
    return keras.Model(picture, model(normalized), name=model.name)


@contextmanager
def _silent() -> Iterator[None]:
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
            some = _inputs(data, data.dataset.train.x[:CALIBRATION], pixels)
            converter.representative_dataset = lambda: ([each[None]] for each in some)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        path.write_bytes(converter.convert())
    finally:
        _remove(folder)
    return notes


_WRITERS: dict[str, Callable[..., tuple[str, ...] | None]] = {
    "keras": _write_keras,
    "saved_model": _write_saved_model,
    "onnx": _write_onnx,
    "litert": _write_litert,
}


def _read(name: str, path: Path) -> Compute:
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


def _inputs(data: Prepared, x: np.ndarray, pixels: bool) -> np.ndarray:
    """Pictures as an export takes them, float32."""
    import numpy as np

    return np.asarray(x, np.float32) if pixels else data.normalization.apply(np.asarray(x))


def _compared(
    model: Any,
    path: Path,
    data: Prepared,
    spec: Spec,
    name: str,
    quantize: str | None,
    pixels: bool,
    images: int,
) -> dict[str, Any]:
    """How far an export agrees with its network.

    Raises:
        _Disagreement: Not far enough.
        RunError: Not far enough in int8, or the network's own outputs are not finite.
    """
    import numpy as np
    import tensorflow as tf

    split = data.dataset.test or data.dataset.train
    x, y = _inputs(data, split.x[:images], pixels), split.y[:images]
    by_keras = tf.function(lambda pictures: model(pictures, training=False))
    expected = np.concatenate([np.asarray(by_keras(part)) for part in _parts(x)])
    if broken := int((~np.isfinite(expected)).reshape(len(x), -1).any(1).sum()):
        raise RunError(
            f"the network gives outputs that are not finite for {broken:,} of {len(x):,} images: "
            "no export can be compared with it",
            hint="train it again, with a lower learning rate or `clipnorm`",
        )
    with _silent():
        compute = _read(name, path)
        # What stays fixed at one picture in int8 is asked picture by picture.
        size = 1 if quantize == "int8" else 100
        found = np.concatenate([compute(part) for part in _parts(x, size)])
    limit = TOLERANCE.get(quantize)
    if why := disagreement(found, expected, limit):
        raise _Disagreement(name, why)
    difference = float(np.abs(found - expected).max())
    classes = data.classes and expected.ndim == 2
    agreement = accuracy = by = None
    if classes:
        guesses, own = (per_class(spec, each)[0].argmax(1) for each in (found, expected))
        agreement = float((guesses == own).mean())
        accuracy, by = float((guesses == y).mean()), float((own == y).mean())
    if limit is None and agreement is not None and agreement < AGREEMENT:
        raise RunError(
            f"in {quantize} the network finds another class for {1 - agreement:.1%} of {len(x):,} "
            f"pictures, and {1 - AGREEMENT:.0%} is the most",
            hint="nothing is left of it; --quantize float16 is more exact",
        )
    if limit is None and agreement is None:
        matrices = max(1, sum(len(each.shape) > 1 for each in model.weights))
        spread = float(np.ptp(expected))
        most = STEPS / 255 * matrices * spread
        apart = np.abs(found - expected).reshape(len(x), -1).max(1)
        # Beyond the ranges of the calibration an output is cut off: that may be, if it is rare.
        if (part := float((apart > most).mean())) > 1 - AGREEMENT:
            raise RunError(
                f"in {quantize} the outputs for {part:.1%} of {len(x):,} pictures differ by more "
                f"than {most:.2g}, and {1 - AGREEMENT:.0%} is the most; {most:.2g} is {STEPS}/255 "
                f"of their spread, {spread:.2g}, for each of {matrices} layers with weights",
                hint="nothing is left of it; --quantize float16 is more exact",
            )
    return {
        "pictures": len(x),
        "difference": difference,
        "agreement": agreement,
        "accuracy": accuracy,
        "accuracy_by_keras": by,
        "milliseconds": _milliseconds(compute, x[:1]),
        "milliseconds_by_keras": _milliseconds(lambda one: np.asarray(by_keras(one)), x[:1]),
    }


def _parts(x: np.ndarray, size: int = 100) -> Iterator[np.ndarray]:
    for start in range(0, len(x), size):
        yield x[start : start + size]


def _milliseconds(compute: Compute, one: np.ndarray) -> float:
    for _ in range(5):
        compute(one)
    found = []
    for _ in range(_TIMED):
        began = time.perf_counter()
        compute(one)
        found.append(time.perf_counter() - began)
    return 1000 * statistics.median(found)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(each.stat().st_size for each in files if each.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
