"""A spec whose input shape only the data tells goes through the same rules as one that says it."""

import os

import numpy as np
import pytest
from PIL import Image

from cnnctl.data.preparation import prepare
from cnnctl.data.static_checks import stored_shape
from cnnctl.errors import Location, SpecError
from cnnctl.preflight import check
from cnnctl.specs import Component, load

SPEC = """\
data: {dataset: {npz: {path: a.npz}}}
model:
  layers:
    - Flatten
    - Dense: {units: 3, activation: softmax}
compile: {optimizer: adam, loss: sparse_categorical_crossentropy, metrics: [accuracy]}
"""
SHAPE = "model.input_shape=[4, 6, 3]"
HELD = {
    "metric": ["compile.metrics=[CategoricalAccuracy, Precision, accuracy]"],
    "loss": ["compile.loss=mse"],
    "one output": ["model.layers.Dense.units=1"],
    "rank": ["model.layers=[{Dense: {units: 3, activation: softmax}}]"],
    "shapes": ["model.layers=[{Conv2D: {filters: 2, kernel_size: 9}}, Flatten, {Dense: {units: 3, "
               "activation: softmax}}]"],
    "several": ["compile.metrics=[CategoricalAccuracy]", "compile.loss=mse"],
    "values": ["model.layers.Dense.bias_initializer={Values: {values: [1, 2]}}"],
}  # fmt: skip


def rules(call, *arguments, **options):
    with pytest.raises(SpecError) as raised:
        call(*arguments, **options)
    return [(each.rule, str(each.location)) for each in raised.value.diagnostics]


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    np.savez("a.npz", x_train=generator.integers(0, 256, (9, 4, 6, 3), np.uint8),
             y_train=np.arange(9) % 3)  # fmt: skip
    (tmp_path / "a.yaml").write_text(SPEC)
    return tmp_path / "a.yaml"


@pytest.mark.parametrize("name", HELD)
def test_the_rules_are_those_of_a_spec_with_its_shape(name, spec):
    expected = rules(check, spec, [*HELD[name], SHAPE])
    assert rules(check, spec, HELD[name]) == expected  # by the header of the file
    assert rules(prepare, load(spec, HELD[name])) == expected  # once the data is read


def test_all_that_is_known_by_then_is_told_at_once(spec):
    folder = Component("dataset", "image_folder", {"path": "f"}, Location("a.yaml"))
    images(spec.parent / "f/train/a", spec.parent / "f/train/b")
    overrides = ["data.dataset={image_folder: {path: f}}", "fit.callbacks=[EarlyStopping]",
                 "compile.metrics=[Precision]"]  # fmt: skip
    assert stored_shape(folder) == (4, 6, 3)
    told = rules(prepare, load(spec, overrides), training=True)
    assert [rule for rule, _ in told] == ["class-count", "unknown-monitor", "label-mode"]
    told = rules(prepare, load(spec, overrides))
    assert [rule for rule, _ in told] == ["class-count", "label-mode"]


def test_a_metric_that_a_validation_split_in_the_file_would_hide(spec):
    x, y = np.zeros((9, 4, 6, 3), np.uint8), np.arange(9) % 3
    np.savez("a.npz", x_train=x, y_train=y, x_val=x, y_val=y)
    hidden = ["compile.metrics=[{SparseCategoricalAccuracy: {name: val_loss}}]"]
    assert "metric-name" in [rule for rule, _ in rules(prepare, load(spec, hidden), training=True)]


def test_numeric_targets_that_are_taken_for_classes(spec):
    changes = ["data.label_mode=float", "compile.loss=mse", "model.layers.Dense.units=1",
               "model.layers.Dense.activation=linear",
               "compile.metrics=[accuracy, AUC, mae]"]  # fmt: skip
    assert rules(prepare, load(spec, changes)) == [
        ("metric-misfit", "--set compile.metrics=[accuracy, AUC, mae]:1:24"),
        ("metric-misfit", "--set compile.metrics=[accuracy, AUC, mae]:1:34"),
    ]
    np.savez("a.npz", x_train=np.zeros((9, 4, 6, 3), np.uint8), y_train=np.arange(9) % 2)
    assert prepare(load(spec, changes)).classes == 0


