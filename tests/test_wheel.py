"""The wheel holds the package and the configs, and nothing else; it works without a clone."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import CONFIGS, ROOT

pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")


def built(target, source, folder):
    """What hatchling makes of a source tree, as `python -m build` has it do."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder],
        cwd=source, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (path,) = folder.iterdir()
    return path


def source_files():
    """What should be in it, by its name in the wheel."""
    found = {
        path.relative_to(ROOT).as_posix(): path
        for path in (ROOT / "cnnctl").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for path in CONFIGS.rglob("*.yaml"):
        found[f"cnnctl/configs/{path.relative_to(CONFIGS).as_posix()}"] = path
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def test_its_files_are_those_of_the_source(wheel):
    expected = source_files()
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == set(expected)
        for name, path in expected.items():
            assert archive.read(name) == path.read_bytes(), name
    for name in ("configs/mnist.yaml", "configs/examples/backward.yaml", "play/page.html",
                 "catalog/keras.json", "scaffold/starter.yaml"):  # fmt: skip
        assert f"cnnctl/{name}" in names


def test_the_source_archive_makes_the_same_wheel(wheel, tmp_path):
    archive = built("sdist", ROOT, tmp_path / "archive")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    assert (source / "tests/test_wheel.py").exists()
    assert built("wheel", source, tmp_path / "wheel").read_bytes() == wheel.read_bytes()


def test_a_shipped_spec_is_found_by_name(wheel, tmp_path):
    """In an empty folder, by what is in the wheel."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    empty = tmp_path / "empty"
    empty.mkdir()

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "cnnctl", *words], cwd=empty, text=True, check=True,
            capture_output=True, env={**os.environ, "PYTHONPATH": str(site)},
        ).stdout  # fmt: skip

    assert str(site / "cnnctl/configs/mnist.yaml") in run("check", "mnist")
    assert "3,274,634" in run("summary", "mnist")
    assert "inspect" in run("--help")
    run("new", "mine")
    assert run("check", "mine.yaml").startswith("mine.yaml: ok")
    assert Path(empty / "cnnctl.schema.json").exists()
