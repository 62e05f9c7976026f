import json

import pytest

from cnnctl import checkpoint, runs
from cnnctl.errors import CheckpointError, RunError, UsageError
from cnnctl.files import replacing, write_json


def with_checkpoints(tmp_path, *epochs):
    run = runs.create("net", tmp_path)
    run.spec_path.write_text("name: net\n")
    for epoch in epochs:
        files = {checkpoint.WEIGHTS: bytes([epoch]) * 100, checkpoint.STATE: b"{}"}
        checkpoint.write(run.checkpoints_dir / runs.checkpoint_name(epoch), files)
    return run


def test_numbers_go_on_from_the_largest(tmp_path):
    (tmp_path / "net/007").mkdir(parents=True)
    (tmp_path / "net/notes").mkdir()
    assert runs.create("net", tmp_path).path.name == "008"
    assert runs.create("net", tmp_path).path.name == "009"


def test_find_takes_a_run_or_the_newest_of_a_name(tmp_path):
    first, second = with_checkpoints(tmp_path), with_checkpoints(tmp_path)
    assert runs.find(first.path).path == first.path
    assert runs.find(tmp_path / "net").path == second.path


def test_what_is_no_run_is_refused(tmp_path):
    run = with_checkpoints(tmp_path)
    with pytest.raises(UsageError, match="not a run folder"):
        runs.find(tmp_path)
    with pytest.raises(UsageError, match="no such run") as caught:
        runs.find(tmp_path / "net/002")
    assert str(run.path) in caught.value.hint


def test_checkpoints_by_name_and_number(tmp_path):
    run = with_checkpoints(tmp_path, 2, 10, 3)
    assert [runs.epoch_of(path) for path in run.checkpoints()] == [2, 3, 10]
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
    assert [runs.epoch_of(path) for path in run.checkpoints()] == [1]


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
