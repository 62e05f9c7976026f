import keras
import numpy as np
import pytest
from conftest import HELD_BELOW_BFLOAT16, examples
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.layers import LocallyConnected2D
from layers.by_hand import slide

IMAGES = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype("float32")


def _by_hand(layer, images):
    kernel = np.array(layer.kernel)
    bias = 0 if layer.bias is None else np.array(layer.bias)

    def reduce(row, column, window, inside):
        return np.einsum("ijc,ijcf->f", window, kernel[row, column])

    return slide(images, layer.kernel_size, layer.strides, layer.padding, reduce) + bias


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size", [1, 3, (2, 5), (4, 1)])
@pytest.mark.parametrize("strides", [1, 2, (3, 1)])
def test_it_equals_loops(padding, size, strides):
    layer = LocallyConnected2D(4, size, strides, padding, bias_initializer="random_normal")
    outputs = layer(IMAGES)
    np.testing.assert_allclose(outputs, _by_hand(layer, IMAGES), atol=1e-5)
    assert tuple(outputs.shape) == layer.compute_output_shape(IMAGES.shape)


@examples(15)
@given(
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.sampled_from(["valid", "same"]),
)
def test_with_one_kernel_everywhere_it_is_a_convolution(height, width, size, strides, padding):
    images = np.random.default_rng(1).normal(size=(1, height, width, 2)).astype("float32")
    shared = keras.layers.Conv2D(3, size, strides, padding, bias_initializer="ones")
    expected = shared(images)
    layer = LocallyConnected2D(3, size, strides, padding)
    layer.build(images.shape)
    layer.kernel.assign(np.broadcast_to(shared.kernel, layer.kernel.shape))
    layer.bias.assign(np.broadcast_to(shared.bias, layer.bias.shape))
    np.testing.assert_allclose(layer(images), expected, atol=1e-5)


def test_channels_first_is_the_same_transposed():
    last = LocallyConnected2D(4, 3, 2, "same", data_format="channels_last")
    expected = last(IMAGES)
    first = LocallyConnected2D(4, 3, 2, "same", data_format="channels_first")
    swapped = IMAGES.transpose(0, 3, 1, 2)
    first.build(swapped.shape)
    first.set_weights(last.get_weights())
    outputs = np.array(first(swapped))
    np.testing.assert_allclose(outputs.transpose(0, 2, 3, 1), expected, atol=1e-6)
    assert outputs.shape == first.compute_output_shape(swapped.shape)


def test_each_position_has_its_own_weights():
    layer = LocallyConnected2D(8, 3)
    layer.build((None, 10, 12, 5))
    assert layer.kernel.shape == (8, 10, 3, 3, 5, 8)
    assert layer.bias.shape == (8, 10, 8)
    assert layer.count_params() == 8 * 10 * (3 * 3 * 5 * 8 + 8)


@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal", "lecun_uniform"])
def test_the_kernel_starts_as_large_as_a_convolution_s(initializer):
    layer = LocallyConnected2D(16, 3, kernel_initializer=initializer)
    layer.build((None, 18, 18, 16))
    convolution = keras.layers.Conv2D(64, 3, kernel_initializer=initializer)
    convolution.build((None, 18, 18, 16))
    # fan_in is 3·3·16 in both; for Glorot the outputs count too: 3·3·16 here, 3·3·64 there.
    ratio = ((16 + 64) / (16 + 16)) ** 0.5 if initializer.startswith("glorot") else 1
    ours, theirs = np.std(layer.kernel), np.std(convolution.kernel) * ratio
    assert ours == pytest.approx(theirs, rel=0.03)


def test_activation_and_regularizers():
    layer = LocallyConnected2D(
        2, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(0.5), use_bias=False
    )
    outputs = layer(IMAGES)
    assert layer.bias is None
    assert float(keras.ops.min(outputs)) == 0
    assert float(layer.losses[0]) == pytest.approx(0.5 * np.sum(np.square(layer.kernel)), rel=1e-5)


def test_it_learns_what_depends_on_the_place():
    """The target is another multiple at each pixel: a 1x1 convolution cannot fit it."""
    rng = np.random.default_rng(2)
    factors = rng.normal(size=(1, 4, 4, 1)).astype("float32")
    x = rng.normal(size=(64, 4, 4, 1)).astype("float32")
    model = keras.Sequential([keras.Input((4, 4, 1)), LocallyConnected2D(1, 1)])
    model.compile(keras.optimizers.SGD(4.0), "mse")
    model.fit(x, x * factors, epochs=25, batch_size=64, verbose=0)
    np.testing.assert_allclose(
        model.layers[0].kernel[..., 0, 0, 0, 0], factors[0, ..., 0], atol=0.01
    )


@HELD_BELOW_BFLOAT16
def test_mixed_precision():
    layer = LocallyConnected2D(2, 3, dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(layer(IMAGES).dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(layer.kernel.dtype) == "float32"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0, "kernel_size": 3}, "Received: filters=0"),
        ({"filters": 1, "kernel_size": 0}, "Received: kernel_size=0"),
        ({"filters": 1, "kernel_size": [3]}, "Received: kernel_size="),
        ({"filters": 1, "kernel_size": 3, "strides": "2"}, "Received: strides=2"),
        ({"filters": 1, "kernel_size": 3, "padding": "causal"}, "Received: padding=causal"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        LocallyConnected2D(**arguments)


def test_bad_inputs():
    with pytest.raises(ValueError, match="must be known"):
        LocallyConnected2D(1, 3).build((None, None, 8, 1))
    with pytest.raises(ValueError, match="does not fit"):
        LocallyConnected2D(1, 9).build((None, 8, 8, 1))
