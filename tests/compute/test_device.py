"""TensorFlow as cnnctl starts it, and what is said where somebody has started it before."""

import json
import logging
import os
import subprocess
import sys

import keras
import pytest
import tensorflow as tf
from reliability.helpers import RANDOM, figures

from cnnctl.compute.device import Device
from cnnctl.compute.plan import Plan
from cnnctl.compute.threads import compute_by
from cnnctl.errors import UsageError
from cnnctl.io.notes import LOGGER, tell
from cnnctl.runs.run import Run
from cnnctl.startup import quiet
from cnnctl.training import compatibility

NOTEBOOK = """\
import json
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.constant(1) + 1

import cnnctl

spec = cnnctl.load("random.yaml", ["compile.threads=3", "compile.parts=1", "fit.epochs=2"])
result = cnnctl.train(spec, device="cpu")
again = cnnctl.reproduce("command/random/001", device="cpu")
found = cnnctl.evaluate(result.run.path, device="cpu")
print(json.dumps([result.notes, again.notes, found.notes]))
"""
ENV = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")}


def test_a_notebook_in_which_tensorflow_runs_already(cnnctl, tmp_path):
    """With one thread, where the spec has three. It is said by the log and in each result; what is
    recorded is what was in force, so that the command reproduces the run to the same bits."""
    (tmp_path / "random.yaml").write_text(RANDOM)
    words = ("--set", "compile.threads=3", "--set", "compile.parts=1", "--epochs", 1)
    done = cnnctl("train", "random.yaml", *words, "--runs-dir", "command", "--json", env=ENV)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["notes"] == []
    plan = Run(tmp_path / "command/random/001").environment()["plan"]
    assert (plan["intra_op"], plan["inter_op"]) == (3, 3)
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        cwd=tmp_path, env=ENV, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = "with 1 thread per operation and 1 operation at a time instead of 3 threads per"
    for notes in json.loads(done.stdout.splitlines()[-1]):
        assert any(told in note and "the last bits may differ" in note for note in notes), notes
    assert done.stderr.count(f"note: TensorFlow runs already in this process, {told}") == 3
    run = Run(tmp_path / "runs/random/001")
    plan = run.environment()["plan"]
    assert (plan["intra_op"], plan["inter_op"]) == (1, 1)
    done = cnnctl("reproduce", run.path, "--json", env=ENV)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert (answer["same"], answer["weights"], answer["notes"]) == (True, True, [])
    assert len(figures(run)) == 2


def threads(intra_op, inter_op):
    return Plan(intra_op=intra_op, inter_op=inter_op)


@pytest.fixture
def running(monkeypatch):
    """TensorFlow that runs already, with two threads per operation and its own number at a time."""

    def fixed(wanted):
        if wanted != 2:
            raise RuntimeError("cannot be modified after initialization")

    def chosen(wanted):
        if wanted != 0:
            raise RuntimeError("cannot be modified after initialization")

    threading = tf.config.threading
    monkeypatch.setattr(threading, "set_intra_op_parallelism_threads", fixed)
    monkeypatch.setattr(threading, "get_intra_op_parallelism_threads", lambda: 2)
    monkeypatch.setattr(threading, "set_inter_op_parallelism_threads", chosen)
    monkeypatch.setattr(threading, "get_inter_op_parallelism_threads", lambda: 0)
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "5")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")


CPU = Device("cpu", "")


def test_the_plan_is_what_is_in_force(running):
    plan, (note,) = compute_by(threads(1, 2), CPU)
    assert (plan.intra_op, plan.inter_op) == (2, 5)
    assert "with 2 threads per operation and 5 operations at a time instead of 1 thread" in note


def test_what_tensorflow_takes_of_its_own_may_be_what_is_wanted(running):
    """Then the bits are the same, and nothing is said."""
    assert compute_by(threads(2, 5), CPU) == (threads(2, 5), ())


def test_as_many_as_there_are_processors(running, monkeypatch):
    monkeypatch.delenv("TF_NUM_INTEROP_THREADS")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(7)), raising=False)
    assert compute_by(threads(2, 1), CPU)[0] == threads(2, 7)


def test_what_else_somebody_has_switched(running, monkeypatch):
    monkeypatch.setattr("cnnctl.compat.runs_onednn", lambda: False)
    assert compute_by(threads(2, 5), CPU)[1] == ()  # the user has said so
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    tf.config.run_functions_eagerly(True)
    try:
        _, notes = compute_by(threads(2, 5), CPU)
    finally:
        tf.config.run_functions_eagerly(False)
    assert [note.split(":")[0] for note in notes] == [
        "TensorFlow was imported before cnnctl, and computes without oneDNN",
        "tf.config.run_functions_eagerly is on",
    ]


def test_it_is_said_each_time(caplog, monkeypatch):
    monkeypatch.setattr(LOGGER, "handlers", [])  # a command that was tested here prints its own
    monkeypatch.setattr(LOGGER, "propagate", True)
    with caplog.at_level(logging.WARNING, "cnnctl"):
        tell(["once"])
        tell(["once"])
    assert [each.getMessage() for each in caplog.records] == ["note: once"] * 2


def test_another_onednn_than_the_run_had(monkeypatch):
    environment = {"onednn": "1"}
    for now, told in ((True, []), (False, ["oneDNN was on, and is off: the last bits may differ"])):
        monkeypatch.setattr(compatibility, "runs_onednn", lambda now=now: now)
        assert list(compatibility.of_machine(environment, CPU, 1)) == told


def test_what_a_notebook_has_set_in_keras_is_not_what_a_spec_means(monkeypatch):
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float64")
    quiet()
    assert keras.config.image_data_format() == "channels_last"
    assert keras.config.floatx() == "float32"
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="Keras runs on jax") as caught:
        quiet()
    assert "KERAS_BACKEND=tensorflow" in caught.value.hint
