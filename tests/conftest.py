"""What tests share: the installed command as a process, small specs, the complete data."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Before numpy is imported: a process forks whole only while it has no threads (`commands.py`), and
# those of two pytest processes would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# In the background of a shell pytest ignores SIGINT, and so would what tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

import commands  # noqa: E402
import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402
from hypothesis import settings  # noqa: E402

from cnnctl.compute.plan import has_bfloat16  # noqa: E402

HELD_BELOW_BFLOAT16 = pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ and not has_bfloat16(),
    reason="TensorFlow asks the processor for bfloat16, and oneDNN is held below it: it crashes",
)
"""For tests of layers in bfloat16; a processor that really lacks it computes them by other code."""

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = ROOT / "configs"

XO = """\
name: tiny
data:
  dataset: {xo: {count: 120, test_count: 40, translate: 1}}
  normalize: signed
  validation: 20
  validation_from: end
model:
  input_shape: [9, 9, 1]
  layers:
    - Conv2D: {filters: 4, kernel_size: 3, activation: relu}
    - MaxPooling2D
    - Dropout: {rate: 0.2}
    - Flatten
    - Dense: {units: 2, activation: softmax}
compile:
  optimizer: {Adam: {learning_rate: 0.01}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
fit:
  batch_size: 16
  epochs: 3
"""
"""A whole spec that trains in a second on pictures that are made."""

EVERY = os.environ.get("CNNCTL_EVERY") == "1"
"""Whether everything is tested, as in `make soak`, instead of a selection."""

settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=1000)
settings.load_profile("soak" if EVERY else "suite")


def examples(count, **options):
    """Hypothesis's settings for a test: so many examples, the same ones each time; in `make soak`
    ten times as many, drawn anew."""
    return settings(max_examples=count * (10 if EVERY else 1), **options)


def pytest_collection_finish(session):
    collect_no_more()


def pytest_runtest_teardown(item, nextitem):
    if nextitem is None or nextitem.path != item.path:
        collect_no_more()


def collect_no_more():
    """Exclude from every later garbage collection what there is now: the million objects that
    TensorFlow's import makes, and what it keeps of each model. Converters collect each time, which
    took half a second, or several late in a long session."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def cnnctl(tmp_path):
    """Run the installed command in an empty folder; returns the finished process."""

    def run(*words, cwd=tmp_path, env=None, **options):
        clean = {k: v for k, v in os.environ.items() if k not in {"CNNCTL_DATA_DIR", "FORCE_COLOR"}}
        env = {**clean, "COLUMNS": "160", **(env or {})}
        streams = {"stdin": subprocess.DEVNULL, "capture_output": True}
        return commands.run(*words, cwd=cwd, env=env, **streams, **options)

    return run


@pytest.fixture
def xo_spec(tmp_path):
    """The path of a small whole spec."""
    path = tmp_path / "tiny.yaml"
    path.write_text(XO)
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A folder with `tiny.yaml` and its finished run `runs/tiny/001`, trained by the command once
    for all of pytest's processes. Tests change nothing in it: they copy it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each has a folder of its own in that of all
        root = root.parent
    folder = root / "finished"
    with FileLock(root / "finished.lock"):
        if not folder.exists():
            making = root / "making"
            making.mkdir()
            (making / "tiny.yaml").write_text(XO)
            commands.run("train", "tiny.yaml", cwd=making, check=True, capture_output=True)
            making.rename(folder)
    return folder


@pytest.fixture(scope="session")
def data_dir():
    """The folder with the complete data sets; skips the test where there is none."""
    folder = os.environ.get("CNNCTL_DATA_DIR")
    if not folder or not (Path(folder) / "mnist.npz").exists():
        pytest.skip("CNNCTL_DATA_DIR names no folder with the complete mnist.npz")
    return Path(folder)
