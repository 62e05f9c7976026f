"""`cnnctl runs` and `compare`, against the files of real runs."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import commands
import pytest
from conftest import XO

from cnnctl.cli.compare import compare as print_comparison
from cnnctl.startup import quiet

quiet()

from cnnctl.errors import SpecError, UsageError  # noqa: E402
from cnnctl.io.notes import print_notes  # noqa: E402
from cnnctl.reports.overview import entries  # noqa: E402
from cnnctl.reports.run_groups import compare  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

SCORE = (
    XO.replace("metrics: [accuracy]", "metrics: [accuracy, {SparseCategoricalAccuracy: {name: a}}]")
    + "  callbacks: [ModelCheckpoint: {monitor: a, save_best_only: true}]\n"
)
"""A metric whose name says nothing, and which decides which epoch is the best."""
RATES = ["compile.optimizer.Adam.learning_rate=0.0001"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two seeds of one spec, one of another."""
    folder = tmp_path_factory.mktemp("overview")
    (folder / "tiny.yaml").write_text(SCORE)
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
    named = [each.figure("test_a") for each in entries(folder, "test_a")]
    assert named == accuracies
    with pytest.raises(UsageError, match="no run has a figure `val_f1`") as raised:
        entries(folder, "val_f1")
    assert "val_accuracy" in raised.value.hint


def test_one_of_several_values_is_offered(folder, tmp_path):
    shutil.copytree(folder / "tiny/001", tmp_path / "a/001", symlinks=True)
    path = tmp_path / "a/001/metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    several = {f"val_f1_score/{index}": 0.5 for index in range(80)}
    path.write_text("".join(json.dumps({**row, **several}) + "\n" for row in rows))
    with pytest.raises(UsageError) as raised:
        entries(tmp_path, "val_f1_score")
    assert raised.value.hint.startswith("did you mean `val_f1_score/0`? ")
    assert " more" in raised.value.hint
    assert len(raised.value.hint) < 300


def test_the_best_epoch_is_that_of_the_best_value_whatever_its_name(folder):
    for each in entries(folder):
        lines = (Path(each.path) / "metrics.jsonl").read_text().splitlines()
        values = [json.loads(line)["a"] for line in lines]
        assert values[0] != values[1]
        assert each.best_epoch == 1 + values.index(max(values))


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


HUGE = "9" * 400


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("metrics.jsonl", '"loss": ', f'"loss": {HUGE}, "x": '),
        ("metrics.jsonl", '"seconds": ', f'"seconds": {HUGE}, "x": '),
        ("metrics.jsonl", '"epoch": 1,', f'"epoch": {HUGE},'),
        ("state.json", '"epochs": 2', f'"epochs": {HUGE}'),
        ("state.json", '"planned": 2', f'"planned": -{HUGE}'),
        ("state.json", '"pid": ', f'"pid": {HUGE}, "x": '),
        ("state.json", '"best_epoch": ', f'"best_epoch": {HUGE}, "x": '),
        ("environment.json", '"seed": ', f'"seed": {HUGE}, "x": '),
        ("evaluation.json", '"loss": ', f'"loss": {HUGE}, "x": '),
        ("evaluation.json", '"loss": ', '"loss": 1e999, "x": '),
        ("evaluation.json", '"loss": ', '"loss": [1], "x": '),
        ("evaluation.json", '"figures": ', '"figures": 3, "x": '),
    ],
)
def test_a_number_that_cannot_be_meant_hides_no_run(folder, tmp_path, capsys, name, old, new):
    for number in (1, 2, 3):
        _copy(folder / f"tiny/00{number}", tmp_path / f"tiny/00{number}")
    path = tmp_path / "tiny/002" / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    print_notes()
    capsys.readouterr()
    found = entries(tmp_path)
    assert len(found) == 3
    json.dumps([each.to_dict() for each in found], allow_nan=False)
    intact = [each.to_dict() | {"path": ""} for each in entries(folder)]
    assert [each.to_dict() | {"path": ""} for each in found][::2] == intact[::2]
    (note, *_) = capsys.readouterr().err.splitlines()
    assert note.startswith(f"note: {path}:")
    assert len(note) < 300 + len(str(path))
    json.dumps([each.to_dict() for each in compare([tmp_path])], allow_nan=False)


