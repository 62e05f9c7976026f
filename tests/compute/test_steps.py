"""Steps in parts against Keras's own training step: the same losses, weights and figures."""

import numpy as np
import pytest
from conftest import examples
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnctl.compute import steps  # noqa: E402
from cnnctl.compute.feed import Feed  # noqa: E402
from cnnctl.compute.plan import Plan  # noqa: E402
from cnnctl.compute.updates import fuse  # noqa: E402
from cnnctl.data.dataset import Split  # noqa: E402
from cnnctl.data.pixel_normalization import Normalization  # noqa: E402

UNIT = Normalization("unit", (0.0,), (255.0,))


def images(count, classes=4, seed=0):
    random = np.random.default_rng(seed)
    x = random.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    return Split(x, random.integers(0, classes, count))


def network(**arguments):
    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(4, 3, activation="relu", **arguments),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(4, activation="softmax"),
    ])  # fmt: skip


def compiled(model, optimizer=None, several=1):
    model.compile(
        optimizer or keras.optimizers.SGD(0.1, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=several,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def in_parts(model, split, parts, batch_size=16, epochs=2, held_out=None):
    feed = Feed(split, UNIT, batch_size=batch_size)
    model.train_function = steps.train_function(model, feed, Plan(parts))
    validation = None
    if held_out is not None:
        validation = Feed(held_out, UNIT, batch_size=7)
        model.test_function = steps.test_function(model, validation, parts)
    return model.fit(
        feed.dataset,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        validation_data=validation and validation.dataset,
    ).history


def by_keras(model, split, batch_size=16, epochs=2, held_out=None):
    return model.fit(
        split.x.astype("float32") / 255,
        split.y,
        batch_size=batch_size,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        validation_data=held_out and (held_out.x.astype("float32") / 255, held_out.y),
    ).history


def assert_same_training(ours, theirs, first, second, rtol=2e-4):
    """float32 sums in another order: an error of some 1e-7 a step, grown by 30 steps."""
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        np.testing.assert_allclose(ours[key], values, rtol=rtol, err_msg=key)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-5)


@pytest.mark.parametrize("parts", [1, 2, 3, 5])
@pytest.mark.parametrize("several", [1, 4])
def test_a_training_in_parts_is_the_training(parts, several):
    """50 pictures in batches of 16: the last has 2, fewer than 3 or 5 parts."""
    split, held_out = images(50), images(20, seed=1)
    one, other = compiled(network(), several=several), compiled(network())
    ours = in_parts(one, split, parts, held_out=held_out)
    theirs = by_keras(other, split, held_out=held_out)
    assert_same_training(ours, theirs, one, other)


@pytest.mark.parametrize("arguments", [
    {"kernel_regularizer": keras.regularizers.L2(0.1)},
    {"activity_regularizer": keras.regularizers.L2(0.1)},
])  # fmt: skip
def test_regularizers_count_once(arguments):
    split = images(48)
    one, other = compiled(network(**arguments)), compiled(network(**arguments))
    assert_same_training(in_parts(one, split, 2), by_keras(other, split), one, other)


def test_a_network_that_is_no_chain():
    def build():
        keras.utils.set_random_seed(1)
        inputs = keras.Input((8, 8, 1))
        left = keras.layers.Conv2D(4, 3, padding="same")(inputs)
        joined = keras.layers.Add()([left, keras.layers.Conv2D(4, 1)(inputs)])
        flat = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(joined))
        return keras.Model(inputs, keras.layers.Dense(4, activation="softmax")(flat))

    split = images(40)
    one, other = compiled(build()), compiled(build())
    assert_same_training(in_parts(one, split, 2), by_keras(other, split), one, other)


@pytest.mark.parametrize("units", [3, 600])
@pytest.mark.parametrize("form", [(4, 4, 4), (16, 4)])
def test_a_dense_layer_on_maps_and_sequences(form, units):
    """The gradient of its kernel has a shape that is not known while a step is traced."""

    def build():
        keras.utils.set_random_seed(1)
        return keras.Sequential([
            keras.Input((8, 8, 1)),
            keras.layers.Reshape(form),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(500),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ])  # fmt: skip

    split = images(22)
    one, other = (compiled(build(), keras.optimizers.SGD(0.01)) for _ in range(2))
    ours, theirs = in_parts(one, split, 2, 8), by_keras(other, split, 8)
    assert_same_training(ours, theirs, one, other)


