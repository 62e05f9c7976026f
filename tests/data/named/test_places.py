"""Where data is looked for, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnctl.data.named.places import find, keras_datasets_folder, pickled_copy, places
from cnnctl.data.named.sources import SOURCES
from cnnctl.errors import DataError


def test_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {}
    for label in ("--data-dir", "CNNCTL_DATA_DIR", "Keras's cache", "packages of the system"):
        folders[label] = tmp_path / {"Keras's cache": "keras/datasets"}.get(label, label[:3])
    folders["packages of the system"] = tmp_path / "system"
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "mnist.npz").touch()
    monkeypatch.setenv("CNNCTL_DATA_DIR", str(folders["CNNCTL_DATA_DIR"]))
    assert [place.label for place in places(folders["--data-dir"])] == list(folders)
    for label, folder in folders.items():
        found = find(SOURCES["mnist"], folders["--data-dir"])
        assert found is not None
        assert found.place.label == label
        assert found.paths == (folder / "mnist.npz",)
        (folder / "mnist.npz").unlink()
    assert find(SOURCES["mnist"], folders["--data-dir"]) is None


def test_all_files_must_be_in_one_place(tmp_path: Path) -> None:
    source = SOURCES["fashion_mnist"]
    for file in source.files[:3]:
        path = tmp_path / file.path
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert find(source, tmp_path) is None
    (tmp_path / source.files[3].path).touch()
    found = find(source, tmp_path)
    assert found is not None
    assert found.layout == "idx"


def test_keras_home_defaults_to_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keras_datasets_folder() == tmp_path / "keras" / "datasets"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert keras_datasets_folder() == tmp_path / ".keras" / "datasets"


def test_a_data_dir_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        places(tmp_path / "nowhere")


def test_a_missing_folder_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNCTL_DATA_DIR", str(tmp_path / "nowhere"))
    assert str(places()[0]) == f"{tmp_path / 'nowhere'} (CNNCTL_DATA_DIR, no such folder)"


def test_keras_pickle_is_seen_and_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "keras" / "datasets" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    assert find(SOURCES["cifar10"]) is None
    assert pickled_copy(SOURCES["cifar10"]) == folder
    assert pickled_copy(SOURCES["mnist"]) is None
