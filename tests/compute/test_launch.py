"""Two real processes: what one gives, the same folder, ended together, and gone on with."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import commands
import h5py
import numpy as np
import pytest
from conftest import XO

from cnnctl.runs import checkpoint

SPEC = XO.replace("batch_size: 16", "batch_size: 31").replace("epochs: 3", "epochs: 4")
CALLBACKS = """  callbacks:
    - CSVLogger
    - EarlyStopping: {monitor: val_loss, patience: 50}
    - LearningRateScheduler: {schedule: "0.01 * 0.9 ** epoch"}
"""
LONG = 4000
"""Epochs that take minutes: the process is ended before."""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(SPEC.replace("name: tiny", "name: two") + CALLBACKS)
    return path


def begun(tmp_path, *words, count=2):
    """`cnnctl launch`, begun."""
    return commands.start(
        "launch", "-n", count, "--", *words, cwd=tmp_path, env={**os.environ, "COLUMNS": "160"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process, seconds=90):
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def workers(process):
    """The processes that it has started."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(each) for each in listed.split()]


def until_epoch(run, process, epoch):
    """Wait until a run has an epoch."""
    history = run / "metrics.jsonl"
    deadline = time.monotonic() + 90
    while not history.exists() or len(history.read_text().splitlines()) < epoch:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def weights(run, name="last"):
    """Every array of a checkpoint's weights and optimizer."""
    files = checkpoint.read(run / "checkpoints" / name)
    found = {}
    with h5py.File(io.BytesIO(files[checkpoint.WEIGHTS])) as file:
        file.visititems(
            lambda path, each: found.update({path: each[()]} if hasattr(each, "shape") else {})
        )
    return found


def test_two_processes_give_what_one_gives(spec, tmp_path, cnnctl):
    one = cnnctl("train", spec, "--set", "compile.parts=2", "--runs-dir", "one", "--json")
    assert one.returncode == 0, one.stderr
    # A file that lies in the user's folder is no module of the processes.
    (tmp_path / "yaml.py").write_text("raise SystemExit(9)")
    code, out, err = ended(begun(tmp_path, "train", spec, "--runs-dir", "both", "--json"))
    assert code == 0, err
    alone, together = json.loads(one.stdout), json.loads(out)
    for before, after in zip(alone["history"], together["history"], strict=True):
        for figure in before.keys() - {"seconds", "images_per_second"}:
            assert after[figure] == pytest.approx(before[figure], abs=1e-6), figure
    figures = [each["evaluation"]["figures"] for each in (alone, together)]
    assert figures[1] == pytest.approx(figures[0], abs=1e-6)
    first, second = tmp_path / "one/two/001", tmp_path / "both/two/001"
    before, after = weights(first), weights(second)
    assert before.keys() == after.keys()
    for path, array in before.items():
        np.testing.assert_allclose(after[path], array, rtol=0, atol=1e-6, err_msg=str(path))
    names = [{str(each.relative_to(run)) for each in run.rglob("*")} for run in (first, second)]
    assert names[0] == names[1]
    assert "history.csv" in names[0]
    recorded = json.loads((second / "environment.json").read_text())
    assert recorded["distribution"] == {"replicas": 2, "workers": 2}
    assert cnnctl("evaluate", "both/two/001", "--json").returncode == 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
def test_a_dead_worker_ends_the_others_and_a_restart_goes_on_to_the_same_bits(spec, tmp_path):
    slowly = ("--set", "data.dataset.xo.count=2000", "--set", "fit.batch_size=9", "--epochs", 5)
    whole = begun(tmp_path, "train", spec, *slowly, "--runs-dir", "whole")
    code, _, err = ended(whole)
    assert code == 0, err
    killed = begun(tmp_path, "train", spec, *slowly, "--runs-dir", "killed")
    run = tmp_path / "killed/two/001"
    until_epoch(run, killed, 2)
    victim = workers(killed)[1]
    os.kill(victim, signal.SIGKILL)
    code, _, err = ended(killed)
    assert code == 1
    assert "worker 1 was ended by SIGKILL" in err
    assert "Traceback" not in err
    assert len((run / "metrics.jsonl").read_text().splitlines()) < 5
    code, _, err = ended(begun(tmp_path, "resume", run))
    assert code == 0, err
    before, after = weights(tmp_path / "whole/two/001"), weights(run)
    assert before.keys() == after.keys()
    assert all(np.array_equal(array, after[path]) for path, array in before.items())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
def test_a_signal_to_one_process_ends_all_at_the_same_step(spec, tmp_path):
    process = begun(tmp_path, "train", spec, "--epochs", LONG, "--runs-dir", "runs")
    run = tmp_path / "runs/two/001"
    until_epoch(run, process, 2)
    os.kill(workers(process)[1], signal.SIGTERM)
    code, out, err = ended(process, 60)
    assert code == 143, err
    assert "stopped by a signal" in out
    assert "Traceback" not in err
    assert json.loads((run / "state.json").read_text())["status"] == "stopped"


def test_ctrl_c_ends_all(spec, tmp_path):
    process = begun(tmp_path, "train", spec, "--epochs", LONG, "--runs-dir", "runs")
    until_epoch(tmp_path / "runs/two/001", process, 2)
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process, 60)
    assert code == 130, err
    assert "go on with: cnnctl resume" in out


def test_a_fault_is_told_once(spec, tmp_path):
    spec.write_text(spec.read_text().replace("kernel_size", "kernal_size"))
    code, out, err = ended(begun(tmp_path, "train", spec))
    assert (code, out) == (2, "")
    assert err.count("unknown argument `kernal_size`") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("words", "told"), [
    (["launch", "-n", "2", "--", "evaluate", "x"], "starts train or resume, not `evaluate`"),
    (["train", "two.yaml", "--set", "fit.distribute=multi_worker"], "cnnctl launch -n 2"),
    (["launch", "--", "train", "two.yaml", "--set", "fit.distribute=mirrored"], "says mirrored"),
    (["train", "two.yaml", "--device", "gpu:0,gpu:1"], "fit.distribute"),
    (["train", "two.yaml", "--device", "cpu:0,cpu:1"], "fit.distribute"),
    (["train", "two.yaml", "--set", "fit.distribute=mirrored", "--device", "cpu:0,cpu:7"],
     "which are `cpu:0,cpu:1`"),
    (["train", "two.yaml", "--device", "cpu:0,gpu:1"], "unknown device"),
])  # fmt: skip
def test_what_cannot_be_is_told(words, told, spec, cnnctl):
    done = cnnctl(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_processes_that_would_train_different_things_are_refused(spec, tmp_path):
    """As by hand on two machines, of which one has another spec."""
    other = tmp_path / "other.yaml"
    other.write_text(spec.read_text().replace("filters: 4", "filters: 5"))
    from cnnctl.compute.cluster import to_tensorflow
    from cnnctl.compute.launch import _addresses

    addresses = _addresses(2)
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "cnnctl", "train", path, "--set", "fit.distribute=multi_worker"],
            cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "TF_CONFIG": to_tensorflow(addresses, index)},
        )
        for index, path in enumerate((spec, other))
    ]  # fmt: skip
    for process in started:
        code, _, err = ended(process)
        assert code == 2, err
        assert "worker 1" in err
        assert "another spec" in err
    assert not (tmp_path / "runs").exists()
