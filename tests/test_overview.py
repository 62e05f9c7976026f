"""`cnnctl runs` and `compare`, against the files of real runs."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import XO

from cnnctl.backend import quiet

quiet()

from cnnctl.errors import UsageError  # noqa: E402
from cnnctl.overview import compare, entries  # noqa: E402
from cnnctl.spec import load  # noqa: E402
from cnnctl.training import train  # noqa: E402

PROGRAM = str(Path(sys.executable).parent / "cnnctl")
RATES = ["compile.optimizer.Adam.learning_rate=0.0001"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two seeds of one spec, one of another."""
    folder = tmp_path_factory.mktemp("overview")
    (folder / "tiny.yaml").write_text(XO)
    for overrides in (["seed=1"], ["seed=2"], RATES):
        spec = load(folder / "tiny.yaml", ["fit.epochs=2", *overrides])
        train(spec, runs_dir=folder / "runs", device="cpu")
    return folder / "runs"


def test_entries_are_what_the_files_say(folder):
    found = entries(folder)
    assert [Path(each.path).name for each in found] == ["001", "002", "003"]
    for each in found:
        path = Path(each.path)
        rows = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
        state = json.loads((path / "state.json").read_text())
        best = next(row for row in rows if row["epoch"] == state["best_epoch"])
        assert each.status == "finished"
        assert (each.epochs, each.planned) == (2, 2)
        assert each.figure("val_loss") == best["val_loss"]
        assert each.seconds == pytest.approx(sum(row["seconds"] for row in rows))
        evaluation = json.loads((path / "evaluation.json").read_text())["figures"]
        assert each.figure("test_accuracy") == evaluation["accuracy"]
    assert [each.seed for each in found] == [1, 2, 0]


def test_the_best_first(folder):
    losses = [each.figure("val_loss") for each in entries(folder, "val_loss")]
    assert losses == sorted(losses)
    accuracies = [each.figure("test_accuracy") for each in entries(folder, "test_accuracy")]
    assert accuracies == sorted(accuracies, reverse=True)
    with pytest.raises(UsageError, match="no run has a figure `val_f1`") as raised:
        entries(folder, "val_f1")
    assert "val_accuracy" in raised.value.hint


def test_a_run_whose_process_is_gone_was_killed(folder, tmp_path):
    shutil.copytree(folder / "tiny/001", tmp_path / "a/001", symlinks=True)
    path = tmp_path / "a/001/state.json"
    state = json.loads(path.read_text())
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for pid, status in ((gone.pid, "killed"), (os.getpid(), "running")):
        path.write_text(json.dumps({**state, "status": "running", "pid": pid}))
        assert entries(tmp_path)[0].status == status
    (tmp_path / "a/001/metrics.jsonl").write_text('{"epoch": 1, "loss": "<b>"}\nnonsense')
    (tmp_path / "a/001/evaluation.json").write_text("[]")
    (broken,) = entries(tmp_path)
    assert broken.epochs == 1
    assert broken.test == {}


def test_seeds_are_taken_together(folder):
    first, other = compare([folder])
    assert [each.seed for each in first.runs] == [1, 2]
    assert first.changes == ()
    values = [each.figure("test_loss") for each in first.runs]
    assert first.figures["test_loss"].mean == pytest.approx(statistics.fmean(values))
    assert first.figures["test_loss"].deviation == pytest.approx(statistics.stdev(values))
    assert other.figures["test_loss"].deviation is None
    (change,) = other.changes
    assert change.path == "compile.optimizer.Adam.learning_rate"
    again = compare([folder / "tiny/001", folder / "tiny/003", folder / "tiny/001"])
    assert [len(group.runs) for group in again] == [1, 1]


def test_the_commands(folder, tmp_path):
    def call(*arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                              timeout=60, check=False, cwd=tmp_path)  # fmt: skip

    listed = json.loads(call("runs", folder, "--json").stdout)
    assert [each["seed"] for each in listed] == [1, 2, 0]
    text = call("runs", folder, "--best", "val_accuracy").stdout
    assert "tiny/003" in text
    assert "2/2" in text
    empty = call("runs")
    assert empty.returncode == 2
    assert "there is no folder runs" in empty.stderr
    done = call("compare", folder, "--plot", "c.svg")
    assert done.returncode == 0, done.stderr
    assert "and 1 with other seeds" in done.stdout
    assert " ± " in done.stdout
    assert "compile.optimizer.Adam.learning_rate: 0.01 → 0.0001" in done.stdout
    assert (tmp_path / "c.svg").exists()
    wrong = call("compare", tmp_path)
    assert wrong.returncode == 2
