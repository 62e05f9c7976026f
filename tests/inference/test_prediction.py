"""`predict` and `plot` from a real run, against Keras and by hand."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import commands
import numpy as np
import pytest
from conftest import XO
from data.images.test_bit_depth import png16
from PIL import Image

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.data import load as load_data  # noqa: E402
from cnnctl.errors import DataError, UsageError  # noqa: E402
from cnnctl.inference.find_trained import find  # noqa: E402
from cnnctl.inference.images import Incoming  # noqa: E402
from cnnctl.inference.prediction import _folders, predict, predict_split  # noqa: E402
from cnnctl.inference.predictions import Predictions  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

DATA = {"count": 120, "test_count": 40, "translate": 1}


def images():
    return load_data("xo", DATA, base=Path()).test


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predicted")
    shutil.copytree(finished, folder, symlinks=True, dirs_exist_ok=True)
    return folder / "runs/tiny/001"


def by_keras(run, x):
    model = keras.models.load_model(run / "model.keras")  # our own file
    return model.predict((x.astype("float32") - 127.5) / 127.5, verbose=0)


def test_a_split_is_predicted_as_keras_does(run):
    test = images()
    found = predict_split(run)
    np.testing.assert_allclose(found.outputs, by_keras(run, test.x), atol=1e-6)
    assert found.class_names == ("x", "o")
    assert found.are_probabilities
    np.testing.assert_array_equal(found.truth, test.y)
    evaluated = json.loads((run / "evaluation.json").read_text())["figures"]["accuracy"]
    assert found.accuracy == pytest.approx(evaluated)


def test_files_are_predicted_as_the_same_pictures(run, tmp_path):
    test = images()
    for index in range(6):
        name = ("x", "o")[test.y[index]]
        (tmp_path / "files" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(test.x[index, ..., 0]).save(tmp_path / f"files/{name}/{index}.png")
    np.save(tmp_path / "all.npy", test.x)
    whole = predict(run, [str(tmp_path / "all.npy")])
    np.testing.assert_allclose(whole.outputs, by_keras(run, test.x), atol=1e-6)
    found = predict(run, [str(tmp_path / "files")])
    numbers = [int(Path(name).stem) for name in found.names]
    np.testing.assert_allclose(found.outputs, whole.outputs[numbers], atol=1e-6)
    np.testing.assert_array_equal(found.truth, test.y[numbers])
    assert set(found.steps) == {()}
    drawn = predict(run, [str(tmp_path / "files/x")]).truth
    assert (drawn == 0).all()


def test_files_have_the_pixels_of_training(tmp_path):
    """A network of floats from 0 to 1 that come without a normalization."""
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (16, 9, 9, 1), np.uint8), np.arange(16) % 2
    floats = x.astype(np.float32) / 255
    np.savez(tmp_path / "own.npz", x_train=floats, y_train=y)
    text = XO[: XO.index("data:")] + "data:\n  dataset: {npz: {path: own.npz}}\n  normalize: none\n"
    (tmp_path / "own.yaml").write_text(text + XO[XO.index("model:") :])
    run = train(load(tmp_path / "own.yaml", ["fit.epochs=1"]), runs_dir=tmp_path, device="cpu").run
    recorded = json.loads((run.path / "environment.json").read_text())["data"]["pixels"]
    assert recorded == {"dtype": "float32", "least": floats.min(), "most": 1.0}
    Image.fromarray(x[3, ..., 0]).save(tmp_path / "3.png")
    found = predict(run.path, [str(tmp_path / "3.png")])
    own = predict_split(run.path, "train").outputs[3:4]
    np.testing.assert_allclose(found.outputs, own, atol=1e-6)
    given = predict(run.path / "model.keras", [str(tmp_path / "3.png")],
                    spec=load(tmp_path / "own.yaml"))  # fmt: skip
    np.testing.assert_allclose(given.outputs, own, atol=1e-6)


def test_class_names_of_the_folder_that_a_spec_names(run, tmp_path):
    shutil.copy(run / "model.keras", tmp_path)
    for name in ("round", "crossed"):
        (tmp_path / "pictures/train" / name).mkdir(parents=True)
        Image.new("L", (9, 9)).save(tmp_path / "pictures/train" / name / "1.png")
    text = XO.replace(XO.split("\n")[2], "  dataset: {image_folder: {path: pictures}}")
    (tmp_path / "own.yaml").write_text(text)
    files = [str(tmp_path / "pictures/train")]
    found = predict(tmp_path / "model.keras", files, spec=load(tmp_path / "own.yaml"))
    assert found.class_names == ("crossed", "round")
    assert found.truth.tolist() == [0, 1]


def test_another_spec_keeps_the_normalization_of_the_run(run, tmp_path):
    """The weights were learnt with it, whatever the other pictures' mean is."""
    folder = tmp_path / "runs/tiny/001"
    shutil.copytree(run, folder)
    environment = json.loads((folder / "environment.json").read_text())
    recorded = {"kind": "standard", "subtract": [90.0], "divide": [70.0]}
    (folder / "environment.json").write_text(json.dumps({**environment, "normalization": recorded}))
    for normalize, subtract in (("standard", (90.0,)), ("signed", None)):
        (tmp_path / "other.yaml").write_text(XO.replace("signed", normalize))
        found = find(folder, spec=load(tmp_path / "other.yaml"))
        assert (found.normalization and found.normalization.subtract) == subtract
        assert any("as recorded in" in note for note in found.notes) == bool(subtract)