@examples(6)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 4))
def test_any_size_of_batch_and_part(count, batch_size, parts):
    split = images(count)
    one, other = compiled(network()), compiled(network())
    ours = in_parts(one, split, parts, batch_size, epochs=1)
    theirs = by_keras(other, split, batch_size, epochs=1)
    assert_same_training(ours, theirs, one, other)


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_predictions_are_keras_own(parts, batch_size):
    model, split = network(), images(50)
    predict = steps.predict_function(model, Feed(split, UNIT, batch_size=batch_size), parts)
    expected = model.predict(split.x.astype("float32") / 255, verbose=0)
    for _ in range(2):
        np.testing.assert_allclose(predict(), expected, rtol=1e-5, atol=1e-7)


def test_callbacks_hear_of_every_execution():
    heard = []

    class Heard(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            heard.append((batch, sorted(logs)))

    model = compiled(network(), several=4)
    feed = Feed(images(160), UNIT, batch_size=16)
    model.train_function = steps.train_function(model, feed, Plan(2))
    model.fit(feed.dataset, epochs=2, shuffle=False, verbose=0, callbacks=[Heard()])
    assert [batch for batch, _ in heard] == [3, 7, 11] * 2
    assert heard[0][1] == ["accuracy", "loss"]


OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05),
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "rmsprop with momentum": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, rho=0.8),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adam of its own": lambda: keras.optimizers.Adam(0.01, beta_1=0.7, beta_2=0.9, epsilon=1e-3),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "clipped": lambda: keras.optimizers.Adam(0.01, global_clipnorm=0.01),
    "averaged": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "accumulated": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "decayed": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_fused_update_is_as_exact_as_the_optimizers_own(name):
    """Thirty updates by the same gradients, against Keras's operations in float64.

    In float32 neither is exact: Keras takes 1 - 0.999 in float64 and 1 - 0.999 ** t in float32,
    the kernel both in float32. Both have to stay within some units in the last place a step.
    """
    start = [np.random.default_rng(n).normal(size=(4, 3)) for n in range(2)]
    found = {}
    for kind in ("fused", "float32", "float64"):
        optimizer = OPTIMIZERS[name]()
        dtype = kind if kind.startswith("float") else "float32"
        keras.config.set_floatx(dtype)
        variables = [keras.Variable(each, dtype=dtype) for each in start]
        optimizer.build(variables)
        if kind == "fused":
            assert fuse(optimizer)
        random = np.random.default_rng(0)
        for _ in range(30):
            gradients = [tf.constant(random.normal(size=(4, 3)), dtype) for _ in variables]
            optimizer.apply(gradients, variables)
        keras.config.set_floatx("float32")
        found[kind] = [np.asarray(each) for each in [*variables, *optimizer.variables]]
    for fused, by_keras_, exact in zip(*found.values(), strict=True):
        own = np.abs(by_keras_ - exact).max()
        assert np.abs(fused - exact).max() <= max(2 * own, 3e-6)


@pytest.mark.parametrize("optimizer", [
    keras.optimizers.Adagrad(), keras.optimizers.Adam(amsgrad=True), keras.optimizers.Nadam(),
    keras.optimizers.RMSprop(centered=True),
])  # fmt: skip
def test_other_optimizers_stay_keras_own(optimizer):
    optimizer.build([keras.Variable([1.0])])
    assert not fuse(optimizer)


def test_gradients_of_single_rows_stay_keras_own():
    table = keras.Variable(np.ones((5, 2), "float32"))
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build([table])
    assert fuse(optimizer)
    slices = tf.IndexedSlices(tf.ones((2, 2)), tf.constant([1, 3]), tf.constant([5, 2]))
    optimizer.apply([slices], [table])
    changed = (np.asarray(table) != 1).any(1)
    assert changed.tolist() == [False, True, False, True, False]
