"""Functions of the epoch as schedules of the learning rate."""

import json
import math

import numpy as np
import pytest

from cnnctl.errors import SpecError
from cnnctl.specs import load
from cnnctl.specs.rate_expressions import ExpressionError
from cnnctl.specs.schedules import make

SPEC = """\
data: {dataset: {xo: {count: 32, test_count: 8}}}
model:
  layers: [Flatten, {Dense: {units: 2, activation: softmax}}]
compile: {optimizer: adam, loss: sparse_categorical_crossentropy}
fit:
  epochs: 4
  callbacks:
    - LearningRateScheduler: {schedule: {saw: {top: 0.5}}}
"""


def saw(epoch: int, lr: float, top: float, period: int = 3, epochs: int = 1):
    """A saw's teeth.

    Args:
        top: The highest rate.
        period: Epochs of a tooth.
    """
    return np.float32(top * (1 - (epoch % period) / epochs))


def rate_of(path, *overrides):
    spec = load(path, overrides)
    return make(spec.fit.callbacks[0].arguments["schedule"], spec.fit.epochs)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "net.yaml").write_text(SPEC)
    return tmp_path / "net.yaml"


def test_its_rates_are_those_of_the_function(register, path):
    register(saw)
    rates = [rate_of(path)(epoch, 0.1) for epoch in range(4)]
    assert rates == [0.5, 0.375, 0.25, 0.5]  # by hand: 1 - 0/4, 1 - 1/4, 1 - 2/4, 1 - 0/4
    assert all(type(rate) is float for rate in rates)


def test_it_stands_where_another_schedule_may(register, path):
    register(saw)
    after = "{saw: {top: 1, period: 2}}"
    schedule = f"{{warm_up: {{initial_learning_rate: 0.2, warm_up_epochs: 2, after: {after}}}}}"
    rates = rate_of(path, f"fit.callbacks.0.LearningRateScheduler.schedule={schedule}")
    assert [rates(epoch, 0.1) for epoch in range(4)] == pytest.approx([0.1, 0.2, 1.0, 0.5])


@pytest.mark.parametrize(
    ("override", "rule", "message"),
    [
        ("saw.tpo=1", "unknown-argument", "`tpo` of saw"),
        ("saw.top=high", "wrong-value", "`top` of saw takes a number"),
        ("saw.epochs=3", "managed-argument", "written once, as fit.epochs"),
        ("saw.lr=3", "managed-argument", "the learning rate so far"),
        ("saw.top=-1", "bad-schedule", "it gives -1, which is no learning rate, in epoch 0"),
        ("saw.period=0", "bad-schedule", "saw fails with ZeroDivisionError"),
    ],
)
def test_faults(override, rule, message, register, path):
    register(saw)
    with pytest.raises(SpecError) as raised:
        load(path, [f"fit.callbacks.0.LearningRateScheduler.schedule.{override}"])
    (found,) = raised.value.diagnostics
    assert (found.rule, message in found.message) == (rule, True), found


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.1", None, True, [0.1]])
def test_what_is_no_rate(value, register, path):
    def saw(epoch, lr, top):
        return value

    register(saw)
    with pytest.raises(SpecError, match=r"no learning rate|no number"):
        load(path)


def test_a_failure_beyond_the_epochs_that_are_tried(register, path):
    def saw(epoch, lr, top):
        return 1 / (2000 - epoch)

    register(saw)
    with pytest.raises(ExpressionError, match="ZeroDivisionError: division by zero, in epoch 2000"):
        rate_of(path)(2000, 0.1)


PLUGIN = """\
import cnnctl

@cnnctl.register
def saw(epoch, lr, top: float):
    return top / (1 + epoch)
"""


def test_it_goes_on_where_it_was(cnnctl, tmp_path, path):
    (tmp_path / "saw.py").write_text(PLUGIN)
    words = ("--plugin", "saw.py")
    done = cnnctl("train", "net.yaml", *words, "--epochs", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("cnnctl evaluate runs/net/001 --plugin saw.py")
    assert cnnctl("resume", "runs/net/001", "--epochs", "4", *words).returncode == 0
    lines = (tmp_path / "runs/net/001/metrics.jsonl").read_text().splitlines()
    rates = [json.loads(line)["learning_rate"] for line in lines]
    assert rates == pytest.approx([1 / 2, 1 / 4, 1 / 6, 1 / 8])
    (plugin,) = json.loads((tmp_path / "runs/net/001/environment.json").read_text())["plugins"]
    assert plugin["names"] == ["saw"]
    done = cnnctl("resume", "runs/net/001", "--epochs", "5")
    assert done.returncode == 2
    assert "made with the plug-in saw.py" in done.stderr
