"""What Tab offers, in a real bash."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CONFIGS

from cnnctl.catalog import shipped
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


HEAVY = """
import atexit, sys
names = {"tensorflow", "keras", "numpy", "matplotlib", "tensorboard", "mlflow", "wandb", "yaml"}
atexit.register(lambda: print("HEAVY", sorted(names & set(sys.modules)), file=sys.stderr))
from cnnctl.cli import main
main()
"""


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("cnnctl tr", "train"),
        ("cnnctl train mnist_b", "mnist_book"),
        ("cnnctl layers Conv2D", "Conv2D"),
        ("cnnctl data fetch mn", "mnist"),
        ("cnnctl resume ru", ""),
        ("cnnctl train mnist --track m", "mlflow"),
    ],
)
def test_it_imports_nothing_that_takes_its_time(line, answer, tmp_path):
    """0.2 s is the aim (see `benchmarks/startup.py`); here the processor's time is held, which a
    busy machine changes less than the clock's."""
    asked = {"_CNNCTL_COMPLETE": "complete_bash", "COMP_WORDS": line,
             "COMP_CWORD": str(line.count(" "))}  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", HEAVY], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, **asked},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.split()[:1] == answer.split()
    assert "HEAVY []" in done.stderr
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5


def test_of_many_runs_the_newest_are_offered(tmp_path, monkeypatch):
    """Numbers are compared as numbers: the newest of 1,005 is 1005, not 999."""
    monkeypatch.chdir(tmp_path)
    for number in range(1, 1006):
        (tmp_path / f"runs/net/{number:03d}/checkpoints").mkdir(parents=True)
        (tmp_path / f"runs/net/{number:03d}/spec.yaml").touch()
    (tmp_path / "runs/net/notes.txt").touch()
    newest = [f"runs/net/{number}" for number in range(806, 1006)]
    assert completing.runs("runs/net/") == newest
    assert completing.specs_and_runs("runs/net/") == newest
    assert completing.runs("runs/net/00") == [f"runs/net/00{number}" for number in range(1, 10)]


def test_a_name_that_cannot_be_shown_is_not_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a\x1b[31m", "a\nb", "a\u202eb", "a\udcff", "a\u732b", "a b"):
        (tmp_path / name).mkdir()
    assert set(completing.runs("a")) == {"a\u732b/", "a b/"}


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
