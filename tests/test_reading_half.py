"""The commands that answer at once import neither TensorFlow nor Keras nor matplotlib."""

import os
import subprocess
import sys

import pytest
from conftest import CONFIGS, ROOT

SCRIPT = """
import sys
from cnnctl.cli.boundary import guarded
from cnnctl.cli.app import app
code = guarded(lambda: app(sys.argv[1:], prog_name="cnnctl"))
names = {"tensorflow", "keras", "matplotlib", "torch", "jax", "jsonschema",
         "tensorboard", "mlflow", "wandb", "optuna", "sqlalchemy"}
heavy = sorted(names & set(sys.modules))
print("HEAVY", heavy, "CODE", code)
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["train", "--help"], 0),
        (["sweep", "--help"], 0),
        (["check", str(CONFIGS)], 0),
        (["summary", str(CONFIGS / "cifar10_resnet.yaml")], 0),
        (["layers"], 0),
        (["layers", "Conv2D"], 0),
        (["schema"], 0),
        (["data", "list"], 0),
        (["runs", str(CONFIGS)], 0),
        (["check", "nothing.yaml"], 2),
        (["train", str(CONFIGS / "mnist.yaml"), "--track", "nothing"], 2),
        (["train", str(CONFIGS / "mnist.yaml"), "--set", "fit.epoch=3"], 2),
        (["sweep", str(CONFIGS / "mnist.yaml"), "--over", "fit.epoch=3,4"], 2),
    ],
    ids=lambda value: " ".join(map(str, value))[-40:] if isinstance(value, list) else str(value),
)
def test_nothing_heavy_is_imported(arguments, code):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert f"HEAVY [] CODE {code}" in done.stdout, done.stdout[-500:] + done.stderr[-500:]


def test_a_new_spec_needs_nothing_heavy(tmp_path):
    arguments = [sys.executable, "-c", SCRIPT, "new", str(tmp_path / "mine"), "--like", "mnist"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "HEAVY [] CODE 0" in done.stdout


@pytest.mark.parametrize(
    "module",
    ["cnnctl", "cnnctl.specs", "cnnctl.catalog", "cnnctl.arithmetic", "cnnctl.runs.run",
     "cnnctl.data", "cnnctl.preflight", "cnnctl.summary.summary", "cnnctl.specs.schedules",
     "cnnctl.catalog.shipped", "cnnctl.scaffold.new",
     "cnnctl.specs.json_schema", "cnnctl.reports.overview", "cnnctl.trackers.tracking",
     "cnnctl.sweep.space", "cnnctl.sweep.value_checks"],
)  # fmt: skip
def test_modules_of_the_reading_half(module):
    script = f"import {module}, sys; print({{'tensorflow', 'keras', 'numpy'}} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
