"""What goes on inside a network: feature maps, and what in an image an output depends on."""

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
    """The layers whose outputs are maps: (height, width, channels) for an image."""
    return [layer for layer in model.layers if len(layer.output.shape) == 4]


def of_places(model: keras.Model) -> list[Any]:
    """The layers with maps in which a place stands for a place of the image.

    Neither maps of 1×1, as after global pooling, nor what is spread out again from those or from a
    vector.
    """
    places = {id(each) for each in model.inputs}
    for layer in model.layers:
        sources = layer.input if isinstance(layer.input, list | tuple) else [layer.input]
        if _has_places(layer) and any(id(each) in places for each in sources):
            places.add(id(layer.output))
    return [layer for layer in with_maps(model) if id(layer.output) in places]


def _has_places(layer: Any) -> bool:
    """Whether an output has more than one place, such as maps, sequences and volumes."""
    shape = list(layer.output.shape)
    return len(shape) > 2 and any(size != 1 for size in np.delete(shape, [0, _channels(layer)]))


def _channels(layer: Any) -> int:
    """The axis of a layer's channels."""
    while not hasattr(layer, "data_format") and hasattr(layer, "layer"):
        layer = layer.layer
    return 1 if getattr(layer, "data_format", None) == "channels_first" else -1


def convolutions(model: keras.Model) -> list[Any]:
    """The layers that convolve, alone or inside a wrapper, and have maps of places."""
    return [layer for layer in of_places(model) if _convolves(layer)]


def _convolves(layer: Any) -> bool:
    if hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel"):
        return True
    return any("kernel" in each.name and len(each.shape) >= 4 for each in layer.weights)


def exciting(model: keras.Model) -> Any:
    """The last convolution of a network, of whatever size, for images that excite it.

    Raises:
        UsageError: There is none.
    """
    if found := convolutions(model) or [each for each in with_maps(model) if _convolves(each)]:
        return found[-1]
    raise UsageError("the network has no convolution over height and width")


def last_convolution(
    model: keras.Model, x: np.ndarray | None = None, classes: np.ndarray | None = None
) -> Any:
    """The last convolution of a network whose maps are larger than 1×1, for Grad-CAM.

    Args:
        model: Built.
        x: Images, normalized. With them it is the last that the scores depend on.
        classes: Whose scores.

    Raises:
        UsageError: There is none.
    """
    found = convolutions(model)
    if not found:
        raise UsageError("the network has no convolution with maps larger than 1×1")
    if x is not None and classes is not None:
        for layer in reversed(found):
            _, gradients = _maps_and_gradients(model, x, classes, layer)
            if gradients is not None and np.any(gradients):
                return layer
    return found[-1]


def outputs(model: keras.Model, layers: list[Any], x: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of layers for normalized images (n, …), by name."""
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
    """The gradient of a class's score with respect to the image (Simonyan et al. 2014).

    Args:
        model: Built.
        x: (n, height, width, channels), normalized.
        classes: (n,) whose score; for networks with one output any.

    Returns:
        (n, height, width, channels).
    """
    with _unsquashed(model) as scores:
        inner = keras.Model(model.inputs, scores)
        images = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = _score(inner(images, training=False), classes)
        return np.asarray(tape.gradient(total, images))


def grad_cam(
    model: keras.Model, x: np.ndarray, classes: np.ndarray, layer: Any | None = None
) -> np.ndarray:
    """Where the evidence for a class is: Grad-CAM (Selvaraju et al. 2017, equations 1 and 2).

    Args:
        model: Built.
        x: (n, height, width, channels), normalized.
        classes: (n,) for which class.
        layer: A layer with maps; by default the last convolution that the scores depend on.

    Returns:
        (n, h, w) in the size of the layer's maps, each from 0 to 1 (all 0 where nothing speaks for
        the class).

    Raises:
        UsageError: The scores do not depend on the layer.
    """
    layer = layer or last_convolution(model, x, classes)
    maps, gradients = _maps_and_gradients(model, x, classes, layer)
    if gradients is None:
        raise UsageError(f"the outputs of the network do not depend on the maps of {layer.name}")
    if _channels(layer) == 1:
        maps, gradients = (np.moveaxis(each, 1, 3) for each in (maps, gradients))
    heat = np.maximum((gradients.mean((1, 2), keepdims=True) * maps).sum(-1), 0)
    most = heat.max((1, 2), keepdims=True)
    parts: np.ndarray = np.divide(heat, most, out=np.zeros_like(heat), where=most > 0)
    return parts


def _maps_and_gradients(
    model: keras.Model, x: np.ndarray, classes: np.ndarray, layer: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    """A layer's maps, and the gradients of the scores in them; None where there are none."""
    with _unsquashed(model) as scores:
        inner = keras.Model(model.inputs, [layer.output, scores])
        images = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(images)
            maps, score = inner(images, training=False)
            total = _score(score, classes)
        gradients = tape.gradient(total, maps)
    return np.asarray(maps), None if gradients is None else np.asarray(gradients)


def excite(
    model: keras.Model,
    layer: Any,
    channels: list[int],
    *,
    limits: tuple[np.ndarray, np.ndarray],
    steps: int = 60,
    seed: int = 0,
) -> np.ndarray:
    """Images that excite the channels of a layer as much as may be, by gradient ascent on the
    image (Erhan et al. 2009).

    Args:
        model: Built.
        layer: Whose output.
        channels: Which of its channels, or units.
        limits: The least and the greatest input, for each channel of an image.
        steps: Of a fiftieth of the range each, along the normalized gradient.
        seed: Of the noise that it begins with.

    Returns:
        (len(channels), height, width, channels), normalized as the network's inputs are.
    """
    low, high = (np.asarray(each, np.float32) for each in limits)
    shape = (len(channels), *(int(size) for size in model.input_shape[1:]))
    noise = np.random.default_rng(seed).uniform(0.4, 0.6, shape).astype(np.float32)
    images = tf.Variable(low + (high - low) * noise)
    inner = keras.Model(model.inputs, layer.output)
    picked = tf.constant([[index, channel] for index, channel in enumerate(channels)])

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> None:
        with tf.GradientTape() as tape:
            found = inner(images, training=False)
            means = tf.reduce_mean(found, axis=range(1, len(found.shape) - 1))
            total = tf.reduce_sum(tf.gather_nd(means, picked))
        gradient = tape.gradient(total, images)
        axes = list(range(1, len(gradient.shape)))
        size = tf.sqrt(tf.reduce_mean(gradient**2, axes, keepdims=True)) + 1e-8
        moved = images + (high - low) / 50 * gradient / size
        images.assign(tf.clip_by_value(moved, low, high))

    for _ in range(steps):
        step()
    return images.numpy()  # type: ignore[no-any-return]


def _score(scores: tf.Tensor, classes: np.ndarray) -> tf.Tensor:
    scores = tf.reshape(scores, [len(classes), -1])
    if scores.shape[1] == 1:  # one output: for class 0 it is the less, the more it is class 0
        signs = tf.constant(np.where(classes == 0, -1.0, 1.0), scores.dtype)
        return tf.reduce_sum(scores[:, 0] * signs)
    rows = tf.stack([tf.range(len(classes)), tf.constant(classes, tf.int32)], 1)
    return tf.reduce_sum(tf.gather_nd(scores, rows))
