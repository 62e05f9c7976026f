"""What a plan is worth in a run: recorded, printed, kept by whoever goes on."""

import json
import os
import shutil
import time

import commands
import numpy as np
import pytest
from conftest import XO
from reliability.helpers import arrays, figures, same_bits

from cnnctl.compute.observer import Observer
from cnnctl.compute.plan import has_bfloat16
from cnnctl.errors import RunError
from cnnctl.runs.run import Run
from cnnctl.specs import load
from cnnctl.startup import quiet

quiet()

from cnnctl.compute.feed import Feed  # noqa: E402
from cnnctl.data.dataset import Split, on_disk  # noqa: E402
from cnnctl.data.pixel_normalization import Normalization  # noqa: E402
from cnnctl.runs import checkpoint  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

PARTED = XO.replace("fit:", "  parts: 2\n  threads: 2\nfit:")


def write(folder, text=XO):
    (folder / "tiny.yaml").write_text(text)


def test_the_plan_is_printed_and_recorded(cnnctl, tmp_path):
    write(tmp_path, PARTED)
    done = cnnctl("train", "tiny.yaml", "--epochs", 1)
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stderr.splitlines() if line.startswith("steps: "))
    assert line == (
        "steps: float32, each batch in 2 parts side by side, 1 thread an operation, 7 steps a call"
    )
    plan = Run(tmp_path / "runs/tiny/001").environment()["plan"]
    assert plan == {"parts": 2, "intra_op": 1, "inter_op": 2, "steps_per_execution": 7,
                    "precision": "float32", "fused": True, "reason": "",
                    "reordered": True}  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processors cannot be taken away")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one processor")
def test_a_run_goes_on_with_fewer_processors_to_the_same_bits(tmp_path):
    """The plan is the run's, not that of the machine that it goes on with."""
    every = os.sched_getaffinity(0)

    def call(*words, cpus):
        os.sched_setaffinity(0, cpus)
        try:
            commands.run(*words, cwd=tmp_path, check=True, capture_output=True)
        finally:
            os.sched_setaffinity(0, every)

    write(tmp_path)
    call("train", "tiny.yaml", "--epochs", 3, "--runs-dir", "whole", cpus=every)
    call("train", "tiny.yaml", "--epochs", 1, cpus=every)
    call("resume", "runs/tiny", "--epochs", 3, cpus={min(every)})
    whole, resumed = Run(tmp_path / "whole/tiny/001"), Run(tmp_path / "runs/tiny/001")
    assert resumed.environment()["plan"]["parts"] == min(2, len(every))
    assert figures(whole) == figures(resumed)
    assert same_bits(arrays(whole), arrays(resumed))
    call("reproduce", "whole/tiny/001", cpus={min(every)})


@pytest.mark.skipif(not has_bfloat16(), reason="this processor has no bfloat16")
@pytest.mark.skipif(os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0", reason="oneDNN is turned off")
def test_half_precision_is_asked_for_and_stays_near(cnnctl, tmp_path):
    write(tmp_path)
    for precision in ("float32", "mixed_bfloat16"):
        done = cnnctl("train", "tiny.yaml", "--precision", precision, "--runs-dir", precision)
        assert done.returncode == 0, done.stderr
        assert f"steps: {precision}," in done.stderr
    exact, mixed = (Run(tmp_path / p / "tiny/001") for p in ("float32", "mixed_bfloat16"))
    assert load(mixed.spec_path).compile.precision == "mixed_bfloat16"
    losses = [[row["loss"] for row in run.history()] for run in (exact, mixed)]
    assert losses[0] != losses[1]
    # bfloat16 has eight bits: each product is off by up to 0.4 %, their mean by far less.
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.05)
    assert all(value.dtype == np.float32 for key, value in arrays(mixed).items() if "kernel" in key)
    done = cnnctl("evaluate", mixed.path, "--json")
    recorded = json.loads((mixed.path / "evaluation.json").read_text())
    assert json.loads(done.stdout)["figures"] == recorded["figures"]


