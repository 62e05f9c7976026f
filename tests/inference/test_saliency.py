"""What goes on inside a network, against finite differences and by hand."""

import numpy as np
import pytest

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnctl.errors import UsageError  # noqa: E402
from cnnctl.inference import saliency  # noqa: E402

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
    found = saliency.input_gradients(model, x, np.array([1, 2]))
    assert model.to_json() == before
    dense = next(layer for layer in model.layers if isinstance(layer, layers.Dense))
    body = keras.Model(model.inputs, model.layers[2].output)

    def score(image, number):
        values = np.asarray(body(image[None]), np.float64)[0]
        return values @ np.asarray(dense.kernel, np.float64)[:, number] + float(dense.bias[number])

    step = 1e-2
    for image, number, gradient in zip(x, (1, 2), found, strict=True):
        for row, column in ((0, 0), (3, 4), (7, 7)):
            more, less = image.copy(), image.copy()
            more[row, column] += step
            less[row, column] -= step
            expected = (score(more, number) - score(less, number)) / (2 * step)
            assert gradient[row, column, 0] == pytest.approx(expected, rel=2e-2, abs=1e-4)


def test_grad_cam_by_its_equations():
    model = network(*LAST["softmax"]())
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 1)).astype(np.float32)
    found = saliency.grad_cam(model, x, np.array([0, 2]))
    assert saliency.last_convolution(model).name == "second"
    maps = saliency.outputs(model, [model.get_layer("second")], x)["second"]
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
    assert (saliency.grad_cam(model, x, np.array([0])) == 0).all()
    assert (saliency.grad_cam(model, x, np.array([1])) == 1).all()


def test_excitation_of_a_known_filter():
    """A filter that takes the difference of two pixels is excited most by an edge."""
    model = keras.Sequential([
        keras.Input((6, 6, 1)), layers.Conv2D(2, (1, 2), use_bias=False, name="c")
    ])  # fmt: skip
    model.layers[0].set_weights([np.array([[[[1, -1]], [[-1, 1]]]], np.float32)])
    zero, one = np.zeros((1, 1, 1)), np.ones((1, 1, 1))
    found = saliency.excite(model, model.layers[0], [0, 1], limits=(zero, one), steps=80)
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
        saliency.layer_of(model, "third")
    flat = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(UsageError, match="no convolution"):
        saliency.last_convolution(flat)
    assert saliency.with_maps(flat) == []


def gated(x, name):
    """A squeeze-and-excitation block (Hu et al. 2018), whose gates are convolutions of 1×1 maps."""
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(2, 1, activation="relu")(gate)
    gate = layers.Conv2D(x.shape[-1], 1, activation="sigmoid", name=f"{name}_gate")(gate)
    return layers.Multiply(name=name)([x, gate])


def conv(name, filters=4, size=3, **more):
    return layers.Conv2D(filters, size, name=name, **more)


