"""What goes on inside a network: feature maps, and what in a picture an output depends on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnnctl.errors import UsageError

_SQUASHING = ("softmax", "sigmoid", "tanh")


def layer_of(model: keras.Model, name: str) -> Any:
    """The layer of a name.

    Raises:
        UsageError: There is none.
    """
    for layer in model.layers:
        if layer.name == name:
            return layer
    names = ", ".join(layer.name for layer in model.layers)
    raise UsageError(f"the network has no layer `{name}`", hint=f"it has {names}")


def with_maps(model: keras.Model) -> list[Any]:
    """The layers whose outputs are maps: (height, width, channels) for a picture."""
    return [layer for layer in model.layers if len(layer.output.shape) == 4]


def convolutions(model: keras.Model) -> list[Any]:
    """The layers with a kernel whose outputs are maps; the kernel of a separable one is in two."""
    return [
        layer
        for layer in with_maps(model)
        if hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel")
    ]


def last_convolution(model: keras.Model) -> Any:
    """The last convolution of a network, for Grad-CAM.

    Raises:
        UsageError: There is none.
    """
    if found := convolutions(model):
        return found[-1]
    raise UsageError("the network has no convolution over height and width")


def outputs(model: keras.Model, layers: list[Any], x: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of layers for normalized pictures (n, …), by name."""
    inner = keras.Model(model.inputs, [layer.output for layer in layers])
    found = inner(tf.constant(x), training=False)
    found = found if isinstance(found, list | tuple) else [found]
    return {layer.name: np.asarray(each) for layer, each in zip(layers, found, strict=True)}


@contextmanager
def _unsquashed(model: keras.Model) -> Iterator[Any]:
    """Gives the tensor of the scores before the last softmax or sigmoid, which would flatten the
    gradient of an output that is sure."""
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    squashes = getattr(activation, "__name__", "") in _SQUASHING
    if type(last).__name__ in ("Softmax", "Activation") and (activation is None or squashes):
        yield last.input
        return
    if not squashes:
        yield model.outputs[0]
        return
    last.activation = keras.activations.linear
    try:
        yield model.outputs[0]
    finally:
        last.activation = activation


def input_gradients(model: keras.Model, x: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The gradient of a class's score with respect to the picture (Simonyan et al. 2014).

    Args:
        model: Built.
        x: (n, height, width, channels), normalized.
        classes: (n,) whose score; for networks with one output any.

    Returns:
        (n, height, width, channels).
    """
    with _unsquashed(model) as scores:
        inner = keras.Model(model.inputs, scores)
        pictures = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            total = _score(inner(pictures, training=False), classes)
        return np.asarray(tape.gradient(total, pictures))


def grad_cam(
    model: keras.Model, x: np.ndarray, classes: np.ndarray, layer: Any | None = None
) -> np.ndarray:
    """Where the evidence for a class is: Grad-CAM (Selvaraju et al. 2017, equations 1 and 2).

    Args:
        model: Built.
        x: (n, height, width, channels), normalized.
        classes: (n,) for which class.
        layer: A layer with maps; the last convolution by default.

    Returns:
        (n, h, w) in the size of the layer's maps, each from 0 to 1 (all 0 where nothing speaks for
        the class).
    """
    layer = layer or last_convolution(model)
    with _unsquashed(model) as scores:
        inner = keras.Model(model.inputs, [layer.output, scores])
        pictures = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            maps, score = inner(pictures, training=False)
            total = _score(score, classes)
        gradients = tape.gradient(total, maps)
    weights = tf.reduce_mean(gradients, (1, 2), keepdims=True)
    heat = np.asarray(tf.nn.relu(tf.reduce_sum(weights * maps, -1)))
    most = heat.max((1, 2), keepdims=True)
    parts: np.ndarray = np.divide(heat, most, out=np.zeros_like(heat), where=most > 0)
    return parts


def excite(
    model: keras.Model,
    layer: Any,
    channels: list[int],
    *,
    limits: tuple[np.ndarray, np.ndarray],
    steps: int = 60,
    seed: int = 0,
) -> np.ndarray:
    """Pictures that excite the channels of a layer as much as may be, by gradient ascent on the
    picture (Erhan et al. 2009).

    Args:
        model: Built.
        layer: Whose output.
        channels: Which of its channels, or units.
        limits: The least and the greatest input, for each channel of a picture.
        steps: Of a fiftieth of the range each, along the normalized gradient.
        seed: Of the noise that it begins with.

    Returns:
        (len(channels), height, width, channels), normalized as the network's inputs are.
    """
    low, high = (np.asarray(each, np.float32) for each in limits)
    shape = (len(channels), *(int(size) for size in model.input_shape[1:]))
    noise = np.random.default_rng(seed).uniform(0.4, 0.6, shape).astype(np.float32)
    pictures = tf.Variable(low + (high - low) * noise)
    inner = keras.Model(model.inputs, layer.output)
    picked = tf.constant([[index, channel] for index, channel in enumerate(channels)])

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> None:
        with tf.GradientTape() as tape:
            found = inner(pictures, training=False)
            means = tf.reduce_mean(found, axis=range(1, len(found.shape) - 1))
            total = tf.reduce_sum(tf.gather_nd(means, picked))
        gradient = tape.gradient(total, pictures)
        axes = list(range(1, len(gradient.shape)))
        size = tf.sqrt(tf.reduce_mean(gradient**2, axes, keepdims=True)) + 1e-8
        moved = pictures + (high - low) / 50 * gradient / size
        pictures.assign(tf.clip_by_value(moved, low, high))

    for _ in range(steps):
        step()
    return pictures.numpy()  # type: ignore[no-any-return]


def _score(scores: tf.Tensor, classes: np.ndarray) -> tf.Tensor:
    scores = tf.reshape(scores, [len(classes), -1])
    if scores.shape[1] == 1:  # one output: for class 0 it is the less, the more it is class 0
        signs = tf.constant(np.where(classes == 0, -1.0, 1.0), scores.dtype)
        return tf.reduce_sum(scores[:, 0] * signs)
    rows = tf.stack([tf.range(len(classes)), tf.constant(classes, tf.int32)], 1)
    return tf.reduce_sum(tf.gather_nd(scores, rows))
