"""`use_ema: true`: what a training leaves, and what is predicted with, are the averaged weights."""

import json

import numpy as np
import pytest

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.inference.evaluation import evaluate  # noqa: E402
from cnnctl.network.averages import load_averaged  # noqa: E402
from cnnctl.network.build import build  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.training.resume import resume  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

SPEC = """
data: {dataset: {npz: {path: data.npz}}, label_mode: float, normalize: none}
model: {layers: [Flatten, Dense: {units: 1, kernel_initializer: ones}]}
compile: {optimizer: {SGD: {learning_rate: 0.02, use_ema: true, ema_momentum: 0.9}}, loss: mse}
fit: {batch_size: 12, epochs: 3, shuffle: false, callbacks: [CALLBACKS]}
"""


def linear():
    return keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1, "linear", True,
                                                                            "ones")]
    )  # fmt: skip


@pytest.fixture(scope="module")
def by_keras(tmp_path_factory):
    """A folder with data; what Keras's own `fit` makes of it: the weights while it trains, those
    that it ends with, and their loss on the test images."""
    folder = tmp_path_factory.mktemp("averages")
    random = np.random.default_rng(0)
    x, t = (random.normal(size=(n, 2, 2, 1)).astype("float32") for n in (36, 10))
    y, u = (2 * each.sum((1, 2, 3)) + 1 for each in (x, t))
    np.savez(folder / "data.npz", x_train=x, y_train=y, x_test=t, y_test=u)
    model, raw = linear(), []
    model.compile(keras.optimizers.SGD(0.02, use_ema=True, ema_momentum=0.9), "mse")
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: raw.append(model.get_weights()))
    model.fit(x, y, batch_size=12, epochs=3, shuffle=False, verbose=0, callbacks=[watch])
    loss = model.evaluate(t, u, verbose=0)
    assert abs(raw[-1][0] - model.get_weights()[0]).max() > 0.1
    return folder, raw[-1], model.get_weights(), loss


def close(weights, expected):
    return all(np.allclose(a, b, atol=1e-5) for a, b in zip(weights, expected, strict=True))


@pytest.mark.parametrize(
    "callbacks", ["", "SwapEMAWeights", "SwapEMAWeights: {swap_on_epoch: true}"]
)
def test_a_training_ends_with_the_averages_as_in_keras(by_keras, callbacks):
    folder, _, averages, loss = by_keras
    (folder / "a.yaml").write_text(SPEC.replace("CALLBACKS", callbacks))
    spec = load(folder / "a.yaml")
    result = train(spec, runs_dir=folder / "runs", device="cpu")
    run = result.run
    assert result.best_epoch == 3
    assert close(keras.models.load_model(run.model_path).get_weights(), averages)
    written = json.loads((run.path / "evaluation.json").read_text())["figures"]["loss"]
    assert written == pytest.approx(loss, rel=1e-5)
    for source in (run.path, run.checkpoint("last"), run.model_path):
        assert evaluate(source, device="cpu").figures["loss"] == written


def test_a_training_goes_on_from_the_weights_behind_the_averages(by_keras):
    folder, raw, averages, _ = by_keras
    (folder / "b.yaml").write_text(SPEC.replace("CALLBACKS", ""))
    spec = load(folder / "b.yaml", ["fit.epochs=1"])
    run = train(spec, runs_dir=folder / "runs", device="cpu").run
    resume(run.path, overrides=["fit.epochs=3"], device="cpu")
    model = linear()
    keras.Model.load_weights(model, run.checkpoint("last") / "model.weights.h5")
    assert close(model.get_weights(), raw)
    model = build(spec, (2, 2, 1))
    load_averaged(model, run.checkpoint("last"))
    assert close(model.get_weights(), averages)
