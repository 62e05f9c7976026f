"""The optimizer's state where other weights are trained: by weight, whatever its number."""

import numpy as np
import pytest

from cnnctl.compute.observer import Observer
from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
from conftest import XO  # noqa: E402

from cnnctl.specs import load  # noqa: E402
from cnnctl.training.optimizer_state import carry_over  # noqa: E402
from cnnctl.training.resume import resume  # noqa: E402
from cnnctl.training.train import train  # noqa: E402


def network(trained, optimizer, seed=0):
    """Three layers of the same shape, of which some are trained; its optimizer has some state."""
    layers = [keras.layers.Dense(4, name=name) for name in "abc"]
    model = keras.Sequential([keras.Input((4,)), *layers])
    for layer in layers:
        layer.trainable = layer.name in trained
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    random = np.random.default_rng(seed)
    for variable in model.optimizer.variables:
        variable.assign(random.integers(1, 99_999, variable.shape).astype("float32"))
    return model


def moments(model):
    """Adam's two moments of each weight: (layer, weight) -> arrays."""
    adam = model.optimizer
    slots = zip(model.trainable_variables, adam._momentums, adam._velocities, strict=True)
    return {tuple(w.path.split("/")[-2:]): (np.array(m), np.array(v)) for w, m, v in slots}


@pytest.mark.parametrize(("before", "now", "fresh"), [
    ("ab", "abc", ["c"]), ("abc", "bc", []), ("ab", "bc", ["c"]), ("a", "bc", ["b", "c"]),
])  # fmt: skip
def test_state_stays_with_its_weight(before, now, fresh):
    """Also where as many weights of the same shapes are trained, but others."""
    old = network(before, keras.optimizers.Adam())
    new = network(now, keras.optimizers.Adam(), seed=1)
    was, untouched = moments(old), moments(new)
    assert carry_over(old, new) == fresh
    found = moments(new)
    assert {layer for layer, _ in found} == set(now)
    for key, value in found.items():
        np.testing.assert_array_equal(value, (untouched if key[0] in fresh else was)[key])
    assert int(new.optimizer.iterations) == int(old.optimizer.iterations)


def test_momentum_that_was_not_there_starts_afresh():
    old = network("abc", keras.optimizers.SGD())
    new = network("abc", keras.optimizers.SGD(momentum=0.9))
    assert carry_over(old, new) == ["a", "b", "c"]
    assert int(new.optimizer.iterations) == int(old.optimizer.iterations)


def test_variables_of_one_name_go_together_or_not_at_all():
    old, new = (network("abc", keras.optimizers.Adafactor()) for _ in range(2))
    assert carry_over(old, new) == []
    assert carry_over(old, network("ab", keras.optimizers.Adafactor())) == ["a", "b"]


def test_a_run_goes_on_with_a_layer_released(tmp_path):
    (tmp_path / "tiny.yaml").write_text(XO)
    frozen, free = (f"model.layers.0.Conv2D.trainable={each}" for each in ("false", "true"))
    rate = "compile.optimizer.Adam.learning_rate=0.001"
    spec = load(tmp_path / "tiny.yaml", [frozen, "fit.epochs=1"])
    run = train(spec, runs_dir=tmp_path / "runs", device="cpu").run

    class Told(Observer):
        def started(self, facts):
            self.notes = facts.notes

    told = Told()
    changed = load(tmp_path / "tiny.yaml", [free, rate, "fit.epochs=2"])
    result = resume(
        run.path, spec=changed, allow=["model", "compile"], device="cpu", observers=[told]
    )
    assert [row["epoch"] for row in result.history] == [1, 2]
    assert result.history[1]["learning_rate"] == pytest.approx(0.001)
    assert "the optimizer starts afresh for conv2d" in told.notes
