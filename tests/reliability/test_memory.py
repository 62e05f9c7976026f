"""The memory of a long training: an epoch leaves nothing behind but its line of the history."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CONFIGS

from cnnctl.specs import load
from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.network.build import build, compile_model  # noqa: E402
from cnnctl.network.weights import to_bytes  # noqa: E402

LONG = "CNNCTL_KILLS" in os.environ

MEASURING = """\
import re, sys
from pathlib import Path
import cnnctl

class Watching(Observer):
    def started(self, facts): pass
    def epoch_began(self, epoch, learning_rate): pass
    def step_ended(self, step, logs): pass
    def epoch_ended(self, row, improved):
        if row["epoch"] in (first, last):
            text = Path("/proc/self/status").read_text()
            print(re.search(r"VmRSS:\\s+(\\d+)", text)[1], flush=True)

first, last = map(int, sys.argv[2:])
cnnctl.train(cnnctl.load(sys.argv[1], [f"fit.epochs={last}"]), runs_dir=Path("runs"),
             observers=[Watching()], device="cpu")
"""


@pytest.mark.skipif(not LONG, reason="2,000 epochs; `make soak` trains them")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell")
def test_a_long_training_takes_no_more_memory(tmp_path):
    """The resident set, from epoch 200 to epoch 2,000 of `xo.yaml`, in a process of its own."""
    first, last = 200, 2000
    done = subprocess.run(
        [sys.executable, "-c", MEASURING, CONFIGS / "xo.yaml", str(first), str(last)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = map(int, re.findall(r"^\d+$", done.stdout, re.MULTILINE))
    each = (after - before) / (last - first)
    print(f"\nfrom {before / 1000:.1f} to {after / 1000:.1f} MB: {each:.2f} kB per epoch")
    assert each <= 5


def test_saving_a_model_again_makes_no_variable(monkeypatch):
    """Keras would make an optimizer for each save, of which TensorFlow keeps 70 kB."""
    spec = load(CONFIGS / "xo.yaml")
    model = build(spec, (9, 9, 1))
    compile_model(model, spec)
    model.optimizer.build(model.trainable_variables)
    once = to_bytes(model)
    made = []
    make = keras.Variable.__init__

    def counted(self, *arguments, **options):
        made.append(self)
        make(self, *arguments, **options)

    monkeypatch.setattr(keras.Variable, "__init__", counted)
    assert to_bytes(model) == once
    assert not made
    keras.optimizers.Optimizer(0.1)
    assert len(made) == 2  # its iterations and its learning rate are counted
