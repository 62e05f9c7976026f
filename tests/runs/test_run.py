import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cnnctl.errors import CheckpointError, RunError, UsageError
from cnnctl.io.atomic import replacing, write_json
from cnnctl.io.notes import print_notes
from cnnctl.io.path_kinds import is_broken_run, is_run
from cnnctl.preflight import specs_in
from cnnctl.reports import overview, run_groups
from cnnctl.runs import checkpoint
from cnnctl.runs.find import create_run, find_run, newest_run
from cnnctl.runs.run import checkpoint_name, epoch_of


def with_checkpoints(tmp_path, *epochs):
    run = create_run("net", tmp_path)
    run.spec_path.write_text("name: net\n")
    for epoch in epochs:
        files = {checkpoint.WEIGHTS: bytes([epoch]) * 100, checkpoint.STATE: b"{}"}
        checkpoint.write(run.checkpoints_dir / checkpoint_name(epoch), files)
    return run


def test_numbers_go_on_from_the_largest(tmp_path):
    (tmp_path / "net/007").mkdir(parents=True)
    (tmp_path / "net/notes").mkdir()
    assert create_run("net", tmp_path).path.name == "008"
    assert create_run("net", tmp_path).path.name == "009"


def test_find_takes_a_run_or_the_newest_of_a_name(tmp_path):
    first, second = with_checkpoints(tmp_path), with_checkpoints(tmp_path)
    assert find_run(first.path).path == first.path
    assert find_run(tmp_path / "net").path == second.path


def test_what_is_no_run_is_refused(tmp_path):
    run = with_checkpoints(tmp_path)
    with pytest.raises(UsageError, match="not a run folder"):
        find_run(tmp_path)
    with pytest.raises(UsageError, match="no such run") as caught:
        find_run(tmp_path / "net/002")
    assert str(run.path) in caught.value.hint


def test_checkpoints_by_name_and_number(tmp_path):
    run = with_checkpoints(tmp_path, 2, 10, 3)
    assert [epoch_of(path) for path in run.checkpoints()] == [2, 3, 10]
    run.point("best", run.checkpoint("3"))
    run.point("last", run.checkpoint("epoch-0010"))
    assert run.checkpoint("best").name == "epoch-0003"
    run.point("best", run.checkpoint("2"))
    assert run.checkpoint("best").name == "epoch-0002"
    for name in ("4", "worst", "../checkpoints/epoch-0003", ""):
        with pytest.raises(UsageError, match="has no checkpoint"):
            run.checkpoint(name)


def test_a_folder_without_a_manifest_is_no_checkpoint(tmp_path):
    run = with_checkpoints(tmp_path, 1, 2)
    (run.checkpoint("2") / checkpoint.MANIFEST).unlink()
    assert [epoch_of(path) for path in run.checkpoints()] == [1]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / checkpoint.WEIGHTS).unlink(),
        lambda folder: (folder / checkpoint.WEIGHTS).write_bytes(b""),
        lambda folder: (folder / checkpoint.WEIGHTS).write_bytes(b"\1" * 99),
        lambda folder: (folder / checkpoint.WEIGHTS).write_bytes(b"\1" * 99 + b"\0"),
        lambda folder: (folder / checkpoint.MANIFEST).write_text("{"),
        lambda folder: (folder / checkpoint.MANIFEST).write_text('{"files": {}}'),
        lambda folder: (folder / checkpoint.MANIFEST).write_text('{"files": {"../x": {}}}'),
        lambda folder: (folder / checkpoint.MANIFEST).write_text(
            '{"files": {"model.weights.h5": 3}}'
        ),
    ],
)
def test_damage_is_noticed(tmp_path, damage):
    folder = with_checkpoints(tmp_path, 1).checkpoint("1")
    checkpoint.read(folder)
    damage(folder)
    with pytest.raises(CheckpointError):
        checkpoint.read(folder)


