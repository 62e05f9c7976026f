"""Workers on two machines, which share a database and no folder: Optuna's heartbeat decides."""

import json
import signal
import subprocess
import sys
import time

import pytest
from conftest import XO

pytest.importorskip("optuna", reason="the extra `sweep` is not installed")

from cnnctl.runs.run import Run
from cnnctl.sweep.request import Request, Task
from cnnctl.sweep.study import open_trials, settle
from cnnctl.sweep.sweep_folder import SweepFolder
from cnnctl.sweep.table import rows

PROGRAM = """
import cnnctl.sweep.storage as storage
storage.INTERVAL, storage.GRACE = 1, 4
from cnnctl.sweep.worker_main import main
main()
"""
RATE = "compile.optimizer.Adam.learning_rate"


def start(tmp_path, machine):
    """A worker on a machine that has a folder of runs of its own."""
    request = Request(
        spec=tmp_path / "tiny.yaml", over=[f"{RATE}=1e-2,1e-3"], name="tiny", method="grid",
        prune="none", monitor="val_loss", storage=f"sqlite:///{tmp_path}/shared.db",
        runs_dir=tmp_path / machine,
    )  # fmt: skip
    definition, _ = settle(request)
    folder = SweepFolder(request.runs_dir / "sweeps/tiny")
    folder.make()
    trials = open_trials(definition, "tiny", request.storage, folder, None)
    with (tmp_path / f"{machine}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=log, stderr=log,
            text=True, cwd=tmp_path,
        )  # fmt: skip
    process.stdin.write(Task(request, [], definition.to_dict()).to_json() + "\n")
    process.stdin.flush()
    return process, trials


def epochs(run):
    path = run / "metrics.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "asleep"])
def test_the_trial_of_a_machine_that_is_gone(number, tmp_path):
    """It is retried after the grace period; a machine that comes back leaves it to the other."""
    (tmp_path / "tiny.yaml").write_text(XO.replace("epochs: 3", "epochs: 16"))
    far, trials = start(tmp_path, "far")
    deadline = time.monotonic() + 120
    while epochs(tmp_path / "far/tiny/001") < 2:
        assert far.poll() is None, (tmp_path / "far.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    far.send_signal(number)
    near, _ = start(tmp_path, "near")
    # A worker whose standard input is closed would end.
    try:
        while epochs(tmp_path / "near/tiny/002") < 2 and near.poll() is None:
            time.sleep(0.05)
    finally:
        far.send_signal(signal.SIGCONT)
    assert near.wait(timeout=180) == 0, (tmp_path / "near.log").read_text()
    ended = -9 if number == signal.SIGKILL else 0
    assert far.wait(timeout=180) == ended, (tmp_path / "far.log").read_text()
    found = rows(trials.all(), 2, trials.definition.space, 16)
    assert [(row.state, row.losses, row.epoch) for row in found] == [
        ("finished", 1, 16), ("finished", 0, 16),
    ]  # fmt: skip
    for row in found:
        (name,) = row.runs
        run = Run(tmp_path / "near" / name)
        assert row.value == min(each["val_loss"] for each in run.history())
        assert f"{RATE}={row.values[RATE]}" in run.environment()["overrides"]
    assert epochs(tmp_path / "far/tiny/001") < 16
    assert not (tmp_path / "far/tiny/002").exists()
    state = json.loads((tmp_path / "far/tiny/001/state.json").read_text())
    assert state["status"] == ("running" if number == signal.SIGKILL else "stopped")
