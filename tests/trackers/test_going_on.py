"""A training that is killed or stopped, and goes on in the trackers' same runs, no epoch twice."""

import os
import re
import signal
import subprocess
import time

import commands
import pytest

from cnnctl.runs.run import Run
from trackers.readers import of_mlflow, of_run, of_tensorboard, of_wandb, surroundings

pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
pytest.importorskip("wandb", reason="the extra `wandb` is not installed")

EVERY = ["--track", "tensorboard", "--track", "mlflow", "--track", "wandb"]


def begun(spec, *words):
    """A training that has some epochs, and whose trackers have begun."""
    folder = spec.parent
    process = commands.start(
        "train", spec, "--epochs", 100_000, *words,
        cwd=folder, env={**os.environ, **surroundings(folder)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    trackers, epochs = set(), 0
    for line in process.stderr:
        trackers |= {found[1] for found in [re.match(r"tracked: (\w+)", line)] if found}
        epochs += line.startswith("epoch ")
        if len(trackers) == len(words) // 2 and epochs >= 3:
            break
    time.sleep(0.3)
    return process


def test_killed(xo_spec, cnnctl, tmp_path):
    """A catch of it: W&B's own process writes seconds late, and lost what it was sent last."""
    process = begun(xo_spec, *EVERY)
    process.kill()
    process.communicate()
    run = Run(tmp_path / "runs/tiny/001")
    before = run.trackers()
    assert set(before) == {"tensorboard", "mlflow", "wandb"}
    epochs = len(run.history()) + 3
    done = cnnctl("resume", run.path, "--epochs", epochs, env=surroundings(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("tracked: ") == 3
    after = run.trackers()
    assert [after[name].get("id") for name in before] == [before[name].get("id") for name in before]
    expected = of_run(run.path)
    assert len(expected["loss"]) == epochs
    assert {key: of_tensorboard(run.path)[0][key].keys() for key in expected} == {
        key: values.keys() for key, values in expected.items()
    }
    assert of_wandb(tmp_path)[0] == expected
    found, its, _ = of_mlflow(f"sqlite:///{tmp_path}/mlflow.db")
    assert {key: found[key] for key in expected} == expected
    assert its.info.status == "FINISHED"
    # MLflow keeps a parameter as it was first; what it is by now is a tag.
    assert its.data.params["fit.epochs"] == "100000"
    assert its.data.tags["fit.epochs"] == str(epochs)


def test_stopped_and_gone_on_without(xo_spec, cnnctl, tmp_path):
    process = begun(xo_spec, "--track", "mlflow")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    path = tmp_path / "runs/tiny/001"
    stopped = of_run(path)
    found, its, _ = of_mlflow(uri)
    assert found == stopped
    assert (its.info.status, its.data.tags["status"]) == ("KILLED", "stopped")
    epochs = len(stopped["loss"]) + 2
    env = surroundings(tmp_path)
    done = cnnctl("resume", path, "--epochs", epochs, "--track", "none", env=env)
    assert "tracked" not in done.stderr
    assert of_mlflow(uri)[0] == stopped
    # The next part sends what was left out.
    done = cnnctl("resume", path, "--epochs", epochs + 1, env=env)
    expected = of_run(path)
    found, its, _ = of_mlflow(uri)
    assert {key: found[key] for key in expected} == expected
    assert its.info.status == "FINISHED"