def test_xla_gives_the_same_figures(cnnctl, tmp_path):
    """100 pictures in batches of 16: a program for the batches, and another for the last four."""
    write(tmp_path, "deterministic: false\n" + XO.replace("    - Dropout: {rate: 0.2}\n", ""))
    programs = tmp_path / "programs"
    found = []
    for jit in ("true", "false"):
        words = ("--set", f"compile.jit_compile={jit}", "--runs-dir", jit)
        done = cnnctl("train", "tiny.yaml", *words, env={"XLA_FLAGS": f"--xla_dump_to={programs}"})
        assert done.returncode == 0, done.stderr
        found.append(figures(Run(tmp_path / jit / "tiny/001")))
        assert any(programs.iterdir())
        if jit == "true":
            shutil.rmtree(programs)
            programs.mkdir()
            (programs / "none").touch()
    assert [each.name for each in programs.iterdir()] == ["none"]
    for one, other in zip(*found, strict=True):
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-4, err_msg=name)


def test_xla_is_refused_where_it_would_be_left_out(cnnctl, tmp_path):
    write(tmp_path)
    done = cnnctl("check", "tiny.yaml", "--set", "compile.jit_compile=true")
    assert done.returncode == 2
    assert "`deterministic: false`" in done.stderr


def test_pictures_on_the_disk_give_the_same_batches(tmp_path):
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)
    y = random.integers(0, 5, 50)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert on_disk(mapped)
    found = []
    for images in (x, mapped):
        feed = Feed(Split(images, y), Normalization("unit", (0.0,), (255.0,)), batch_size=8,
                    classes=5, shuffle=True, seed=7)  # fmt: skip
        for epoch in (0, 1, 0):
            feed.set_epoch(epoch)
            batches = [feed.read(element) for element in feed.dataset]
            found.append([np.concatenate([np.asarray(b[i]) for b in batches]) for i in (0, 1)])
    for memory, disk in zip(found[:3], found[3:], strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(memory, disk, strict=True))
    assert np.array_equal(found[0][0], found[2][0])
    assert not np.array_equal(found[0][0], found[1][0])
    scaled = (x / np.float32(255)).astype("float32")
    expected = sorted(zip(map(bytes, scaled), y.tolist(), strict=True))
    labels = found[0][1].argmax(1).tolist()
    assert sorted(zip(map(bytes, found[0][0]), labels, strict=True)) == expected


class Heard(Observer):
    """An observer that writes down what it hears, and looks whether it is on the disk."""

    def __init__(self):
        self.run = None
        self.heard = []

    def started(self, facts):
        self.run = facts.run

    def epoch_began(self, epoch, learning_rate):
        self.heard.append(("began", epoch))

    def step_ended(self, step, logs):
        self.heard.append(("step", step))

    def epoch_ended(self, row, improved):
        assert self.run.history()[-1] == row
        assert self.run.checkpoint("last").name == f"epoch-{row['epoch']:04d}"
        self.heard.append(("ended", row["epoch"]))


def test_an_epoch_is_written_while_the_next_one_computes(tmp_path, monkeypatch):
    """And is told of when it is on the disk, not before."""
    write(tmp_path)
    quick = checkpoint.write

    def slow(path, files):
        time.sleep(1)
        quick(path, files)

    monkeypatch.setattr(checkpoint, "write", slow)
    spec = load(tmp_path / "tiny.yaml", ["compile.steps_per_execution=1"])
    observer = Heard()
    train(spec, runs_dir=tmp_path / "runs", device="cpu", observers=[observer])
    heard = observer.heard
    assert [each for each in heard if each[0] == "ended"] == [("ended", n) for n in (1, 2, 3)]
    first = heard.index(("ended", 1))
    assert first > heard.index(("began", 2)) + 3
    assert heard[-1] == ("ended", 3)


def test_an_epoch_that_cannot_be_written_ends_the_training(tmp_path, monkeypatch):
    write(tmp_path)
    quick = checkpoint.write

    def full(path, files):
        if path.name == "epoch-0002":
            raise RunError("no space left")
        quick(path, files)

    monkeypatch.setattr(checkpoint, "write", full)
    observer = Heard()
    with pytest.raises(RunError, match="no space left"):
        train(load(tmp_path / "tiny.yaml"), runs_dir=tmp_path / "runs", device="cpu",
              observers=[observer])  # fmt: skip
    assert [each for each in observer.heard if each[0] == "ended"] == [("ended", 1)]
    assert observer.run.state()["status"] == "failed"
    assert len(observer.run.history()) == 1