def test_a_history_line_that_was_cut_off_is_left_out(tmp_path):
    run = with_checkpoints(tmp_path)
    for epoch in (1, 2):
        run.append_history({"epoch": epoch, "loss": 0.5})
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 3, "lo')
    assert [row["epoch"] for row in run.history()] == [1, 2]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})

    def fail():
        with replacing(path) as partial:
            partial.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert json.loads(path.read_text()) == {"a": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


def test_what_cannot_be_written_is_a_message(tmp_path):
    with pytest.raises(RunError, match="cannot write"):
        write_json(tmp_path / "missing/a.json", {})


def begun(tmp_path, *epochs):
    """A finished run as far as its files tell, one line per epoch."""
    run = with_checkpoints(tmp_path, *epochs)
    for epoch in epochs:
        run.append_history({"epoch": epoch, "loss": 0.5})
    write_json(run.path / "environment.json", {"seed": 0})
    write_json(run.path / "state.json", {"status": "finished", "epochs": len(epochs)})
    return run


def nowhere(path):
    path.symlink_to("nowhere")


@pytest.mark.parametrize("left", [None, Path.mkdir, nowhere])
@pytest.mark.parametrize("lost", [(), ("environment.json",), ("state.json", "metrics.jsonl")])
def test_a_run_without_its_spec_is_told_from_other_folders(tmp_path, left, lost):
    run = begun(tmp_path, 1)
    run.spec_path.unlink()
    for name in lost:
        (run.path / name).unlink()
    (run.path / "sources/net.yaml").write_text("name: net\n")
    if left:
        left(run.spec_path)
    for find in (find_run, newest_run, run_groups.compare):
        with pytest.raises(UsageError) as caught:
            find([run.path] if find is run_groups.compare else run.path)
        assert caught.value.message == f"{run} is a run folder without spec.yaml"
        assert f"cnnctl train {run}/sources/net.yaml" in caught.value.hint
    (run.checkpoint("1") / "spec.yaml").write_text("name: net\n")
    with pytest.raises(UsageError, match=r"without spec\.yaml, not a spec"):
        specs_in(run.path)
    with pytest.raises(UsageError, match="not a spec"):  # its copies are a run's
        specs_in(tmp_path)
    with pytest.raises(UsageError, match="without spec") as caught:
        find_run(run.path)
    subprocess.run(caught.value.hint.partition(": ")[2], shell=True, check=True)  # as it says
    assert find_run(run.path) == run
    assert run.spec_path.read_text() == "name: net\n"


def test_neither_a_checkpoint_nor_any_folder_is_a_broken_run(tmp_path):
    run = begun(tmp_path, 1)
    for path in (run.checkpoint("1"), run.path / "sources", tmp_path):
        assert not is_broken_run(path)
        assert not is_run(path)


def test_a_run_whose_checkpoints_are_gone_is_one_still(tmp_path, capsys):
    run = begun(tmp_path, 1)
    shutil.rmtree(run.checkpoints_dir)
    assert find_run(run.path) == run
    (found,) = overview.entries(tmp_path)
    assert found.figures == {"loss": 0.5}
    run.model_path.write_bytes(b"")
    with pytest.raises(UsageError, match="no checkpoint `best`") as caught:
        run.checkpoint("best")
    assert str(run.model_path) in caught.value.hint
    run.remove_partial()  # what a resume begins with


def test_the_best_is_named_where_its_link_is_lost(tmp_path):
    run = begun(tmp_path, 1, 2)
    run.update_state(best_epoch=1)
    with pytest.raises(UsageError) as caught:
        run.checkpoint("best")
    assert "the best is --checkpoint epoch-0001" in caught.value.hint


@pytest.mark.parametrize(
    ("lines", "kept", "read", "told"),
    [
        (None, (1, 2), 0, "is missing, which had those of the 2 epochs that state.json counts: "),
        ("", (1, 2), 0, "has none of the 2 epochs that state.json counts: cnnctl resume"),
        ("", (2,), 0, "has none of the 2 epochs that state.json counts: put it back"),
        ('{"epoch": 1, "loss": 1}\n{"epo', (1, 2), 1, "has 1 of the 2 epochs"),
        ('{"epoch": 1}\n{"epoch": 2}\n', (1, 2), 2, None),
    ],
)
def test_epochs_that_are_counted_and_not_there_are_noted(tmp_path, capsys, lines, kept, read, told):
    print_notes()
    run = begun(tmp_path, *kept)
    run.update_state(epochs=2, planned=2)
    path = run.path / "metrics.jsonl"
    path.unlink() if lines is None else path.write_text(lines)
    capsys.readouterr()
    (found,) = overview.entries(tmp_path)
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == (told is not None)
    assert not notes or notes[0].startswith(f"note: {path} {told}")
    assert found.epochs == read


def test_what_is_damaged_is_noted_and_hides_no_other_run(tmp_path, capsys):
    print_notes()
    whole, no_spec, no_state, no_environment = (begun(tmp_path, 1) for _ in range(4))
    no_spec.spec_path.unlink()
    (no_state.path / "state.json").unlink()
    (no_environment.path / "environment.json").unlink()
    found = overview.entries(tmp_path)
    assert [each.path for each in found] == [str(whole), str(no_state), str(no_environment)]
    assert [each.status for each in found] == ["finished", "unknown", "finished"]
    notes = capsys.readouterr().err
    assert f"note: {no_spec} is left out: it is a run folder without spec.yaml; " in notes
    assert f"note: {no_state}/state.json is missing" in notes
    assert f"note: {no_environment}/environment.json is missing" in notes
    assert notes.count("note: ") == 3


def test_the_newest_run_is_not_passed_over_for_what_it_lost(tmp_path):
    _, second = begun(tmp_path, 1), begun(tmp_path, 1)
    (second.path / "environment.json").unlink()
    assert newest_run(tmp_path / "net") == second


def test_a_folder_in_the_place_of_a_file_is_said_to_be_in_the_way(tmp_path):
    run = begun(tmp_path, 1)
    (run.path / "state.json").unlink()
    (run.path / "state.json").mkdir()
    with pytest.raises(RunError) as caught:
        run.update_state(status="stopped")
    assert f"cannot write {run}/state.json: " in caught.value.message
    assert caught.value.hint == "move the folder of that name aside"
