"""A run that is finished already, sent to trackers from Python."""

import json
import shutil

import pytest

from cnnctl.startup import quiet

quiet()

from cnnctl.runs.run import Run  # noqa: E402
from cnnctl.trackers.tracking import Tracking  # noqa: E402
from trackers.readers import of_mlflow, of_run, of_tensorboard  # noqa: E402


@pytest.fixture
def run(finished, tmp_path):
    """A run without a tracker."""
    path = tmp_path / "runs/tiny/001"
    shutil.copytree(finished / "runs/tiny/001", path, symlinks=True)
    return Run(path)


@pytest.fixture
def store(tmp_path, monkeypatch):
    pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


def send(run, name):
    said = []
    with Tracking([name], say=said.append, device="cpu") as tracking:
        tracking.send(run)
    assert tracking.notes == said
    return said


def test_again_and_again(run, store):
    """Its figures arrive once only."""
    for _ in range(2):
        (line,) = [each for each in send(run, "mlflow") if not each.startswith("sending")]
        assert line == f"tracked: mlflow, experiment cnnctl in {store}"
    found, its, _ = of_mlflow(store)
    assert {key: found[key] for key in of_run(run.path)} == of_run(run.path)
    assert its.info.status == "FINISHED"


def test_another_store_gets_a_run_of_its_own(run, store):
    """Where figures go is the user's word, not that of a file, which may come from elsewhere."""
    number = "0" * 32
    known = {"mlflow": {"id": number, "at": "http://127.0.0.1:9", "epochs": 7}, "other": {"id": 1}}
    (run.path / "trackers.json").write_text(json.dumps(known))
    said = "\n".join(send(run, "mlflow"))
    assert f"was in http://127.0.0.1:9 before, and begins anew in {store}" in said
    found, its, _ = of_mlflow(store)
    assert its.info.run_id != number
    assert {key: found[key] for key in of_run(run.path)} == of_run(run.path)


@pytest.mark.parametrize(
    "known", ["[1]", "{", '{"tensorboard": 3}', '{"tensorboard": {"epochs": "x"}}']
)
def test_a_file_that_was_damaged(known, run):
    (run.path / "trackers.json").write_text(known)
    (line,) = send(run, "tensorboard")
    assert line.startswith("tracked: tensorboard")
    assert of_tensorboard(run.path)[0]["loss"].keys() == of_run(run.path)["loss"].keys()


def test_epochs_that_are_trained_again_replace_what_was_there(run):
    """A run whose newest checkpoints were damaged goes on from an earlier epoch."""
    send(run, "tensorboard")
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    row = json.loads(lines[0])
    (run.path / "metrics.jsonl").write_text(lines[0] + "\n")
    with Tracking(["tensorboard"], device="cpu") as tracking:
        tracking.send(run)
        tracking.epoch_ended({**row, "epoch": 2, "loss": 0.125}, False)
    losses = of_tensorboard(run.path)[0]["loss"]
    assert losses.keys() == {1, 2}
    assert losses[2] == 0.125


def test_a_folder_that_cannot_be_written_to(run):
    """A file is where TensorBoard's folder should be."""
    (run.path / "tensorboard").write_text("in the way")
    trouble, left = send(run, "tensorboard")
    assert trouble.startswith("note: tensorboard: ")
    assert left.startswith("note: tensorboard lacks epochs 1 to 3, its end and its files")


def test_nothing_is_said_of_a_training_that_did_not_start(tmp_path):
    with pytest.raises(ValueError, match="before"), Tracking(["tensorboard"]):
        raise ValueError("before")
    assert not Run(tmp_path).trackers()
