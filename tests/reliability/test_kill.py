"""A process that is killed at any moment: what was reported is there, and the run goes on.

`CNNCTL_KILLS` says how many kills there are (`make soak`: 100 and more).
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import commands
import pytest

from cnnctl.runs import checkpoint
from cnnctl.runs.run import Run, epoch_of
from cnnctl.specs import load
from cnnctl.startup import quiet
from reliability.helpers import RANDOM, Killed, arrays, figures, same_bits

quiet()

from cnnctl.training.resume import resume  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

LONG = "CNNCTL_KILLS" in os.environ
KILLS = int(os.environ.get("CNNCTL_KILLS", "3"))
SEED = int(os.environ.get("CNNCTL_SEED", "0"))


def start(folder, *words, **options):
    return commands.start(
        *words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options
    )


def test_sigkill_at_random_moments(tmp_path):
    """Killed again and again, the run still reaches the bits of one that was left alone."""
    chance = random.Random(SEED)
    epochs = max(30, 10 * KILLS)
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", f"epochs: {epochs}"))
    run = Run(tmp_path / "runs/random/001")
    kills = reported = 0
    while kills < KILLS:
        words = ["resume", "runs/random/001"] if run.environment() else ["train", "random.yaml"]
        # From the imports on; most kills come while epochs end, one every few hundredths of a
        # second.
        until = None if chance.random() < 0.9 else time.monotonic() + chance.uniform(0, 4)
        process = start(tmp_path, *words, fresh=until is not None)
        for line in process.stderr:
            if match := re.match(r"epoch (\d+)/", line):
                reported = max(reported, int(match[1]))
                until = until or time.monotonic() + chance.uniform(0, 0.4)
            if until and time.monotonic() >= until:
                break
        process.kill()
        rest = process.stderr.read()
        reported = max([reported, *map(int, re.findall(r"^epoch (\d+)/", rest, re.MULTILINE))])
        code = process.wait()
        assert code in {-signal.SIGKILL, 0}, rest
        if code == 0:
            break
        kills += 1
        found = run.checkpoints()
        newest = epoch_of(found[-1]) if found else 0
        assert newest >= reported, "a checkpoint that was reported as saved is lost"
        for path in found:
            checkpoint.read(path)
        if not run.environment() and run.path.exists():
            # Killed before it was told what it is: there is nothing to go on with.
            assert not found
            run = Run(run.path.with_name(f"{int(run.path.name) + 1:03d}"))
    done = commands.run("resume", run.path, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    print(f"\n{kills} kills survived, {epochs} epochs")
    # By the command as well: in this process TensorFlow may run with other threads, to other bits.
    words = ("train", "random.yaml", "--runs-dir", "straight")
    done = commands.run(*words, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    expected = Run(tmp_path / "straight/random/001")
    assert run.environment()["plan"] == expected.environment()["plan"]
    assert figures(run) == figures(expected)
    assert same_bits(arrays(run), arrays(expected))


class States:
    """What a run's folder is before each change of the file system, as a kill would leave it."""

    def __init__(self, monkeypatch, run, folder):
        self.run, self.folder = run, folder
        self.wanted, self.reported = False, 0
        self.found = []
        """Each state once: its copy, and which epoch had been reported as finished."""
        self.last = None
        self.one_by_one = threading.RLock()
        """Checkpoints are written by a thread of their own."""
        for owner, name in (
            (os, "fsync"), (Path, "rename"), (Path, "replace"), (Path, "mkdir"),
            (Path, "symlink_to"), (Path, "unlink"), (Path, "rmdir"), (shutil, "rmtree"),
        ):  # fmt: skip
            monkeypatch.setattr(owner, name, self.watched(getattr(owner, name)))

    def watched(self, operation):
        def replacement(*arguments, **options):
            with self.one_by_one:
                self.keep()
                return operation(*arguments, **options)

        return replacement

    def keep(self):
        if not self.wanted:
            return
        state = {path: self.content(path) for path in self.run.rglob("*")}
        if (state, self.reported) != self.last:
            self.last = state, self.reported
            self.found.append((self.folder / str(len(self.found)), self.reported))
            shutil.copytree(self.run, self.found[-1][0], symlinks=True)

    @staticmethod
    def content(path):
        if path.is_symlink():
            return path.readlink()
        return path.read_bytes() if path.is_file() else None


class Third:
    """Watches from the beginning of the third epoch, while the second is being written, until the
    third is, and ends the training there."""

    def __init__(self, states):
        self.states = states

    def started(self, facts):
        pass

    def epoch_began(self, epoch, learning_rate):
        self.states.wanted = epoch >= 3

    def step_ended(self, step, logs):
        pass

    def epoch_ended(self, row, improved):
        self.states.reported = row["epoch"]
        if row["epoch"] == 3:
            self.states.keep()
            self.states.wanted = False
            raise Killed


def test_killed_at_every_change_of_the_file_system(tmp_path, monkeypatch):
    """Between any two operations of an epoch's end: fsync, rename, mkdir, symlink, unlink."""
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 4"))
    spec = load(tmp_path / "random.yaml")
    expected = train(spec, runs_dir=tmp_path / "straight", device="cpu").run
    states = States(monkeypatch, tmp_path / "runs/random/001", tmp_path / "states")
    with pytest.raises(Killed):
        train(spec, runs_dir=tmp_path / "runs", device="cpu", observers=[Third(states)])
    assert len(states.found) > 10
    assert [reported for _, reported in states.found[-2:]] == [2, 3]
    for folder, reported in states.found:
        run = Run(folder)
        for path in run.checkpoints():
            checkpoint.read(path)
        assert epoch_of(run.checkpoints()[-1]) >= reported
        resume(run.path, device="cpu")
        assert figures(run) == figures(expected)
        assert same_bits(arrays(run), arrays(expected))
        assert not list(run.path.rglob(".partial-*"))


def test_two_processes_in_one_run(tmp_path):
    """The second is refused while the first trains, and not after that one is dead."""
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 100000"))
    first = start(tmp_path, "train", "random.yaml")
    for line in first.stderr:
        if line.startswith("epoch 1/"):
            break
    second = commands.run("resume", "runs/random/001", cwd=tmp_path, capture_output=True)
    assert second.returncode == 1
    assert f"process {first.pid} trains in it" in second.stderr
    other = start(tmp_path, "train", "random.yaml", "--epochs", "1")
    other.communicate(timeout=60)
    assert other.returncode == 0
    assert (tmp_path / "runs/random/002/model.keras").exists()
    first.kill()
    first.communicate()
    third = start(tmp_path, "resume", "runs/random/001")
    for line in third.stderr:
        assert "in use" not in line
        if re.match(r"epoch \d", line):
            break
    third.send_signal(signal.SIGTERM)
    third.communicate(timeout=60)
    assert third.returncode == 143
    state = json.loads((tmp_path / "runs/random/001/state.json").read_text())
    assert state["status"] == "stopped"
