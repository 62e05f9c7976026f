"""A disk that is full, a folder that cannot be written, pictures and weights that are no numbers,
and signals: a clear message, a stable exit code, and the earlier checkpoints as they were."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from contextlib import suppress

import commands
import numpy as np
import pytest

from cnnctl.runs import checkpoint
from cnnctl.runs.run import Run, epoch_of
from reliability.helpers import RANDOM


def start(folder, *words, **options):
    return commands.start(
        *words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


def intact(run):
    for path in run.checkpoints():
        checkpoint.read(path)
    return [epoch_of(path) for path in run.checkpoints()]


WIDE = RANDOM.replace("filters: 4", "filters: 64").replace("epochs: 5", "epochs: 3")


def test_files_may_not_grow(tmp_path):
    """RLIMIT_FSIZE below a checkpoint's size, as a quota would be."""
    (tmp_path / "random.yaml").write_text(RANDOM)
    done = commands.run(
        "train", "random.yaml", cwd=tmp_path, capture_output=True, fresh=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert re.search(r"error: cannot write .*epoch-0001: File too large", done.stderr)
    assert "Traceback" not in done.stderr
    run = Run(tmp_path / "runs/random/001")
    assert run.checkpoints() == []
    assert not list(run.checkpoints_dir.glob(".partial-*"))
    assert run.state()["status"] == "failed"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(path):
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while True:
            os.write(file, b"\0" * 512)
    os.close(file)


def test_a_disk_that_fills_up(small_disk, tmp_path):
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 100000"))
    process = start(tmp_path, "train", "random.yaml", "--runs-dir", str(small_disk))
    for line in process.stderr:
        if line.startswith("epoch 3/"):
            break
    run = Run(small_disk / "random/001")
    fill(small_disk / "filler")
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 1, rest
    assert "No space left on device" in rest
    assert "free some space" in rest
    assert "Traceback" not in rest
    epochs = intact(run)
    reported = [int(n) for n in re.findall(r"^epoch (\d+)/", rest, re.MULTILINE)]
    assert epochs[-1] >= max(reported, default=3)
    (small_disk / "filler").unlink()
    words = ("resume", run, "--epochs", epochs[-1] + 1)
    again = commands.run(*words, cwd=tmp_path, capture_output=True)
    assert again.returncode == 0, again.stderr


def test_free_space_is_looked_at_before_the_first_epoch(small_disk, tmp_path):
    text = RANDOM.replace("- Flatten", "- Flatten\n    - Dense: {units: 2000}")
    (tmp_path / "random.yaml").write_text(text)
    words = ("train", "random.yaml", "--runs-dir", small_disk)
    done = commands.run(*words, cwd=tmp_path, capture_output=True)
    assert done.returncode == 1
    assert re.search(
        r"the checkpoints need about [\d.]+ MB, and .* has [\d.]+ MB free", done.stderr
    )
    assert "epoch 1/" not in done.stderr


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "random.yaml").write_text(RANDOM)
    (tmp_path / "readonly").mkdir(mode=0o555)
    if os.access(tmp_path / "readonly", os.W_OK):
        (tmp_path / "readonly").rmdir()
        (tmp_path / "readonly").write_text("a file in its place: root may write everywhere")
    words = ("train", "random.yaml", "--runs-dir", "readonly")
    done = commands.run(*words, cwd=tmp_path, capture_output=True)
    assert done.returncode == 1
    assert "cannot write readonly/random" in done.stderr
    assert "--runs-dir" in done.stderr


def test_one_picture_that_is_no_number(cnnctl, tmp_path):
    random = np.random.default_rng(0)
    x = random.random((96, 9, 9), np.float32)
    y = random.integers(0, 2, 96)
    x[40, 3, 3] = np.nan
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x[:30], y_test=y[:30])
    old = "{xo: {count: 96, test_count: 32, translate: 1}}"
    text = RANDOM.replace(old, "{npz: {path: d.npz}}").replace("standard", "none")
    (tmp_path / "random.yaml").write_text(text)
    done = cnnctl("train", "random.yaml")
    assert done.returncode == 1
    assert "x_train is not finite: picture 40" in done.stderr
    assert not (tmp_path / "runs").exists()


PLUGIN = """\
import cnnctl
import keras
import tensorflow as tf


@cnnctl.register
class Spoils(keras.layers.Layer):
    '''Makes one weight no number in an epoch, as a faulty kernel would, and leaves the loss.'''

    def __init__(self, what: str = "weight", **kwargs):
        super().__init__(**kwargs)
        self.what = what

    def build(self, shape):
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")
        self.spoilt = self.add_weight(shape=(2,), initializer="zeros", trainable=False, name="s")

    def call(self, x, training=False):
        if training:
            self.seen.assign_add(1.0)
            bad = tf.where(self.seen.value > 11.0, float("nan"), 0.0)  # five steps are an epoch
            if self.what == "weight":
                self.spoilt.assign(self.spoilt + bad)
            else:
                x = x + bad
        return x
"""


