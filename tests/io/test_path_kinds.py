"""What paths are, and what commands say of those that they do not take."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnctl.data.npz import load_npz
from cnnctl.errors import CnnctlError, DataError, UsageError
from cnnctl.inference.find_trained import find
from cnnctl.io.path_kinds import WORDS, kind_of, refuse_other
from cnnctl.preflight import specs_in
from cnnctl.runs.find import find_run, newest_run
from cnnctl.specs import load


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One path of each kind."""
    root = tmp_path_factory.mktemp("things")
    (root / "a.yaml").write_text("model: {layers: [Flatten]}\n")
    for suffix in ("png", "jpg", "gif", "bmp", "webp", "tiff"):
        Image.new("RGB", (2, 2)).save(root / f"a.{suffix}")
    np.save(root / "a.npy", np.zeros(3))
    np.savez(root / "a.npz", x=np.zeros(3))
    with zipfile.ZipFile(root / "a.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    (root / "a.keras").write_bytes((root / "a.zip").read_bytes())
    with tarfile.open(root / "a.tar", "w") as archive, (root / "a.yaml").open("rb") as file:
        archive.addfile(archive.gettarinfo(fileobj=file), file)
    (root / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(8))
    for name in ("a.py", "a.csv", "a.txt", "a.ipynb", "a.json"):
        (root / name).write_text("1\n")
    (root / "a.onnx").write_bytes(b"\x08\x08")
    run = root / "runs" / "x" / "001"
    (run / "checkpoints" / "epoch-0001").mkdir(parents=True)
    for folder in (run, run / "checkpoints" / "epoch-0001"):
        (folder / "spec.yaml").write_text("name: x\n")
    (run / "checkpoints" / "epoch-0001" / "manifest.json").write_text("{}")
    (root / "photos" / "train" / "cat").mkdir(parents=True)
    Image.new("RGB", (2, 2)).save(root / "photos" / "train" / "cat" / "1.png")
    (root / "specs").mkdir()
    (root / "specs" / "a.yaml").touch()
    (root / "nothing").mkdir()
    (root / "bytes.bin").write_bytes(bytes(range(256)))
    return {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*"))}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.yaml", "spec"),
        *((f"a.{suffix}", "image") for suffix in ("png", "jpg", "gif", "bmp", "webp", "tiff")),
        ("a.npy", "array"),
        ("a.npz", "arrays"),
        ("a.zip", "archive"),
        ("a.tar", "archive"),
        ("a.keras", "model"),
        ("a.h5", "weights"),
        ("a.py", "python"),
        ("a.csv", "table"),
        ("a.txt", "text"),
        ("a.ipynb", "notebook"),
        ("a.json", "JSON"),
        ("a.onnx", "exported"),
        ("runs/x/001", "run"),
        ("runs/x", "runs"),
        ("runs", "runs"),
        ("runs/x/001/checkpoints/epoch-0001", "checkpoint"),
        ("photos", "images"),
        ("specs", "specs"),
        ("nothing", "empty"),
        ("bytes.bin", None),
    ],
)
def test_kinds(things: dict[str, Path], name: str, kind: str | None) -> None:
    assert kind_of(things[name]) == kind
    assert kind is None or kind in WORDS


def test_what_is_not_there_and_what_cannot_be_read_has_no_kind(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "nowhere") is None
    os.mkfifo(tmp_path / "pipe")
    assert kind_of(tmp_path / "pipe") is None


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("a.png", "is an image, not a spec", "cnnctl predict RUN"),
        ("a.npz", "is an .npz file of arrays, not a spec", "dataset: {npz: {path: "),
        ("photos", "is a folder of images, not a spec", "dataset: {image_folder: {path: "),
        ("runs/x/001", "is a run folder, not a spec", "cnnctl resume"),
        ("a.keras", "is a Keras model, not a spec", "cnnctl evaluate"),
        ("a.zip", "is an archive, not a spec", "unpack it"),
        ("a.py", "is a Python file, not a spec", "--plugin"),
        ("nothing", "is an empty folder, not a spec", "cnnctl new"),
    ],
)
def test_another_thing_than_a_spec(
    things: dict[str, Path], name: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(things[name])
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("a.yaml", "is a spec, not a run folder", "train it first: cnnctl train"),
        ("a.png", "is an image, not a run folder", "cnnctl predict RUN"),
        ("a.npz", "is an .npz file of arrays, not a run folder", "cnnctl data info"),
        ("photos", "is a folder of images, not a run folder", "cnnctl data info"),
        ("runs", "is a folder of runs, not a run folder", "x/001"),
    ],
)
def test_another_thing_than_a_run(
    things: dict[str, Path], name: str, message: str, hint: str
) -> None:
    for command in (find_run, find):
        with pytest.raises(UsageError) as caught:
            command(things[name])
        assert message in caught.value.message
        assert hint in (caught.value.hint or "")


def test_a_folder_without_a_spec(things: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="is a folder of images, not a spec") as caught:
        specs_in(things["photos"])
    assert "cnnctl data info" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="is an empty folder, not a spec"):
        specs_in(things["nothing"])
    assert specs_in(things["specs"]) == [things["specs/a.yaml"]]
    root = things["specs"].parent
    # The specs of a run and of its checkpoints are copies.
    assert specs_in(root) == [things["a.yaml"], things["specs/a.yaml"]]


def test_the_name_of_a_shipped_spec_is_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no such run: mnist") as caught:
        find("mnist")
    assert "cnnctl train mnist" in (caught.value.hint or "")
    (tmp_path / "runs" / "mnist").mkdir(parents=True)
    with pytest.raises(UsageError, match="no such run: mnist") as caught:
        newest_run("mnist")
    assert "its runs are in runs/mnist" in (caught.value.hint or "")


def test_a_checkpoint_is_told_from_its_run(things: dict[str, Path]) -> None:
    path = things["runs/x/001/checkpoints/epoch-0001"]
    with pytest.raises(UsageError) as caught:
        refuse_other(path, "run folder")
    assert caught.value.hint == f"name its run: {things['runs/x/001']}"


def test_another_thing_than_arrays(things: dict[str, Path]) -> None:
    with pytest.raises(DataError, match=r"is an image, not an \.npz file"):
        load_npz(things["a.png"])


def test_advice_destroys_nothing(things: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("x = 1")
    with pytest.raises(DataError) as damaged:
        load_npz(tmp_path / "a.npz")
    errors: list[CnnctlError] = [damaged.value]
    for path in things.values():
        for wanted in ("spec", "run folder", "data set"):
            try:
                refuse_other(path, wanted)
            except UsageError as error:
                errors.append(error)
    assert len(errors) > 50
    assert not [error for error in errors if "delete" in f"{error.message} {error.hint}"]
