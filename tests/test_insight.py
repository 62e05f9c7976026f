"""What goes on inside a network, against finite differences and by hand."""

import numpy as np
import pytest

from cnnctl import backend

backend.quiet()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnctl import insight  # noqa: E402
from cnnctl.errors import UsageError  # noqa: E402

layers = keras.layers


def network(*last):
    keras.utils.set_random_seed(2)
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(3, 3, activation="tanh", name="first"),
        layers.Conv2D(4, 3, activation="tanh", name="second"),
        layers.Flatten(),
        *last,
    ])  # fmt: skip


LAST = {
    "softmax": lambda: (layers.Dense(3, activation="softmax"),),
    "layer": lambda: (layers.Dense(3), layers.Softmax()),
    "activation": lambda: (layers.Dense(3), layers.Activation("softmax")),
    "logits": lambda: (layers.Dense(3),),
}


@pytest.mark.parametrize("last", LAST)
def test_the_gradient_is_that_of_the_score_before_softmax(last):
    """By finite differences of the logits, worked out from the weights."""
    model = network(*LAST[last]())
    before = model.to_json()
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype(np.float32)
    found = insight.input_gradients(model, x, np.array([1, 2]))
    assert model.to_json() == before
    dense = next(layer for layer in model.layers if isinstance(layer, layers.Dense))
    body = keras.Model(model.inputs, model.layers[2].output)

    def score(picture, number):
        values = np.asarray(body(picture[None]), np.float64)[0]
        return values @ np.asarray(dense.kernel, np.float64)[:, number] + float(dense.bias[number])

    step = 1e-2
    for picture, number, gradient in zip(x, (1, 2), found, strict=True):
        for row, column in ((0, 0), (3, 4), (7, 7)):
            more, less = picture.copy(), picture.copy()
            more[row, column] += step
            less[row, column] -= step
            expected = (score(more, number) - score(less, number)) / (2 * step)
            assert gradient[row, column, 0] == pytest.approx(expected, rel=2e-2, abs=1e-4)


def test_grad_cam_by_its_equations():
    model = network(*LAST["softmax"]())
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 1)).astype(np.float32)
    found = insight.grad_cam(model, x, np.array([0, 2]))
    assert insight.last_convolution(model).name == "second"
    maps = insight.outputs(model, [model.get_layer("second")], x)["second"]
    kernel = np.asarray(model.layers[-1].kernel).reshape(4, 4, 4, 3)
    for index, number in enumerate((0, 2)):
        # behind the last convolution the score is linear: its gradient is the kernel
        weights = kernel[..., number].mean((0, 1))
        heat = np.maximum((maps[index] * weights).sum(-1), 0)
        np.testing.assert_allclose(found[index], heat / heat.max(), atol=1e-5)


def test_nothing_speaks_for_a_class():
    model = keras.Sequential([
        keras.Input((4, 4, 1)),
        layers.Conv2D(1, 1, kernel_initializer="ones", name="c"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(1, kernel_initializer="ones", activation="sigmoid"),
    ])  # fmt: skip
    x = np.ones((1, 4, 4, 1), np.float32)
    assert (insight.grad_cam(model, x, np.array([0])) == 0).all()
    assert (insight.grad_cam(model, x, np.array([1])) == 1).all()


def test_excitation_of_a_known_filter():
    """A filter that takes the difference of two pixels is excited most by an edge."""
    model = keras.Sequential([
        keras.Input((6, 6, 1)), layers.Conv2D(2, (1, 2), use_bias=False, name="c")
    ])  # fmt: skip
    model.layers[0].set_weights([np.array([[[[1, -1]], [[-1, 1]]]], np.float32)])
    zero, one = np.zeros((1, 1, 1)), np.ones((1, 1, 1))
    found = insight.excite(model, model.layers[0], [0, 1], limits=(zero, one), steps=80)
    assert found.shape == (2, 6, 6, 1)
    assert found.min() >= 0
    assert found.max() <= 1
    # The sum of neighbours' differences is the first column less the last.
    np.testing.assert_allclose(found[0][:, 0], 1, atol=1e-3)
    np.testing.assert_allclose(found[0][:, -1], 0, atol=1e-3)
    np.testing.assert_allclose(found[1][:, 0], 0, atol=1e-3)
    value = tf.reduce_mean(model(found[:1])[..., 0])
    assert float(value) == pytest.approx(1 / 5, abs=1e-3)


def test_layers_that_are_not_there():
    model = network(*LAST["logits"]())
    with pytest.raises(UsageError, match="no layer `third`"):
        insight.layer_of(model, "third")
    flat = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(UsageError, match="no convolution"):
        insight.last_convolution(flat)
    assert insight.with_maps(flat) == []
