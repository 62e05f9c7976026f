"""A training that goes on with another network: the weights of the layers that are still there."""

import numpy as np
import pytest

from cnnctl.compute.observer import Observer
from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
from conftest import XO  # noqa: E402

from cnnctl.specs import load  # noqa: E402
from cnnctl.training.kept_weights import keep_weights  # noqa: E402
from cnnctl.training.optimizer_state import carry_over  # noqa: E402
from cnnctl.training.resume import resume  # noqa: E402
from cnnctl.training.train import train  # noqa: E402


def network(layers, seed, optimizer=None):
    """A chain of Dense layers (name, units), each with its own values; BatchNormalization is 0."""
    made = [
        keras.layers.Dense(units, name=name)
        if units
        else keras.layers.BatchNormalization(name=name)
        for name, units in layers
    ]
    model = keras.Sequential([keras.Input((4,)), *made])
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=w.shape) for w in model.weights])
    if optimizer:
        model.compile(optimizer, "mse")
        model.optimizer.build(model.trainable_variables)
        for variable in model.optimizer.variables:
            variable.assign(random.integers(1, 99_999, variable.shape).astype("float32"))
    return model


A, B, C, HEAD = ("a", 4), ("b", 4), ("c", 4), ("head", 3)


@pytest.mark.parametrize(("before", "now", "kept", "notes"), [
    ([A, HEAD], [A, HEAD], {"a": "a", "head": "head"}, []),
    ([A, ("norm", 0), HEAD], [A, HEAD], {"a": "a", "head": "head"}, ["left out: norm"]),
    ([A, HEAD], [A, B, HEAD], {"a": "a", "head": "head"}, ["initial weights in b"]),
    ([A, HEAD], [A, ("head", 2)], {"a": "a"}, ["initial weights in head", "left out: head"]),
    ([A, B], [B, A], {"a": "a", "b": "b"}, []),  # by name, whatever the order
    ([A, B], [A, C], {"a": "a", "c": "b"}, ["c has the weights of b"]),
    ([("dense", 5), ("dense_1", 3)], [("dense", 3)], {},
     ["initial weights in dense", "left out: dense, dense_1"]),
    # The names are automatic, and count: what was `dense_1` is `dense` now.
    ([("dense", 4), ("dense_1", 3)], [("norm", 0), ("dense", 3)], {"dense": "dense_1"},
     ["initial weights in norm", "left out: dense", "dense has the weights of dense_1"]),
])  # fmt: skip
def test_layers_keep_their_weights(before, now, kept, notes):
    old, new = network(before, 0), network(now, 1)
    initial = {layer.name: layer.get_weights() for layer in new.layers}
    found = keep_weights(old, new)
    for layer in new.layers:
        source = kept.get(layer.name)
        expected = old.get_layer(source).get_weights() if source else initial[layer.name]
        for value, other in zip(layer.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(value, other)
    assert len(found.notes) == len(notes)
    assert all(note in text for note, text in zip(notes, found.notes, strict=True))
    assert set(found.fresh) == {layer.name for layer in new.layers} - kept.keys()


def test_the_optimizer_s_state_stays_with_its_weight_in_another_network():
    """Averages of weights that are new begin at the weights, not at zero."""
    sgd = {"momentum": 0.9, "use_ema": True}
    old = network([A, B, HEAD], 0, keras.optimizers.SGD(**sgd))
    new = network([C, ("x", 5), ("norm", 0), HEAD], 1, keras.optimizers.SGD(**sgd))
    kept = keep_weights(old, new)
    assert kept.fresh == ("x", "norm", "head")  # the head has five inputs now
    assert carry_over(old, new, kept.numbers) == ["x", "norm", "head"]
    averages = new.optimizer._model_variables_moving_average
    trained = old.optimizer._model_variables_moving_average
    np.testing.assert_array_equal(averages[0], trained[0])  # c has those of a
    np.testing.assert_array_equal(new.optimizer.momentums[1], old.optimizer.momentums[1])
    np.testing.assert_array_equal(averages[2], new.get_layer("x").kernel)


class Told(Observer):
    def started(self, facts):
        self.notes = facts.notes


def test_a_run_goes_on_without_a_layer_and_with_another_one(tmp_path):
    (tmp_path / "tiny.yaml").write_text(XO)
    two = "  layers:\n    - Dropout: {rate: 0.1}\n    - BatchNormalization\n"
    text = XO.replace("  layers:\n", two)
    (tmp_path / "more.yaml").write_text(text)
    more = load(tmp_path / "more.yaml", ["fit.epochs=1"])
    run = train(more, runs_dir=tmp_path / "runs", device="cpu").run
    told = Told()
    fewer = load(tmp_path / "tiny.yaml", ["fit.epochs=2"])
    result = resume(run.path, spec=fewer, allow=["model"], device="cpu", observers=[told])
    assert "trained weights left out: batch_normalization" in told.notes
    assert [row["epoch"] for row in result.history] == [1, 2]
    assert result.best_epoch == 2  # of the new network
    told = Told()
    again = load(tmp_path / "more.yaml", ["fit.epochs=3"])
    resume(run.path, spec=again, allow=["model"], device="cpu", observers=[told])
    assert "initial weights in batch_normalization" in told.notes


def test_the_best_epoch_may_be_from_before_another_optimizer(tmp_path):
    (tmp_path / "tiny.yaml").write_text(XO)
    run = train(load(tmp_path / "tiny.yaml", ["fit.epochs=1"]), runs_dir=tmp_path / "runs",
                device="cpu").run  # fmt: skip
    worse = "compile.optimizer={SGD: {learning_rate: 1000.0}}"
    spec = load(tmp_path / "tiny.yaml", ["fit.epochs=2", worse])
    result = resume(run.path, spec=spec, allow=["compile"], device="cpu")
    assert result.best_epoch == 1
    kept = keras.models.load_model(run.model_path)
    assert type(kept.optimizer).__name__ == "Adam"