def test_targets_are_judged_once_they_are_read(spec):
    """Real numbers for equality and class ids; rows of several ones for the largest of them."""
    changes = ["data.label_mode=float", "compile.loss=mse",
               "model.layers=[Flatten, {Dense: {units: 1}}]",
               "compile.metrics=[Accuracy, {MeanIoU: {num_classes: 2}}, mae]"]  # fmt: skip
    x = np.zeros((9, 4, 6, 3), np.uint8)
    np.savez("a.npz", x_train=x, y_train=np.linspace(0, 1, 9))
    found = rules(prepare, load(spec, changes))
    assert [rule for rule, _ in found] == ["metric-misfit"] * 2
    prepare(load(spec, changes), recorded=True)  # a run of before stays readable
    changes = ["data.label_mode=float", "compile.loss=binary_crossentropy",
               "model.layers=[Flatten, {Dense: {units: 3, activation: sigmoid}}]"]  # fmt: skip
    several = np.eye(3, dtype=np.float32)[np.arange(9) % 3]
    several[0] = (1, 1, 0)
    np.savez("a.npz", x_train=x, y_train=several)
    assert [rule for rule, _ in rules(prepare, load(spec, changes))] == ["metric-misfit"]
    prepare(load(spec, [*changes, "compile.metrics=[binary_accuracy]"]))
    np.savez("a.npz", x_train=x, y_train=np.eye(3)[np.arange(9) % 3])
    assert not told(prepare(load(spec, changes), training=True))
    binary = load(spec, [*changes, "compile.metrics=[binary_accuracy]"])
    assert told(prepare(binary, training=True))


@pytest.mark.parametrize(("rows", "noted"), [
    ([[0.2, 0.9, -3.0], [4, 5, 6]], True),  # coordinates, say
    ([[3, 9, 1], [4, 5, 6]], True),  # counts
    ([[0.2, 0.5, 0.3], [0.9, 0.1, 0]], False),  # how sure labels are
    ([[0, 1, 0], [1, 0, 0]], False),
])  # fmt: skip
def test_accuracy_of_rows_of_numbers_is_noted(rows, noted, spec):
    np.savez("a.npz", x_train=np.zeros((2, 4, 6, 3), np.uint8), y_train=np.array(rows))
    changes = ["data.label_mode=float", "compile.loss=mse",
               "model.layers=[Flatten, {Dense: {units: 3}}]"]  # fmt: skip
    assert bool(told(prepare(load(spec, changes), training=True), "`mae`")) == noted


def told(prepared, words="categorical_accuracy"):
    return [each for each in prepared.dataset.notes if words in each]


def images(*folders, size=(6, 4), suffix=".png", **options):
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (9, 8, 7)).save(folder / f"0{suffix}", **options)


def dataset(name, **arguments):
    return Component("dataset", name, arguments, Location("a.yaml"))


def test_the_shape_of_an_image_is_read_from_its_header(tmp_path):
    images(tmp_path / "flat/red", tmp_path / "split/train/red/day")
    for path in ("flat", "split"):
        assert stored_shape(dataset("image_folder", path=path), tmp_path) == (4, 6, 3)
        grey = dataset("image_folder", path=path, color_mode="grayscale")
        assert stored_shape(grey, tmp_path) == (4, 6, 1)
    turned = Image.Exif()
    turned[0x0112] = 6
    images(tmp_path / "turned/red", suffix=".jpg", exif=turned)
    assert stored_shape(dataset("image_folder", path="turned"), tmp_path) == (6, 4, 3)
    flat = dataset("image_folder", path="flat")
    spec = tmp_path / "b.yaml"
    spec.write_text(SPEC.replace("{npz: {path: a.npz}}", "{image_folder: {path: flat}}"))
    assert check(spec).trace.input_shape == stored_shape(flat, tmp_path)
    found = rules(check, spec, ["model.input_shape=[6, 4, 3]"])
    assert [rule for rule, _ in found] == ["input-shape"]


def test_where_no_file_tells_the_shape_check_leaves_it_to_the_training(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train/0.png").write_bytes(b"no image")
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 no archive")
    np.savez(tmp_path / "c.npz", y_train=np.arange(3))
    os.mkfifo(tmp_path / "pipe")
    for path in ("b.npz", "c.npz", "pipe", "nowhere", "train", "~nobody-at-all/x"):
        assert stored_shape(dataset("npz", path=path), tmp_path) is None
    for path in (".", "train", "b.npz", "nowhere", "pipe"):
        assert stored_shape(dataset("image_folder", path=path), tmp_path) is None
    np.savez(tmp_path / "d.npz", x_train=np.zeros((3, 2, 5), np.float32), y_train=np.arange(3))
    assert stored_shape(dataset("npz", path="d.npz"), tmp_path) == (2, 5)
