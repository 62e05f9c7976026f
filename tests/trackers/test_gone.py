"""A tracker that is missing, or fails: the training does not, and what is missing is said."""

import os
import subprocess
import sys

import pytest

from trackers.readers import of_mlflow, of_run, surroundings

NOWHERE = "http://someone:secret@127.0.0.1:9"


def test_no_server(xo_spec, cnnctl, tmp_path):
    pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
    env = {**surroundings(tmp_path), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
    done = cnnctl(
        "train", xo_spec, "--track", "mlflow", env={**env, "MLFLOW_TRACKING_URI": NOWHERE}
    )
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("epoch ")]) == 3
    (trouble, left) = [line for line in done.stderr.splitlines() if line.startswith("note: mlflow")]
    assert "Connection refused" in trouble
    assert left.startswith("note: mlflow lacks epochs 1 to 3, its end and its files; ")
    assert "secret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    path = tmp_path / "runs/tiny/001"
    command = left.split("cnnctl ")[1].split()
    done = cnnctl(*command, env=env)
    assert done.returncode == 0, done.stderr
    found, _, _ = of_mlflow(f"sqlite:///{tmp_path}/mlflow.db")
    assert {key: found[key] for key in of_run(path)} == of_run(path)


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_package_that_is_not_installed(name, xo_spec, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{name!r}] = None\n")
    done = subprocess.run(
        [sys.executable, "-m", "cnnctl", "train", xo_spec, "--track", name],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"},
    )  # fmt: skip
    assert done.returncode == 2
    assert f"error: --track {name} needs {name}" in done.stderr
    assert f"pip install 'cnnctl[{name}]'" in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--track", "mlfow"], "did you mean mlflow?"),
        (["--track", "comet"], "there are tensorboard, mlflow, wandb, none"),
        (["--track", "none", "--track", "tensorboard"], "goes with no other tracker"),
        (["--track"], "--track needs a value"),
    ],
)
def test_trackers_that_there_are_not(words, message, xo_spec, cnnctl, tmp_path):
    done = cnnctl("train", xo_spec, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "runs").exists()


def test_no_account(xo_spec, cnnctl, tmp_path):
    pytest.importorskip("wandb", reason="the extra `wandb` is not installed")
    env = {**surroundings(tmp_path), "WANDB_MODE": "online", "NETRC": str(tmp_path / "netrc")}
    done = cnnctl("train", xo_spec, "--track", "wandb", env=env)
    assert done.returncode == 2, done.stderr
    assert "no API key" in done.stderr
    assert "WANDB_MODE=offline" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_wandb_is_disabled(xo_spec, cnnctl, tmp_path):
    pytest.importorskip("wandb", reason="the extra `wandb` is not installed")
    env = {**surroundings(tmp_path), "WANDB_MODE": "disabled"}
    done = cnnctl("train", xo_spec, "--track", "wandb", env=env)
    assert done.returncode == 0, done.stderr
    assert "tracked: wandb, nowhere, since WANDB_MODE is disabled" in done.stderr
    assert not (tmp_path / "wandb").exists()
