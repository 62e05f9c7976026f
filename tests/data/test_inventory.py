"""`cnnctl data list`, `fetch` and `info`: the library functions and the commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cnnctl.cli.data import app
from cnnctl.data.inventory import describe, list_datasets
from cnnctl.data.named.sources import SOURCES
from cnnctl.data.open_dataset import open_dataset
from cnnctl.errors import DataError, UsageError
from cnnctl.inference.samples import choose
from data.named.test_published_files import FASHION, write_idx

run = CliRunner().invoke


def test_list_says_where_each_lies(tmp_path: Path) -> None:
    (tmp_path / "cifar10.npz").touch()
    entries = {entry.name: entry for entry in list_datasets(tmp_path)}
    assert list(entries) == ["mnist", "fashion_mnist", "cifar10", "cifar100"]
    assert entries["cifar10"].path == tmp_path / "cifar10.npz"
    assert entries["cifar10"].place == "--data-dir"
    assert entries["mnist"].path is None
    assert (entries["mnist"].train, entries["mnist"].test) == (60_000, 10_000)


def test_list_command(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").touch()
    result = run(app, ["list", "--data-dir", str(tmp_path)])
    assert result.exit_code == 0
    assert "not here: cnnctl data fetch cifar10" in result.stdout
    assert str(tmp_path) in result.stdout
    listed = json.loads(run(app, ["list", "--json", "--data-dir", str(tmp_path)]).stdout)
    assert listed[0]["path"] == str(tmp_path / "mnist.npz")
    assert listed[3]["classes"] == 100


def test_describe_xo_an_archive_and_a_folder(tmp_path: Path) -> None:
    info = describe("xo")
    assert [(split.name, split.count, split.balance) for split in info.splits] == [
        ("train", 1000, (500, 500)),
        ("test", 200, (100, 100)),
    ]
    path = tmp_path / "a.npz"
    np.savez(path, x_train=np.zeros((3, 4, 4), np.uint8), y_train=np.array([2, 0, 2]))
    info = describe(str(path))
    assert info.splits[0].balance == (1, 0, 2)
    assert info.splits[0].shape == (4, 4)
    assert info.pixel_range == (0, 255)
    with pytest.raises(DataError, match="has no images in class folders"):
        describe(str(tmp_path))


def test_info_command(tmp_path: Path) -> None:
    result = run(app, ["info", "xo"])
    assert result.exit_code == 0
    assert "fingerprint" in result.stdout
    assert "9×9×1" in result.stdout
    found = json.loads(run(app, ["info", "xo", "--json"]).stdout)
    assert found["class_names"] == ["x", "o"]
    assert len(found["fingerprint"]) == 64


@pytest.mark.parametrize(
    ("name", "message"), [("minst", "unknown data set `minst`"), ("xo", "is not fetched")]
)
def test_fetch_of_what_has_no_source(name: str, message: str) -> None:
    result = run(app, ["fetch", name])
    assert isinstance(result.exception, UsageError)
    assert message in result.exception.message
    if name == "minst":
        assert "did you mean `mnist`?" in (result.exception.hint or "")


def test_fetch_of_what_is_here_verifies_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES, "fashion_mnist", FASHION)
    write_idx(tmp_path, FASHION)
    result = run(app, ["fetch", "fashion_mnist", "--data-dir", str(tmp_path)])
    assert result.exit_code == 0
    assert (
        "already here; its pictures, labels or their order are not the published" in result.stdout
    )
    answer = json.loads(
        run(app, ["fetch", "fashion_mnist", "--data-dir", str(tmp_path), "--json"]).stdout
    )
    assert answer["downloaded"] is False
    assert answer["published"] is False
    assert len(answer["paths"]) == 4


@pytest.mark.data
def test_real_mnist_is_recognized(real_data: Path) -> None:
    if not (real_data / "mnist.npz").is_file():
        pytest.skip("no mnist.npz in CNNCTL_DATA_DIR")
    result = run(app, ["fetch", "mnist", "--data-dir", str(real_data)])
    assert "it is the published data" in result.stdout


@pytest.mark.parametrize(("x", "y", "words"), [
    (np.full((2, 3, 3), np.nan), np.zeros(2, np.int64), "x_train is not finite"),
    (np.zeros((2, 3, 3)), np.array([0.5, np.inf]), "y_train is not finite"),
    (np.zeros((0, 3, 3)), np.zeros(0, np.int64), "x_train is empty"),
    (np.zeros((3, 3, 3)), np.zeros(2, np.int64), "3 pictures in x_train, 2 labels"),
])  # fmt: skip
def test_what_a_training_refuses_is_not_described(
    tmp_path: Path, x: np.ndarray, y: np.ndarray, words: str
) -> None:
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y)
    with pytest.raises(DataError, match=words):
        describe(str(tmp_path / "a.npz"))


def test_volumes_are_not_drawn(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=np.zeros((2, 3, 4, 5, 1)), y_train=np.zeros(2, np.int64))
    with pytest.raises(UsageError, match="each is 3×4×5×1"):
        choose(open_dataset(str(tmp_path / "a.npz")))


SPEC = """\
data: {dataset: {image_folder: {path: photos}}, validation: 0.25}
model:
  layers:
    - Flatten
    - Dense: {units: 2, activation: softmax}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec beside a folder of two classes, 12 images of each."""
    for name in "ab":
        for number in range(12):
            path = tmp_path / "photos" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (2, 2), (number, 0, 0)).save(path)
    (tmp_path / "net.yaml").write_text(SPEC)
    return tmp_path / "net.yaml"


def test_info_of_a_spec_is_that_of_its_data(spec: Path) -> None:
    result = run(app, ["info", str(spec), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    # One test image of each class; a quarter of the other 22, rounded up, is held out.
    sizes = {split["name"]: split["count"] for split in found["splits"]}
    assert sizes == {"train": 16, "validation": 6, "test": 2}
    alone = json.loads(run(app, ["info", str(spec.parent / "photos"), "--json"]).stdout)
    assert [split["count"] for split in alone["splits"]] == [20, 2, 2]
    changed = run(app, ["info", str(spec), "--json", "--set", "data.validation=0"])
    assert [split["count"] for split in json.loads(changed.stdout)["splits"]] == [20, 2, 2]


def test_info_of_a_run_and_of_a_checkpoint_is_that_of_its_spec(spec: Path) -> None:
    folder = spec.parent / "runs" / "net" / "001"
    (folder / "checkpoints" / "epoch-0001").mkdir(parents=True)
    text = SPEC.replace("path: photos", f"path: {spec.parent / 'photos'}, split: [0.5, 0, 0.5]")
    for place in (folder, folder / "checkpoints" / "epoch-0001"):
        (place / "spec.yaml").write_text(text)
    (folder / "checkpoints" / "epoch-0001" / "manifest.json").write_text("{}")
    for source in (folder, folder.parent, folder / "checkpoints" / "epoch-0001"):
        found = json.loads(run(app, ["info", str(source), "--json"]).stdout)
        assert [split["count"] for split in found["splits"]] == [9, 3, 12], source
    result = run(app, ["info", str(spec.parent / "runs")])
    assert isinstance(result.exception, UsageError)
    assert "is a folder of runs, not a data set" in result.exception.message


def test_info_of_another_thing_says_what_it_is(spec: Path) -> None:
    image = spec.parent / "photos" / "a" / "0.png"
    result = run(app, ["info", str(image)])
    assert isinstance(result.exception, UsageError)
    assert result.exception.message == f"{image} is an image, not a data set"
    result = run(app, ["info", "xo", "--set", "seed=1"])
    assert isinstance(result.exception, UsageError)
    assert "xo is not one" in result.exception.message
    result = run(app, ["fetch", str(image.parent)])
    assert isinstance(result.exception, UsageError)
    assert "is a folder of images, not a named data set" in result.exception.message


def test_info_notes_what_splits_lack(spec: Path) -> None:
    (spec.parent / "photos" / "docs").mkdir()
    result = run(app, ["info", str(spec.parent / "photos")])
    assert "80% training (20), 10% validation (2), 10% test (2)" in result.output
    assert "no training images of class docs" in result.output
    assert "move the folder away if it is not a class" in result.output