def test_the_worst_mistakes():
    outputs = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.99, 0.01], [0.3, 0.7]])
    truth = np.array([0, 0, 1, 1, 1])
    found = Predictions(tuple("abcde"), np.zeros((5, 2, 2, 1)), outputs, ("x", "o"), True, truth)
    assert found.worst(9) == [3, 1, 2]
    assert found.worst(2) == [3, 1]
    assert found.some([3, 1]).names == ("d", "b")
    assert found.accuracy == pytest.approx(2 / 5)
    assert found.top(1, 2) == [("o", 0.8), ("x", 0.2)]
    with pytest.raises(UsageError):
        Predictions(("a",), np.zeros((1, 2, 2, 1)), outputs[:1], ("x", "o"), True).worst(1)


@pytest.mark.parametrize(("last", "loss", "label_mode"), [
    ("Dense: {units: 2}", "{SparseCategoricalCrossentropy: {from_logits: true}}", "int"),
    ("Dense: {units: 1}", "{BinaryCrossentropy: {from_logits: true}}", "int"),
    ("Dense: {units: 1, activation: sigmoid}", "binary_crossentropy", "int"),
    ("Dense: {units: 2, activation: sigmoid}", "mse", "categorical"),
    ("Dense: {units: 1, activation: tanh}", "hinge", "int"),
])  # fmt: skip
def test_outputs_become_classes(tmp_path, last, loss, label_mode):
    text = XO.replace("Dense: {units: 2, activation: softmax}", last)
    text = text.replace("loss: sparse_categorical_crossentropy", f"loss: {loss}")
    text = text.replace("  validation: 20\n", f"  validation: 20\n  label_mode: {label_mode}\n")
    text = text.replace("epochs: 3", "epochs: 1")
    if "Binary" in loss or loss == "hinge":
        text = text.replace("[accuracy]", "[BinaryAccuracy: {threshold: 0, name: accuracy}]")
    (tmp_path / "s.yaml").write_text(text)
    result = train(load(tmp_path / "s.yaml"), runs_dir=tmp_path / "runs", device="cpu")
    found = predict_split(result.run.path)
    own = by_keras(result.run.path, images().x).astype("float64")
    if "from_logits" in loss:
        own = 1 / (1 + np.exp(-own)) if own.shape[1] == 1 else (
            np.exp(own) / np.exp(own).sum(1, keepdims=True))  # fmt: skip
        assert any("logits" in note for note in found.notes)
    if own.shape[1] == 1:
        own = np.concatenate([-own if loss == "hinge" else 1 - own, own], 1)
    np.testing.assert_allclose(found.outputs, own, atol=1e-5)
    assert found.are_probabilities == (loss not in {"mse", "hinge"})
    assert result.evaluation is not None
    assert found.accuracy == pytest.approx(result.evaluation.figures["accuracy"])


def call(*arguments, stdin=None):
    return commands.run(*arguments, input=stdin, text=False, capture_output=True)


def test_the_command(run, tmp_path):
    test = images()
    for index in range(2):
        Image.fromarray(255 - test.x[index, ..., 0]).save(tmp_path / f"{index}.png")
    done = call("predict", run, tmp_path / "0.png", tmp_path / "1.png")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "0.png" in text
    assert "inverted, since the network knows light on dark" in text
    assert "probability" in text
    found = json.loads(call("predict", run, tmp_path / "0.png", "--json").stdout)
    (entry,) = found["pictures"]
    expected = by_keras(run, test.x[:1])[0]
    assert [each["class"] for each in entry["top"]] == [
        ("x", "o")[number] for number in np.argsort(-expected)
    ]
    assert entry["top"][0]["value"] == pytest.approx(expected.max(), abs=1e-5)
    file = (tmp_path / "1.png").read_bytes()
    piped = json.loads(call("predict", run, "-", "--json", stdin=file).stdout)
    assert piped["pictures"][0]["picture"] == "standard input"


