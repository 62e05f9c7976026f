"""Hostile data sets are refused: at once, without memory taken for them, and nothing is run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnctl.startup import quiet

quiet()

import cnnctl.data  # noqa: E402
from reliability import hostile_data  # noqa: E402
from reliability.watch import Reading, at_most, command, listing, refused  # noqa: E402

NET = """\
name: net
data:
  dataset: {DATASET}
  normalize: none
model:
  input_shape: {SHAPE}
  layers: [Flatten, {Dense: {units: 10, activation: softmax}}]
compile:
  optimizer: adam
  loss: sparse_categorical_crossentropy
"""


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    """No data anywhere, and no way to get any."""
    monkeypatch.delenv("CNNCTL_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("cnnctl.data.named.places.SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setattr(
        "urllib.request.build_opener", lambda *a: pytest.fail("something was fetched")
    )
    with at_most(600):
        yield


@pytest.fixture
def train(tmp_path, capsys, monkeypatch):
    """Train on a data set; what came of it, and how its reading went."""
    (tmp_path / "outside").mkdir()
    reading = Reading()
    reading.wrap(monkeypatch, "cnnctl.data.load")

    def run(dataset, name, *options):
        spec = tmp_path / "net.yaml"
        shape = "[32, 32, 3]" if dataset == "cifar10" else "[9, 9, 1]"
        spec.write_text(NET.replace("{DATASET}", dataset).replace("{SHAPE}", shape))
        before = listing(tmp_path)
        outcome = command(capsys, "train", spec, "--runs-dir", tmp_path / "runs", *options)
        refused(outcome, name, reading)
        assert reading.calls == ["load"]
        assert listing(tmp_path) == before
        assert not Path("/tmp/cnnctl-hostile.npy").exists()

    return run


@pytest.mark.parametrize("name", hostile_data.NPZ)
def test_an_npz_file(tmp_path, train, name):
    path = tmp_path / "hostile.npz"
    hostile_data.NPZ[name](path)
    train("{npz: {path: hostile.npz}}", path)


def test_the_objects_would_have_run_code(tmp_path):
    (tmp_path / "outside").mkdir()
    hostile_data.NPZ["Python's objects"](tmp_path / "hostile.npz")
    with np.load(tmp_path / "hostile.npz", allow_pickle=True) as file:
        file["x_train"]
    assert (tmp_path / "outside/canary").exists()


@pytest.mark.parametrize("name", hostile_data.IMAGES)
def test_a_folder_of_pictures(tmp_path, train, name):
    folder = tmp_path / "pictures/train"
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
    Image.new("L", (9, 9)).save(folder / "a/sound.png")
    path = folder / "b/hostile.png"
    hostile_data.IMAGES[name](path)
    told = path.parent
    if name in ("a device", "a pipe", "a folder", "a link to nothing"):  # none of the class's files
        told = "no training images of class b"
    train("{image_folder: {path: pictures, color_mode: grayscale}}", told)


def test_sound_pictures_behind_a_link_are_read(tmp_path):
    """People gather data with links; what is behind them is decoded as a picture and no more."""
    for label in ("a", "b"):
        (tmp_path / "pictures/train" / label).mkdir(parents=True)
        Image.new("L", (9, 9)).save(tmp_path / f"{label}.png")
        (tmp_path / f"pictures/train/{label}/0.png").symlink_to(tmp_path / f"{label}.png")
    data = cnnctl.data.load("image_folder", {"path": "pictures"}, base=tmp_path)
    assert data.train.x.shape == (2, 9, 9, 3)


@pytest.mark.parametrize("name", hostile_data.ARCHIVES)
def test_an_archive(tmp_path, train, name):
    path = tmp_path / "data/cifar-10-binary.tar.gz"
    path.parent.mkdir()
    hostile_data.ARCHIVES[name](path)
    train("cifar10", path, "--data-dir", path.parent)