def test_a_spec_that_is_damaged_hides_no_run(folder, tmp_path, capsys):
    for number in (1, 2):
        _copy(folder / f"tiny/00{number}", tmp_path / f"tiny/00{number}")
    (tmp_path / "tiny/001/spec.yaml").write_text("model: [")
    print_notes()
    assert len(entries(tmp_path)) == 2
    (group,) = compare([tmp_path])
    assert [each.path for each in group.runs] == [str(tmp_path / "tiny/002")]
    assert f"note: {tmp_path / 'tiny/001'} is left out: " in capsys.readouterr().err
    with pytest.raises(SpecError):  # the one that was asked for
        compare([tmp_path / "tiny/001", tmp_path / "tiny/002"])
    (tmp_path / "tiny/002/spec.yaml").write_text("model: [")
    with pytest.raises(UsageError, match="none of the runs can be read"):
        compare([tmp_path])


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


def _copy(run, path, environment=None, state=None):
    shutil.copytree(run, path, symlinks=True)
    for name, changes in (("environment.json", environment), ("state.json", state)):
        known = json.loads((path / name).read_text())
        (path / name).write_text(json.dumps({**known, **(changes or {})}))


def test_a_seed_counts_once_and_only_when_it_is_finished(folder, tmp_path, capsys):
    for number in (1, 2):
        _copy(folder / f"tiny/00{number}", tmp_path / f"tiny/00{number}")
    _copy(folder / "tiny/001", tmp_path / "tiny/003")
    _copy(folder / "tiny/001", tmp_path / "tiny/004", {"seed": 5}, {"status": "stopped"})
    _copy(folder / "tiny/001", tmp_path / "tiny/005", {"seed": 6}, {"status": "failed"})
    (group,) = compare([tmp_path])
    names = [Path(each.path).name for each in group.runs]
    assert sorted(names) == ["002", "003"]
    assert [Path(each.path).name for each in group.left_out] == ["001", "004", "005"]
    both = [json.loads((folder / f"tiny/00{number}/evaluation.json").read_text())["figures"]["loss"]
            for number in (1, 2)]  # fmt: skip
    assert group.figures["test_loss"].count == 2
    assert group.figures["test_loss"].mean == pytest.approx(statistics.fmean(both))
    assert group.figures["test_loss"].deviation == pytest.approx(statistics.stdev(both))
    print_comparison([tmp_path])
    text = capsys.readouterr().out
    assert "tiny/001 (seed 1 again)" in text
    assert "tiny/004 (stopped)" in text
    (alone,) = compare([tmp_path / "tiny/004"])
    assert alone.figures["loss"].count == 1
    print_comparison([tmp_path / "tiny/004"])
    assert "004 (stopped)" in capsys.readouterr().out


def test_other_data_are_no_other_seed(folder, tmp_path, capsys):
    _copy(folder / "tiny/001", tmp_path / "tiny/001")
    data = {"name": "xo", "fingerprint": "ab" * 32}
    _copy(folder / "tiny/002", tmp_path / "tiny/002", {"data": data})
    first, other = compare([tmp_path])
    assert first.runs[0].data != other.runs[0].data == "ab" * 32
    assert other.changes == ()
    print_comparison([tmp_path])
    assert "→ fingerprint abababab" in capsys.readouterr().out


def test_the_least_divergence_is_the_best(folder, tmp_path):
    for number, value in ((1, 0.4), (2, 0.1), (3, 0.7)):
        path = tmp_path / f"tiny/00{number}"
        _copy(folder / "tiny/001", path)
        spec = (path / "spec.yaml").read_text()
        (path / "spec.yaml").write_text(
            spec.replace("metrics:\n", "metrics:\n  - kl_divergence\n  - hinge\n  - r2_score\n")
        )
        figures = {"kl_divergence": value, "hinge": value, "r2_score": value, "mine": value}
        (path / "evaluation.json").write_text(json.dumps({"figures": figures}))

    def order(name):
        return [each.figure(name) for each in entries(tmp_path, name)]

    assert order("test_kl_divergence") == [0.1, 0.4, 0.7]
    assert order("test_hinge") == [0.1, 0.4, 0.7]
    assert order("test_r2_score") == [0.7, 0.4, 0.1]
    with pytest.raises(UsageError, match="does not say whether `test_mine` is better") as raised:
        order("test_mine")
    assert "--mode max" in raised.value.hint
    for mode, expected in (("max", [0.7, 0.4, 0.1]), ("min", [0.1, 0.4, 0.7])):
        assert [each.figure("test_mine") for each in entries(tmp_path, "test_mine", mode)] \
            == expected  # fmt: skip
    for name, text in (("001", "BinaryAccuracy"), ("002", "MSE")):
        path = tmp_path / f"tiny/{name}/spec.yaml"
        path.write_text(path.read_text().replace("kl_divergence", f"{text}: {{name: mine}}"))
    with pytest.raises(UsageError, match=r"higher in .*001 and lower in .*002"):
        order("test_mine")


def test_the_commands(folder, tmp_path):
    def call(*arguments):
        return commands.run(*arguments, capture_output=True, cwd=tmp_path)

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
