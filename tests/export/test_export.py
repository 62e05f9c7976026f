"""`cnnctl export`: every format by its own runtime here as well, and exports that do not agree."""

import importlib.util
import json
import time
from pathlib import Path

import commands
import numpy as np
import pytest
from conftest import XO

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

import cnnctl.inference.trained  # noqa: E402
from cnnctl.data import load as load_data  # noqa: E402
from cnnctl.errors import RunError, UsageError  # noqa: E402
from cnnctl.export import agreement, writers  # noqa: E402
from cnnctl.export.export import export  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

FORMATS = ["keras", "saved_model", "onnx", "litert"]
AUGMENTED = XO.replace(
    "  layers:\n", "  layers:\n    - RandomTranslation: {height_factor: 0.1, width_factor: 0.1}\n"
).replace("activation: relu", "activation: gelu")
"""A network that augments, with an activation that tf2onnx lacks."""


def needs(name):
    for package in writers._NEEDS.get(name, ()):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    (folder / "tiny.yaml").write_text(AUGMENTED)
    return train(load(folder / "tiny.yaml"), runs_dir=folder / "runs", device="cpu").run.path


def pictures():
    return load_data("xo", {"count": 120, "test_count": 40, "translate": 1}, base=Path()).test


def outputs(name, path, x):
    """What an export computes, as its users would ask it."""
    if name == "keras":
        return keras.models.load_model(path).predict(x, verbose=0)  # our own file
    if name == "saved_model":
        loaded = tf.saved_model.load(str(path))
        return loaded.serve(x).numpy()
    if name == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return session.run(None, {session.get_inputs()[0].name: x})[0]
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    found = []
    for one in x:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], one[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.stack(found)


@pytest.mark.parametrize("pixels", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_computes_the_network(run, tmp_path, name, pixels):
    needs(name)
    out = tmp_path / f"net{writers.SUFFIXES[name]}"
    found = export(run, name, out, pixels=pixels)
    test = pictures()
    normalized = (test.x.astype("float32") - 127.5) / 127.5
    kept = keras.models.load_model(run / "model.keras")
    assert type(kept.layers[0]).__name__ == "RandomTranslation"
    expected = kept.predict(normalized, verbose=0)
    x = test.x.astype("float32") if pixels else normalized
    got = outputs(name, out, x)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert found.difference <= 1e-4
    assert found.pictures == 40
    assert found.agreement == 1.0
    evaluated = json.loads((run / "evaluation.json").read_text())["figures"]["accuracy"]
    assert found.accuracy == found.accuracy_by_keras == pytest.approx(evaluated)
    assert found.takes == ("pixels" if pixels else "normalized")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found.bytes == sum(path.stat().st_size for path in files)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".partial")]


def test_the_time_of_a_prediction_is_in_milliseconds():
    taken = agreement._milliseconds(lambda one: time.sleep(0.002), np.zeros(1))
    assert 2 <= taken < 200


@pytest.mark.parametrize("quantize", ["float16", "int8"])
def test_smaller_weights(run, tmp_path, quantize):
    needs("litert")
    text = XO.replace("filters: 4", "filters: 64").replace("epochs: 3", "epochs: 1")
    (tmp_path / "wide.yaml").write_text(text)
    wide = train(load(tmp_path / "wide.yaml"), runs_dir=tmp_path / "runs", device="cpu").run.path
    plain = export(wide, "litert", tmp_path / "plain.tflite")
    small = export(wide, "litert", tmp_path / "small.tflite", quantize=quantize)
    assert small.bytes < plain.bytes
    assert 0 < small.difference < 0.1
    assert small.agreement >= agreement.AGREEMENT
    np.testing.assert_allclose(
        outputs("litert", tmp_path / "small.tflite",
                (pictures().x.astype("float32") - 127.5) / 127.5).sum(1), 1, atol=0.02)  # fmt: skip


REGRESSION = """
data: {dataset: {npz: {path: numbers.npz}}, label_mode: float, normalize: none}
model:
  input_shape: [6, 6, 1]
  layers: [Conv2D: {filters: 4, kernel_size: 3, activation: relu}, Flatten, Dense: {units: 1}]
compile: {optimizer: adam, loss: mse}
fit: {epochs: 2}
"""