@pytest.mark.parametrize("what", ["weight", "loss"])
def test_divergence_is_caught_before_a_checkpoint(what, cnnctl, tmp_path):
    """The epoch and the first such layer are named, and the last good checkpoint is as it was."""
    (tmp_path / "p.py").write_text(PLUGIN)
    text = RANDOM.replace("- Dropout: {rate: 0.3}", f"- Spoils: {{what: {what}, name: spoils}}")
    (tmp_path / "random.yaml").write_text(text)
    done = cnnctl("train", "random.yaml", "--plugin", "p.py")
    assert done.returncode == 1, done.stderr
    assert "the training diverged: in epoch 3" in done.stderr
    assert "`spoils`" in done.stderr if what == "weight" else "loss is nan" in done.stderr
    assert "epoch-0002 is the last good checkpoint" in done.stderr
    run = Run(tmp_path / "runs/random/001")
    assert intact(run) == [1, 2]
    assert run.state()["status"] == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_says_what_is_kept_and_how_to_go_on(number, tmp_path):
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 100000"))
    process = start(tmp_path, "train", "random.yaml")
    for line in process.stderr:
        if line.startswith("epoch 2/"):
            break
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "go on with: cnnctl resume runs/random/001" in out
    run = Run(tmp_path / "runs/random/001")
    epochs = len(run.history())
    assert re.search(rf"{epochs} finished epochs? (is|are) kept", out)
    assert intact(run)[-1] == epochs
    assert run.model_path.exists()
    again = start(tmp_path, *f"resume runs/random/001 --epochs {epochs + 1}".split())
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert len(run.history()) == epochs + 1


def test_tensorboard_has_every_epoch_after_a_signal(tmp_path):
    """Keras closes its writer only after a training that nothing interrupts."""
    text = RANDOM.replace("epochs: 5", "epochs: 100000\n  callbacks: [TensorBoard]")
    (tmp_path / "random.yaml").write_text(text)
    process = start(tmp_path, "train", "random.yaml")
    for line in process.stderr:
        if line.startswith("epoch 13/"):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = Run(tmp_path / "runs/random/001")
    events = EventAccumulator(str(run.path / "tensorboard/train"), {"tensors": 0})
    events.Reload()
    assert len(events.Tensors("epoch_loss")) >= len(run.history()) >= 13


def test_a_signal_that_waits_for_the_epoch(tmp_path):
    """An epoch of a second or more: the signal comes within it, and it is finished and kept."""
    text = RANDOM.replace("count: 96", "count: 4000").replace("epochs: 5", "epochs: 100000")
    (tmp_path / "random.yaml").write_text(text.replace("batch_size: 16", "batch_size: 4"))
    process = start(tmp_path, "train", "random.yaml", "--finish-epoch")
    for line in process.stderr:
        if line.startswith("epoch 1/"):
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "2 finished epochs are kept" in out


def test_a_second_signal_stops_at_once(tmp_path):
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 100000"))
    for delay in (0.0, 0.02, 0.1):
        shutil.rmtree(tmp_path / "runs", ignore_errors=True)
        process = start(tmp_path, "train", "random.yaml", "--finish-epoch")
        for line in process.stderr:
            if line.startswith("epoch 2/"):
                break
        process.send_signal(signal.SIGTERM)
        time.sleep(delay)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 143, err
        assert "Traceback" not in err
        run = Run(tmp_path / "runs/random/001")
        assert intact(run)[-1] >= 2


@pytest.mark.parametrize("delay", [0.2, 1.0, 2.0])
def test_sigterm_before_the_first_step(delay, tmp_path):
    (tmp_path / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 100000"))
    process = start(tmp_path, "train", "random.yaml")
    time.sleep(delay)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    # While Python itself starts, the signal ends it; to a shell both are 143.
    assert process.returncode in ({143, -15} if delay < 1 else {143}), err
    assert "Traceback" not in err


def test_train_resume_begins_where_there_is_nothing_to_go_on_with(cnnctl, tmp_path):
    (tmp_path / "random.yaml").write_text(RANDOM)
    first = cnnctl("train", "random.yaml", "--resume", "--epochs", "2", "--json")
    assert first.returncode == 0, first.stderr
    assert "a new one" in first.stderr
    again = cnnctl("train", "random.yaml", "--resume", "--epochs", "2", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["unchanged"]
    more = cnnctl("train", "random.yaml", "--resume")
    assert more.returncode == 0, more.stderr
    assert "goes on after epoch 2" in more.stderr
    assert {path.name for path in (tmp_path / "runs/random").iterdir()} == {"001"}
    changed = cnnctl("train", "random.yaml", "--resume", "--set", "fit.batch_size=8")
    assert changed.returncode == 2
    assert "fit.batch_size: 16 in the run, 8 now" in changed.stderr
    assert "--allow fit" in changed.stderr
    assert cnnctl("train", "random.yaml", "--allow", "fit").returncode == 2
    assert cnnctl("resume", "runs/random", "--allow", "everything").returncode == 2
    reproduced = cnnctl("reproduce", "runs/random")
    assert reproduced.returncode == 0, reproduced.stderr
    assert "every figure of 5 epochs is the same, and the last weights have the same bits" in (
        reproduced.stdout
    )
