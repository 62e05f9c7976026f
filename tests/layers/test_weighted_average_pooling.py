import keras
import numpy as np
import pytest

from cnnctl.layers import WeightedAveragePooling2D
from layers.by_hand import slide

IMAGES = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype("float32")


def _gaussian(size, sigma):
    centre = [(each - 1) / 2 for each in size]
    weights = np.array(
        [
            [
                np.exp(-(((i - centre[0]) / sigma[0]) ** 2 + ((j - centre[1]) / sigma[1]) ** 2) / 2)
                for j in range(size[1])
            ]
            for i in range(size[0])
        ]
    )
    return weights / weights.sum()


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [((2, 2), None), ((3, 2), (2, 1)), ((5, 3), (1, 4))])
@pytest.mark.parametrize("sigma", [(0.7, 0.7), (1.0, 2.5)])
def test_it_equals_loops(padding, size, strides, sigma):
    weights = _gaussian(size, sigma)

    def reduce(row, column, window, inside):
        return np.einsum("ij,ijc->c", weights * inside, window) / (weights * inside).sum()

    layer = WeightedAveragePooling2D(size, strides, padding, sigma=sigma)
    outputs = layer(IMAGES)
    expected = slide(IMAGES, size, strides or size, padding, reduce)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert tuple(outputs.shape) == layer.compute_output_shape(IMAGES.shape)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_very_wide_gaussian_is_keras_average(padding):
    outputs = WeightedAveragePooling2D(3, 2, padding, sigma=1e4)(IMAGES)
    expected = keras.layers.AveragePooling2D(3, 2, padding)(IMAGES)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_sigma_is_half_the_pool_size_by_default():
    layer = WeightedAveragePooling2D((4, 6))
    np.testing.assert_allclose(layer.weights_in_window(), _gaussian((4, 6), (2, 3)), rtol=1e-12)


def test_the_weights_of_a_window_of_three_by_hand():
    """With sigma 1: 1 in the centre, exp(-1/2) beside it, exp(-1) in the corners."""
    a, b = np.exp(-0.5), np.exp(-1.0)
    expected = np.array([[b, a, b], [a, 1, a], [b, a, b]]) / (1 + 4 * a + 4 * b)
    layer = WeightedAveragePooling2D(3, sigma=1)
    np.testing.assert_allclose(layer.weights_in_window(), expected, rtol=1e-12)


@pytest.mark.parametrize("sigma", [0, -1.0, [1.0], [1.0, 0.0], float("nan")])
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match="Received: sigma="):
        WeightedAveragePooling2D(2, sigma=sigma)