NETWORKS = {
    "a gate": lambda x: gated(conv("body")(x), "block"),
    "a gate that is spread out": lambda x: layers.Multiply()([
        conv("body", padding="same")(x),
        conv("spread", size=1)(layers.UpSampling2D(8)(conv("dot", size=8)(x))),
    ]),
    "two blocks": lambda x: gated(conv("body")(gated(conv("first")(x), "one")), "two"),
    "a dense network as convolutions": lambda x: conv("head", size=4)(conv("body", size=5)(x)),
    "a convolution behind a vector": lambda x: conv("spread")(
        layers.Reshape((6, 6, 1))(layers.Dense(36)(layers.Flatten()(conv("body")(x))))
    ),
    "depthwise": lambda x: layers.DepthwiseConv2D(3, name="body")(conv("first")(x)),
    "separable": lambda x: layers.SeparableConv2D(3, 3, name="body")(conv("first")(x)),
    "transposed": lambda x: layers.Conv2DTranspose(3, 3, name="body")(conv("first")(x)),
    "wrapped": lambda x: layers.SpectralNormalization(layers.Conv2D(3, 3), name="body")(x),
    "recurrent": lambda x: layers.ConvLSTM2D(3, 3, name="body")(layers.Reshape((1, 8, 8, 1))(x)),
    "both ways": lambda x: layers.Bidirectional(layers.ConvLSTM2D(3, 3), name="body")(
        layers.Reshape((1, 8, 8, 1))(x)
    ),
    "rows behind it": lambda x: layers.Conv1D(3, 3)(layers.Reshape((36, 4))(conv("body")(x))),
    "a branch without a gradient": lambda x: layers.Concatenate()([
        layers.Flatten()(conv("body")(x)),
        layers.Flatten()(layers.Lambda(tf.stop_gradient)(conv("other", size=2)(conv("b")(x)))),
    ]),
    "a branch that counts for nothing": lambda x: layers.Concatenate()([
        layers.Flatten()(conv("body")(x)),
        layers.Flatten()(layers.Rescaling(0.0)(conv("other", size=2)(conv("b")(x)))),
    ]),
    "dense maps": lambda x: layers.Dense(3, name="body")(conv("first")(x)),
    "attention": lambda x: layers.MultiHeadAttention(1, 2, attention_axes=(1, 2))(
        *[conv("body")(x)] * 2
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", NETWORKS)
def test_which_layer_grad_cam_takes(kind):
    """`body`: the last convolution whose maps are of places of the picture, and that counts."""
    keras.utils.set_random_seed(3)
    x = keras.Input((8, 8, 1))
    scores = layers.Dense(3, activation="softmax")(layers.Flatten()(NETWORKS[kind](x)))
    model = keras.Model(x, scores)
    images = np.random.default_rng(2).random((3, 8, 8, 1), np.float32)
    classes = np.array([0, 1, 2])
    chosen = saliency.last_convolution(model, images, classes)
    assert chosen.name == "body"
    heat = saliency.grad_cam(model, images, classes)
    assert heat.shape[1:] == tuple(chosen.output.shape[1:3])
    assert heat.std((1, 2)).max() > 0.05  # no flat tint
    np.testing.assert_array_equal(heat, saliency.grad_cam(model, images, classes, chosen))


def test_maps_whose_channels_come_first():
    """A layer that changes nothing but the order of the axes has the heat of the layer before."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential([
        keras.Input((8, 8, 1)), conv("body", padding="same", size=(3, 5)),
        layers.Permute((3, 1, 2)), layers.UpSampling2D(1, data_format="channels_first", name="up"),
        layers.Flatten(), layers.Dense(3),
    ])  # fmt: skip
    x = np.random.default_rng(4).random((2, 8, 8, 1), np.float32)
    found, expected = (
        saliency.grad_cam(model, x, np.array([0, 1]), model.get_layer(name))
        for name in ("up", "body")
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_networks_without_maps_of_places():
    dots = keras.Sequential([keras.Input((4, 4, 1)), conv("dot", size=4), layers.Flatten()])
    with pytest.raises(UsageError, match="no convolution with maps larger than 1×1"):
        saliency.last_convolution(dots)
    assert saliency.exciting(dots).name == "dot"
    rows = keras.Sequential([keras.Input((9, 4)), layers.Conv1D(3, 3), layers.Flatten()])
    volume = keras.Sequential([keras.Input((5, 5, 5, 1)), layers.Conv3D(3, 3), layers.Flatten()])
    for model in (rows, volume):
        assert saliency.convolutions(model) == []
    x = keras.Input((8, 8, 1))
    blind = layers.Lambda(tf.stop_gradient)(conv("body")(x))
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(blind)))
    with pytest.raises(UsageError, match="do not depend on the maps of body"):
        saliency.grad_cam(model, np.ones((1, 8, 8, 1), np.float32), np.array([0]))
