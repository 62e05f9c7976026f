import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnctl.layers import LpPooling2D
from layers.by_hand import slide

IMAGES = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype("float32")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [((2, 2), None), ((3, 2), (2, 1)), ((3, 3), (1, 4))])
@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_it_equals_loops(padding, size, strides, p):
    def reduce(row, column, window, inside):
        return (np.abs(window) ** p).sum(axis=(0, 1)) ** (1 / p)

    layer = LpPooling2D(size, strides, padding, p=p)
    outputs = layer(IMAGES)
    expected = slide(IMAGES, size, strides or size, padding, reduce)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4)
    assert tuple(outputs.shape) == layer.compute_output_shape(IMAGES.shape)


def test_p_one_sums_the_magnitudes():
    average = keras.layers.AveragePooling2D(2)(np.abs(IMAGES))
    np.testing.assert_allclose(LpPooling2D(2, p=1)(IMAGES), average * 4, rtol=1e-5)


def test_a_large_p_is_nearly_the_maximum_and_does_not_overflow():
    images = IMAGES * 1e30
    expected = keras.layers.MaxPooling2D(2)(np.abs(images))
    np.testing.assert_allclose(LpPooling2D(2, p=200)(images), expected, rtol=0.01)


def _gradient(layer, images):
    x = tf.constant(images, "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x))
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize("p", [1, 1.5, 2, 7])
def test_the_gradient_is_finite_where_the_input_is_zero(p):
    images = np.zeros((1, 4, 4, 1), "float32")
    np.testing.assert_array_equal(_gradient(LpPooling2D(2, p=p), images), images)
    images[0, 0, 0, 0] = 3  # one window with a value and three zeros
    gradient = _gradient(LpPooling2D(2, p=p), images)
    assert np.isfinite(gradient).all()
    assert gradient[0, 0, 0, 0] == pytest.approx(1)


def test_the_gradient_is_the_derivative():
    """Of the Euclidean norm: x / |x|."""
    images = np.array([3.0, -4.0]).reshape(1, 1, 2, 1)
    gradient = _gradient(LpPooling2D((1, 2), p=2), images)
    np.testing.assert_allclose(gradient.ravel(), [0.6, -0.8], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 0.5}, "Received: p=0.5"),
        ({"p": float("nan")}, "Received: p=nan"),
        ({"pool_size": 0}, "Received: pool_size=0"),
        ({"padding": "full"}, "Received: padding=full"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        LpPooling2D(**arguments)