def test_int8_of_a_network_without_classes(tmp_path, monkeypatch):
    needs("litert")
    random = np.random.default_rng(0)
    x = random.random((80, 6, 6, 1)).astype("float32")
    y = 10 + x.mean((1, 2, 3))
    np.savez(tmp_path / "numbers.npz", x_train=x[:60], y_train=y[:60], x_test=x[60:], y_test=y[60:])
    (tmp_path / "net.yaml").write_text(REGRESSION)
    run = train(load(tmp_path / "net.yaml"), runs_dir=tmp_path / "runs", device="cpu").run.path
    found = export(run, "litert", tmp_path / "net.tflite", quantize="int8")
    assert found.agreement is None
    expected = keras.models.load_model(run / "model.keras").predict(x[60:], verbose=0)
    spread = np.ptp(expected)
    apart = abs(outputs("litert", tmp_path / "net.tflite", x[60:]) - expected)
    assert (apart < 4 * spread / 255).mean() >= agreement.AGREEMENT  # two layers with weights
    assert found.difference == pytest.approx(apart.max(), rel=1e-3)
    real = writers.WRITERS["litert"]

    def wrong(model, *rest):
        *others, bias = weights = model.get_weights()
        model.set_weights([*others, bias + spread / 10])
        try:
            real(model, *rest)
        finally:
            model.set_weights(weights)

    monkeypatch.setitem(writers.WRITERS, "litert", wrong)
    with pytest.raises(RunError, match=r"100.0% of 20 pictures differ .* 2 layers"):
        export(run, "litert", tmp_path / "other.tflite", quantize="int8")
    assert not (tmp_path / "other.tflite").exists()


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_that_does_not_agree_leaves_nothing(run, tmp_path, monkeypatch, name):
    """The writer is given another network than the one that is compared."""
    needs(name)
    real = writers.WRITERS[name]

    def wrong(model, *rest):
        weights = model.get_weights()
        model.set_weights([weight + 0.5 for weight in weights])
        try:
            real(model, *rest)
        finally:
            model.set_weights(weights)

    monkeypatch.setitem(writers.WRITERS, name, wrong)
    with pytest.raises(RunError, match="does not agree from Conv2D `conv2d` on: ") as raised:
        export(run, name, tmp_path / f"net{writers.SUFFIXES[name]}")
    (found,) = raised.value.diagnostics
    written = Path(found.location.file).read_text().splitlines()
    assert "Conv2D" in written[found.location.line - 1]
    assert name == "keras" or "--format" in found.hint
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_gives_no_numbers_is_told_from_its_export(run, tmp_path, monkeypatch):
    real = cnnctl.inference.trained.Trained.load

    def broken(*arguments):
        loaded = real(*arguments)
        *others, bias = loaded.model.get_weights()
        loaded.model.set_weights([*others, bias * np.nan])
        return loaded

    monkeypatch.setattr(cnnctl.inference.trained.Trained, "load", broken)
    with pytest.raises(RunError, match="network gives outputs that are not finite for 40 of 40"):
        export(run, "saved_model", tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


def test_a_converter_that_fails_leaves_nothing(run, tmp_path, monkeypatch):
    def fail(model, path, *rest):
        path.write_bytes(b"half")
        raise ValueError("no such operation\nand much more")

    monkeypatch.setitem(writers.WRITERS, "keras", fail)
    with pytest.raises(RunError, match=r"cannot be exported as keras: no such operation$"):
        export(run, "keras", tmp_path / "net.keras")
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused(run, tmp_path, monkeypatch):
    (tmp_path / "there.keras").touch()
    for arguments, words in (
        (("keras", tmp_path / "there.keras"), "is there already"),
        (("keras", tmp_path / "no/where.keras"), "there is no folder"),
        (("pickle", None), "there is no format"),
    ):
        with pytest.raises(UsageError, match=words):
            export(run, *arguments)
    with pytest.raises(UsageError, match="for litert"):
        export(run, "onnx", quantize="int8")
    monkeypatch.setattr(writers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="onnx needs onnx, tf2onnx, onnxruntime") as raised:
        export(run, "onnx")
    assert "cnnctl[export]" in raised.value.hint


def test_the_command(run):
    done = commands.run("export", run, "--format", "keras", "--json", capture_output=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["path"] == str(run / "exports/tiny.keras")
    again = commands.run("export", run, "--format", "keras", capture_output=True)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert done.stderr == ""
