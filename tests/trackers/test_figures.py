"""One training with every tracker: each has the numbers and files of the run folder."""

import json
import os
import struct
from pathlib import Path

import commands
import numpy as np
import pytest
from conftest import XO
from reliability.helpers import arrays, figures, same_bits

from cnnctl.runs.run import Run
from trackers.readers import of_mlflow, of_run, of_tensorboard, of_wandb, surroundings

pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
pytest.importorskip("wandb", reason="the extra `wandb` is not installed")

TRACK = ["--track", "tensorboard", "--track", "mlflow", "--track", "wandb"]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A folder with a run that was tracked, and one of the same spec that was not."""
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "tiny.yaml").write_text(f"description: Two letters\n{XO}")
    env = {**os.environ, **surroundings(folder)}
    for words in (["--set", "seed=7", *TRACK], ["--set", "seed=7"]):
        done = commands.run(
            "train", "tiny.yaml", "--json", *words,
            cwd=folder, env=env, capture_output=True, check=True,
        )  # fmt: skip
        assert json.loads(done.stdout)["epochs"] == 3
        assert ("tracked: " in done.stderr) == (len(words) > 2)
        assert len([line for line in done.stderr.splitlines() if "note" in line]) == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def run(tracked):
    return Run(tracked / "runs/tiny/001")


def on_test(run):
    evaluation = json.loads((run.path / "evaluation.json").read_text())["figures"]
    best = json.loads((run.path / "state.json").read_text())["best_epoch"]
    return {f"test_{key}": {best: value} for key, value in evaluation.items()}


def test_the_training_is_the_same_to_the_bit(tracked, run):
    other = Run(tracked / "runs/tiny/002")
    assert figures(run) == figures(other)
    assert same_bits(arrays(run), arrays(other))
    assert not (other.path / "trackers.json").exists()


def test_mlflow(tracked, run):
    found, its, client = of_mlflow(f"sqlite:///{tracked}/mlflow.db")
    assert found == {**of_run(run.path), **on_test(run)}
    assert its.info.status == "FINISHED"
    assert its.info.run_name == "tiny/001"
    assert its.data.params["fit.epochs"] == "3"
    assert its.data.params["seed"] == "7"
    assert its.data.params["overrides"] == '["seed=7"]'
    assert its.data.params["model.layers.0.Conv2D.filters"] == "4"
    environment = run.environment()
    assert its.data.tags["data.fingerprint"] == environment["data"]["fingerprint"]
    assert its.data.tags["tensorflow"] == environment["versions"]["tensorflow"]
    assert its.data.tags["mlflow.note.content"] == "Two letters"
    folder = tracked / "copies"
    folder.mkdir()
    for name in ("spec.yaml", "environment.json", "metrics.jsonl", "model.keras",
                 "sources/tiny.yaml"):  # fmt: skip
        copy = Path(client.download_artifacts(its.info.run_id, name, str(folder)))
        assert (run.path / name).read_bytes() == copy.read_bytes()


def test_wandb(tracked, run):
    found, records = of_wandb(tracked)
    assert found == of_run(run.path)
    summary = {
        item.key or "/".join(item.nested_key): json.loads(item.value_json)
        for record in records
        for item in record.summary.update
    }
    for key, values in on_test(run).items():
        (value,) = values.values()
        assert summary[key] == value
    (begun,) = [record.run for record in records if record.HasField("run")]
    assert (begun.run_id, begun.project) == (run.trackers()["wandb"]["id"], "cnnctl")
    assert (begun.display_name, begun.run_group) == ("tiny/001", "tiny")
    config = {
        item.key or "/".join(item.nested_key): json.loads(item.value_json)
        for record in records
        for item in (*record.run.config.update, *record.config.update)
    }
    assert config["model.layers.0.Conv2D.filters"] == 4
    (artifact,) = [record.artifact for record in records if record.HasField("artifact")]
    names = {entry.path for entry in artifact.manifest.contents}
    assert {"spec.yaml", "model.keras", "metrics.jsonl", "sources/tiny.yaml"} <= names
    (left,) = [record.exit.exit_code for record in records if record.HasField("exit")]
    assert left == 0


def test_tensorboard(run):
    """Its scalars are float32."""
    found, texts, images = of_tensorboard(run.path)
    expected = {**of_run(run.path), **on_test(run)}
    assert found == {
        key: {epoch: float(np.float32(value)) for epoch, value in values.items()}
        for key, values in expected.items()
    }
    assert (run.path / "spec.yaml").read_text() in texts["spec"]
    assert "tensorflow" in texts["tags"]
    assert texts["status"] == "finished"
    width, height, png = images["confusion"]
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (int(width), int(height))
