"""What tests share: the installed command as a subprocess, small specs, the complete data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cnnctl.compute.plan import has_bfloat16

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

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


@pytest.fixture
def cnnctl(tmp_path):
    """Run the installed command in an empty folder; returns the finished process."""
    program = shutil.which("cnnctl", path=str(Path(sys.executable).parent))
    assert program, "cnnctl is not installed beside this Python: pip install -e '.[dev]'"

    def run(*arguments, cwd=tmp_path, env=None, **options):
        clean = {k: v for k, v in os.environ.items() if k not in {"CNNCTL_DATA_DIR", "FORCE_COLOR"}}
        return subprocess.run(
            [program, *map(str, arguments)],
            cwd=cwd,
            env={**clean, "COLUMNS": "160", **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            **options,
        )

    return run


@pytest.fixture
def xo_spec(tmp_path):
    """The path of a small whole spec."""
    path = tmp_path / "tiny.yaml"
    path.write_text(XO)
    return path


@pytest.fixture(scope="session")
def data_dir():
    """The folder with the complete data sets; skips the test where there is none."""
    folder = os.environ.get("CNNCTL_DATA_DIR")
    if not folder or not (Path(folder) / "mnist.npz").exists():
        pytest.skip("CNNCTL_DATA_DIR names no folder with the complete mnist.npz")
    return Path(folder)
