"""What Tab offers, in a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CONFIGS

from cnnctl import shipped
from cnnctl.cli import completing

SCRIPT = """
eval "$(_CNNCTL_COMPLETE=source_bash cnnctl)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_cnnctl_completion cnnctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def tab(folder, *words):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", SCRIPT, "bash", *words], cwd=folder, capture_output=True, text=True,
        timeout=60, check=True, env={**os.environ, "PATH": path},
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash on this machine")
def test_in_bash(tmp_path):
    run = tmp_path / "runs/mine/001"
    (run / "checkpoints").mkdir(parents=True)
    (run / "spec.yaml").touch()
    (tmp_path / "runs/notes.txt").touch()
    (tmp_path / "mnist_mine.yaml").touch()
    assert tab(tmp_path, "cnnctl", "repr") == ["reproduce"]
    assert tab(tmp_path, "cnnctl", "layers", "Conv2D") == ["Conv2D", "Conv2DTranspose"]
    assert tab(tmp_path, "cnnctl", "data", "fetch", "cifar") == ["cifar10", "cifar100"]
    assert tab(tmp_path, "cnnctl", "evaluate", "runs/mine/0") == ["runs/mine/001"]
    assert tab(tmp_path, "cnnctl", "resume", "ru") == ["runs/"]
    found = tab(tmp_path, "cnnctl", "train", "mnist_")
    assert set(found) == {"mnist_mine.yaml"} | {
        path.stem for path in CONFIGS.glob("mnist_*.yaml")
    }  # fmt: skip


def test_specs_are_those_that_can_be_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert set(completing.specs("")) == set(shipped.names())
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.yml").touch()
    assert "a/" in completing.specs("")
    assert ".hidden/" not in completing.specs("")
    assert completing.specs("a/") == ["a/b.yml"]
    assert completing.specs(str(tmp_path / "a/b")) == [str(tmp_path / "a/b.yml")]
    assert completing.specs("nowhere/x") == []
