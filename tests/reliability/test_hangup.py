"""A terminal that is closed while a training runs in it, as by a lost connection."""

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import termios
import threading
from contextlib import contextmanager
from pathlib import Path

import commands
import pytest

from cnnctl.runs import checkpoint
from cnnctl.runs.run import Run, epoch_of
from reliability.helpers import RANDOM

RATE = "compile.optimizer.Adam.learning_rate"


class Terminal:
    """A pseudo-terminal that a process controls; what it shows is read until it is closed."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.shown = ""
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)

    def start(self, folder, *words, **options):
        """Run a command whose session this is the terminal of."""

        def control():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen(
            words, cwd=folder, stdin=self.slave, stdout=self.slave, stderr=self.slave,
            start_new_session=True, preexec_fn=control, env={**os.environ, "COLUMNS": "160"},
            **options,
        )  # fmt: skip
        os.close(self.slave)
        self.reader.start()
        return process

    def read(self):
        while True:
            try:
                text = os.read(self.master, 4096)
            except OSError:
                return
            with self.changed:
                self.shown += text.decode(errors="replace")
                self.changed.notify_all()

    def until(self, condition, process):
        """Wait until something is so."""
        with self.changed:
            while not condition():
                assert process.poll() is None, self.shown
                self.changed.wait(0.05)

    def close(self):
        """Hang up: the system tells the process by SIGHUP."""
        os.close(self.master)


@contextmanager
def terminal(folder, *words, **options):
    """A command in a terminal; whatever happens, it does not outlive the block."""
    made = Terminal()
    process = made.start(folder, *words, **options)
    try:
        yield made, process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def epochs(run):
    return len(run.history()) if (run.path / "metrics.jsonl").exists() else 0


def intact(run):
    for path in run.checkpoints():
        checkpoint.read(path)
    return epoch_of(run.checkpoints()[-1])


def test_a_closed_terminal_stops_a_training_which_goes_on_later(tmp_path):
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 100000"))
    run = Run(tmp_path / "runs/random/001")
    done = 0
    for words in (["train", "random.yaml"], ["resume", "runs/random/001"]):
        with terminal(tmp_path, commands.PROGRAM, *words) as (made, process):
            made.until(lambda: epochs(run) >= done + 2, process)  # noqa: B023
            made.close()
            assert process.wait(60) == 129
        assert json.loads((run.path / "state.json").read_text())["status"] == "stopped"
        assert done + 2 <= intact(run) == epochs(run)
        assert run.model_path.exists()
        done = epochs(run)


@pytest.mark.parametrize("words", [
    ["sweep", "random.yaml", "--over", f"{RATE}=1e-2,1e-3"],
    ["launch", "-n", "2", "--", "train", "random.yaml"],
])  # fmt: skip
def test_a_closed_terminal_stops_several_processes(words, tmp_path):
    """None outlives the command, and each run is stopped as by any signal."""
    text = RANDOM.replace("epochs: 5", "epochs: 100000").replace("    - BatchNormalization\n", "")
    (tmp_path / "random.yaml").write_text(text)
    run = Run(tmp_path / "runs/random/001")
    with terminal(tmp_path, commands.PROGRAM, *words) as (made, process):
        made.until(lambda: epochs(run) >= 2, process)
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert listed
        made.close()
        assert process.wait(60) == 129
    assert not any(Path(f"/proc/{number}").exists() for number in listed)
    assert json.loads((run.path / "state.json").read_text())["status"] == "stopped"
    assert intact(run) == epochs(run)


@pytest.mark.parametrize("by", ["nohup", "the parent"])
def test_a_training_that_ignores_it_outlives_its_terminal(by, tmp_path):
    """Started by `nohup`; or by a parent that ignores SIGHUP, so that it goes on writing to the
    terminal that is gone: the live table, the figures."""
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 60"))
    run = Run(tmp_path / "runs/random/001")
    words = [commands.PROGRAM, "train", "random.yaml"]
    if by == "nohup":
        words = ["nohup", *words]
    else:
        words = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *words]
    with terminal(tmp_path, *words) as (made, process):
        made.until(lambda: epochs(run) >= 2, process)
        made.close()
        assert process.wait(120) == 0
    assert json.loads((run.path / "state.json").read_text())["status"] == "finished"
    assert epochs(run) == 60
    if by == "nohup":
        assert "best epoch: " in (tmp_path / "nohup.out").read_text()


def test_it_is_said_twice_and_is_no_second_signal(tmp_path):
    """The shell passes SIGHUP on, and the system sends another when the shell ends: the epoch is
    finished all the same, as `--finish-epoch` promises. SIGTERM after it is a second signal."""
    text = RANDOM.replace("count: 96", "count: 4000").replace("epochs: 5", "epochs: 100000")
    (tmp_path / "random.yaml").write_text(text.replace("batch_size: 16", "batch_size: 4"))
    for number, after, kept in ((1, [signal.SIGHUP] * 2, 2), (2, [signal.SIGTERM], 1)):
        process = commands.start(
            "train", "random.yaml", "--finish-epoch", cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        for line in process.stderr:
            if line.startswith("epoch 1/"):
                break
        process.send_signal(signal.SIGHUP)
        for each in after:
            process.send_signal(each)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 128 + after[-1], err
        assert "Traceback" not in err
        assert re.search(rf"{kept} finished epochs? (is|are) kept", out), out
        assert f"go on with: cnnctl resume runs/random/00{number}" in out