def test_the_command_over_the_data_set(run, tmp_path):
    done = call("predict", run, "--count", "7", "--csv", "--plot", tmp_path / "grid.svg")
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO(done.stdout.decode())))
    assert rows[0] == ["picture", "class", "value", "true", "x", "o"]
    assert len(rows) == 8
    expected = by_keras(run, images().x)
    for row in rows[1:]:
        np.testing.assert_allclose([float(v) for v in row[4:]], expected[int(row[0])], atol=1e-5)
    svg = (tmp_path / "grid.svg").read_text()
    assert svg.count("<image") == 7
    assert b"40 pictures of xo, test" in done.stderr
    worst = call("predict", run, "--worst", "--json")
    mistakes = (expected.argmax(1) != images().y).sum()
    assert len(json.loads(worst.stdout)["pictures"]) == mistakes


def test_damaged_files_do_not_keep_others_from_being_predicted(run, tmp_path):
    test = images()
    Image.fromarray(test.x[0, ..., 0]).save(tmp_path / "1.png")
    (tmp_path / "0.png").write_bytes(b"")
    (tmp_path / "2.jpg").write_text("<html>")
    np.save(tmp_path / "3.npy", test.x[:2])
    names = [str(tmp_path / name) for name in ("0.png", "1.png", "2.jpg", "3.npy")]
    done = call("predict", run, *names, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [each["picture"] for each in found["pictures"]] == [
        names[1], f"{names[3]}[0]", f"{names[3]}[1]"
    ]  # fmt: skip
    assert [each["picture"] for each in found["failed"]] == [names[0], names[2]]
    assert "HTML" in found["failed"][1]["error"]
    shown = done.stderr.decode()
    assert "error: 2 files could not be read" in shown
    assert f"cannot read the image {names[0]}: the file is empty" in shown
    same = predict(run, names)
    np.testing.assert_allclose(same.outputs, by_keras(run, test.x[[0, 0, 1]]), atol=1e-6)
    assert [each.name for each in same.failures] == [names[0], names[2]]
    with pytest.raises(DataError, match=r"0\.png: the file is empty"):
        predict(run, names[:1])
    with pytest.raises(DataError, match=r"2 files could not be read, first .*0\.png"):
        predict(run, [names[0], names[2]])


def test_16_bits_from_training_to_prediction_and_damaged_images_are_recorded(tmp_path):
    """Classes that differ in their low bytes only: 8 bits per channel would not tell them."""
    random = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for label, low in (("dark", 0), ("light", 200)):
            (tmp_path / "deep" / split / label).mkdir(parents=True)
            for number in range(count):
                x = 40 * 256 + low + random.integers(0, 50, (4, 4, 3))
                path = tmp_path / "deep" / split / label / f"{number}.png"
                path.write_bytes(png16(x.astype(np.uint16), filters=False))
    broken = tmp_path / "deep/train/dark/7.png"
    broken.write_bytes(b"<html>")
    (tmp_path / "a.yaml").write_text("""
data: {dataset: {image_folder: {path: deep, on_error: skip}}, normalize: standard}
model: {layers: [Flatten, {Dense: {units: 2, activation: softmax}}]}
compile:
  optimizer: {SGD: {learning_rate: 0.1}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
fit: {batch_size: 8, epochs: 4}
seed: 1
""")
    run = train(load(tmp_path / "a.yaml"), runs_dir=tmp_path / "runs", device="cpu").run.path
    recorded = json.loads((run / "environment.json").read_text())["data"]
    assert recorded["images"] == {"train": 23, "test": 8}
    assert recorded["pixels"] == {"dtype": "uint16", "least": 0, "most": 65535}
    reason = "it is an HTML or XML page"
    assert recorded["skipped"] == [{"file": str(broken), "reason": reason}]
    split = predict_split(run)
    assert split.accuracy == 1
    found = predict(run, [str(tmp_path / "deep/test")])
    assert found.accuracy == 1
    assert set(found.steps) == {()}
    np.testing.assert_allclose(sorted(found.outputs[:, 0]), sorted(split.outputs[:, 0]), rtol=1e-5)


@pytest.mark.parametrize(("arguments", "words"), [
    (["none.png"], "there is no file none.png"),
    (["--json", "--csv"], "give one of them"),
    (["--plot", "grid.gif"], "written as .png or .svg"),
    (["--plot", "nowhere/grid.png"], "there is no folder nowhere"),
    (["--invert"], "are for files"),
    (["a.png", "--worst"], "leave the files away"),
    (["--checkpoint", "epoch-9999"], "epoch-9999"),
    (["-"], "nothing came"),
])  # fmt: skip
def test_wrong_arguments(run, arguments, words):
    done = call("predict", run, *arguments, stdin=b"")
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_run_is_drawn_whole(run):
    done = call("plot", run, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["plots"]) == {
        "architecture", "curves", "confusion", "calibration", "filters", "features", "saliency",
        "excitation", "histograms",
    }  # fmt: skip
    for path in map(Path, found["plots"].values()):
        assert path.parent == run / "plots"
        with Image.open(path) as image:
            assert np.asarray(image.convert("L")).std() > 5, path
    before = {path: Path(path).read_bytes() for path in found["plots"].values()}
    assert call("plot", run).returncode == 0
    assert before == {path: Path(path).read_bytes() for path in before}


def test_a_run_without_a_checkpoint_still_has_curves(run, tmp_path):
    shutil.copytree(run, tmp_path / "run", symlinks=True)
    shutil.rmtree(tmp_path / "run/checkpoints")
    (tmp_path / "run/checkpoints").mkdir()
    found = json.loads(call("plot", tmp_path / "run", "--json").stdout)
    assert set(found["plots"]) == {"architecture", "curves"}
    assert "no checkpoint" in found["left_out"]["filters"]


@pytest.mark.parametrize(("arguments", "words"), [
    (["histogram"], "there is no figure `histogram`"),
    (["filters", "--layer", "dense"], "is no convolution"),
    (["filters", "--layer", "nothing"], "no layer `nothing`"),
    (["curves", "confusion", "--out", "one.png"], "name the one figure"),
    (["features", "--picture", "4000"], "there is no picture 4000"),
    (["features", "--picture", "none.png"], "there is no file"),
])  # fmt: skip
def test_wrong_figures(run, arguments, words):
    done = call("plot", run, *arguments)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_spec_is_drawn_without_tensorflow(tmp_path):
    (tmp_path / "tiny.yaml").write_text(XO)
    script = (
        "import sys; from cnnctl.cli.app import app\n"
        "try: app(['plot', 'tiny.yaml', '--out', 'a.svg'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True,
                          timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ">tiny: 114 parameters<" in (tmp_path / "a.svg").read_text()
    refused = call("plot", tmp_path / "tiny.yaml", "curves")
    assert refused.returncode == 2
    assert b"only its architecture" in refused.stderr


def test_layers_that_change_pictures_are_found_in_any_network():
    from conftest import CONFIGS

    from cnnctl.inference.samples import leading

    found = [layer.component.name for layer in leading(load(CONFIGS / "cifar10_resnet.yaml"))]
    assert found == ["RandomFlip", "RandomTranslation"]
    assert leading(load(CONFIGS / "mnist.yaml")) == []


def test_data_show(tmp_path, run):
    done = call("data", "show", "xo", "--count", "5", "--out", tmp_path / "xo.png", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["indices"]) == 5
    assert sum(found["balance"]) == found["pictures"]
    text = XO.replace("    - Conv2D", "    - RandomFlip: {mode: horizontal}\n    - Conv2D", 1)
    (tmp_path / "flip.yaml").write_text(text)
    done = call("data", "show", tmp_path / "flip.yaml", "--out", tmp_path / "flip.svg")
    assert done.returncode == 0, done.stderr
    assert b"normalize: signed" in done.stdout
    assert b"RandomFlip" in done.stdout
    assert (tmp_path / "flip.svg").read_text().count("<image") == 2 * 36
    wrong = call("data", "show", "xo", "--split", "validation")
    assert wrong.returncode == 1
    assert b"has no validation split" in wrong.stderr


def test_the_true_class_is_the_innermost_folder_that_is_named_like_one():
    def truth(*folders):
        images = [Incoming("a", np.zeros((1, 1)), (), folder) for folder in folders]
        found = _folders(images, ("caf\u00e9", "dog", "fox"))
        return None if found is None else found.tolist()

    assert truth("test/dog", "test/fox/day", "dog/fox") == [1, 2, 2]
    assert truth("test/cafe\u0301") == [0]  # as in a zip file from a Mac
    assert truth("test/dog", "test/other") is None
    assert truth("test/dog", None) is None
