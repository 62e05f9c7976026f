"""Another order of the same operations: the same training, up to the last roundings."""

from pathlib import Path

import numpy as np
import pytest
from conftest import examples
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnctl.compute import graph_order, steps  # noqa: E402
from cnnctl.compute.feed import Feed  # noqa: E402
from cnnctl.compute.plan import Plan  # noqa: E402
from cnnctl.data.dataset import Split  # noqa: E402
from cnnctl.data.pixel_normalization import Normalization  # noqa: E402

layers = keras.layers


def chain(*between, **pool):
    return [
        layers.Conv2D(6, 3, activation="relu", name="c1"),
        *between,
        layers.MaxPooling2D(name="p1", **pool),
        layers.Conv2D(4, 3, activation="relu", name="c2"),
        layers.MaxPooling2D(2, name="p2"),
    ]


def network(*, strides=2, padding="valid"):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input((14, 14, 1)),
        *chain(pool_size=2, strides=strides, padding=padding),
        layers.Flatten(),
        layers.Dropout(0.3, seed=1),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    model.compile(
        keras.optimizers.SGD(0.2), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.optimizer.build(model.trainable_variables)
    return model


def trained(model, plan):
    random = np.random.default_rng(0)
    # Many equal pixels: windows with ties, and convolutions whose largest value is below zero.
    x = random.integers(0, 3, (48, 14, 14, 1), dtype=np.uint8) * 100
    split = Split(x, random.integers(0, 5, 48))
    feed = Feed(split, Normalization("unit", (0.0,), (255.0,)), batch_size=12)
    model.train_function = steps.train_function(model, feed, plan)
    model.fit(feed.dataset, epochs=3, shuffle=False, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize(("strides", "padding"), [(2, "valid"), (1, "same"), (2, "same")])
def test_relu_after_pooling_is_the_same_training(parts, strides, padding, monkeypatch):
    arguments = {"strides": strides, "padding": padding}
    moved = trained(network(**arguments), Plan(parts))
    monkeypatch.setattr(graph_order, "_rectified_then_pooled", lambda model: iter(()))
    plain = trained(network(**arguments), Plan(parts))
    for a, b in zip(plain, moved, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_network_is_as_before_afterwards():
    model = network()
    before = model.to_json()
    with graph_order.pooled_first(model):
        assert model.get_layer("c1").activation is keras.activations.linear
        assert model.get_layer("c2").activation is keras.activations.linear
    assert model.to_json() == before
    assert "call" not in vars(model.get_layer("p1"))


def test_a_convolution_that_somebody_else_reads_is_left_alone():
    inputs = keras.Input((14, 14, 1))
    read_twice = layers.Conv2D(4, 3, activation="relu", name="twice")(inputs)
    pooled = layers.MaxPooling2D(2)(read_twice)
    output = layers.Conv2D(4, 3, activation="relu", name="output")(pooled)
    model = keras.Model(inputs, [output, layers.GlobalAveragePooling2D()(read_twice)])
    assert not list(graph_order._rectified_then_pooled(model))
    shared = layers.Conv2D(4, 3, activation="relu")
    model = keras.Model(inputs, [layers.MaxPooling2D(2)(shared(inputs)),
                                 layers.MaxPooling2D(3)(shared(inputs))])  # fmt: skip
    assert not list(graph_order._rectified_then_pooled(model))
    model = keras.Sequential([keras.Input((14, 14, 1)), *chain(layers.Dropout(0.1), pool_size=2)])
    assert [pair[0].name for pair in graph_order._rectified_then_pooled(model)] == ["c2"]
    regular = layers.Conv2D(4, 3, activation="relu", activity_regularizer="l2")
    model = keras.Sequential([keras.Input((14, 14, 1)), regular, layers.MaxPooling2D(2)])
    assert not list(graph_order._rectified_then_pooled(model))


@examples(20)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.integers(0, 99))
def test_the_sum_of_products_is_one_product(sizes, seed):
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(512, 520)).astype("float32")
    parts = [random.normal(size=(size, 512)).astype("float32") for size in sizes]

    @tf.function
    def gradient():
        found = []
        weights = tf.constant(kernel)
        for part in parts:
            with tf.GradientTape() as tape:
                tape.watch(weights)
                loss = tf.reduce_sum(tf.nn.relu(tf.constant(part) @ weights) ** 2)
            found.append(tape.gradient(loss, weights))
        total = graph_order.summed(found)
        assert total.op.type == "MatMul"
        return total

    whole = np.concatenate(parts).astype("float64")
    exact = whole.T @ (2 * np.maximum(whole @ kernel.astype("float64"), 0))
    scale = np.abs(exact).max()
    np.testing.assert_allclose(gradient(), exact, rtol=1e-4, atol=1e-6 * scale)


def test_kernel_gradients_wait_for_input_gradients():
    model = network()

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=True))
        found = tape.gradient(loss, model.trainable_variables)
        graph_order.inputs_first()
        return found

    graph = step.get_concrete_function(tf.TensorSpec((None, 14, 14, 1))).graph
    waiting = [
        [before.type for before in each.control_inputs]
        for each in graph.get_operations()
        if each.type == "Conv2DBackpropFilter"
    ]
    # Nobody needs the gradient of the pictures themselves.
    assert sorted(waiting) == [[], ["Conv2DBackpropInput"]]


@pytest.mark.parametrize("first", [True, False])
def test_the_product_of_all_parts_waits_for_their_input_gradients(first):
    """Where the layer sees the pictures themselves, there are none to wait for."""
    below = [] if first else [layers.Dense(512, activation="relu")]
    model = keras.Sequential([keras.Input((512,)), *below, layers.Dense(520), layers.Dense(2)])

    @tf.function
    def step(x):
        found = []
        variables = model.trainable_variables
        for part in (x[:3], x[3:]):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(part, training=True) ** 2)
            found.append(tape.gradient(loss, variables))
        kernels = [gradients[-4] for gradients in found]
        return graph_order.summed(kernels)

    function = step.get_concrete_function(tf.TensorSpec((None, 512)))
    (product,) = [each for each in function.graph.get_operations() if each.type == "MatMul"
                  and each.outputs[0].shape.as_list() == [512, 520]
                  and each.inputs[0].op.type == "ConcatV2"]  # fmt: skip
    joins = [joined.op for joined in product.inputs]
    # TensorFlow lets the constants that a join takes wait for it.
    nearby = [*joins, *(each.op for join in joins for each in join.inputs)]
    waiting = {before for each in nearby for before in each.control_inputs}
    assert [each.type for each in waiting] == ([] if first else ["MatMul", "MatMul"])
    assert all(each.outputs[0].shape.as_list() == [None, 512] for each in waiting)


def test_the_networks_of_specs_are_rectified_after_pooling():
    """`Sequential.add` would call every layer before it again, and leave it with many consumers."""
    from cnnctl.network.build import build
    from cnnctl.specs import load

    configs = Path(__file__).parents[2] / "configs"
    for name, expected in (("mnist", ["conv2d", "conv2d_1"]), ("cifar10_resnet", [])):
        spec = load(configs / f"{name}.yaml")
        model = build(spec, spec.model.input_shape)
        assert [pair[0].name for pair in graph_order._rectified_then_pooled(model)] == expected
