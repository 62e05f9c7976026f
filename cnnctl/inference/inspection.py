"""The numbers themselves: what every layer makes of one input, and the gradients on the way back.

Both are Keras's; `cnnctl.inference.explain` says how an output came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnctl import startup
from cnnctl.errors import UsageError
from cnnctl.inference.explain import View
from cnnctl.inference.inspected_input import model_and_input
from cnnctl.specs import Spec


@dataclass(frozen=True, eq=False)
class Backward:
    """The way back.

    Args:
        error: E.
        what: What E is, in words.
        inputs: dE/dX.
        outputs: dE/dH by layer.
        weights: dE/dW by layer and weight.
        rate: η; None where nothing is updated.
    """

    error: float
    what: str
    inputs: np.ndarray
    outputs: dict[str, np.ndarray]
    weights: dict[str, dict[str, np.ndarray]]
    rate: float | None

    def updated(self, view: View, weight: str) -> np.ndarray | None:
        """W − η·dE/dW of a layer's weight."""
        if self.rate is None:
            return None
        updated: np.ndarray = view.weights[weight] - self.rate * self.weights[view.name][weight]
        return updated


@dataclass(frozen=True, eq=False)
class Inspection:
    """What a network makes of one input.

    Args:
        name: The spec's or run's.
        image: The network's input.
        views: The layers, in order.
        backward: The gradients, if they were asked for.
        steps: What was done to the image, in words.
    """

    name: str
    image: np.ndarray
    views: tuple[View, ...]
    backward: Backward | None = None
    steps: tuple[str, ...] = ()


def inspect(
    source: Path | Spec,
    given: str | np.ndarray | None = None,
    *,
    gradients: bool = False,
    label: int | None = None,
    rate: float | None = None,
    checkpoint: str | None = None,
    data_dir: Path | None = None,
    device: str = "auto",
) -> Inspection:
    """Look at one input on its way through a network, and back.

    Args:
        source: A checked spec, with weights as it starts; or a run, checkpoint or file of weights.
        given: An image file; an array, or nested lists in JSON, as the network gets it; the number
            of an image of the data set. By default the first image that the spec itself has.
        gradients: Whether E is worked out, and its gradients.
        label: What the image shows. With it, E is the spec's loss; without, the sum of the
            outputs.
        rate: η of the update; by default that of the spec's optimizer, where it has one number.
        checkpoint: `best` (default), `last` or `epoch-0003`, where `source` is a run.
        data_dir: Where data sets are looked for first.
        device: As in `cnnctl.train`.

    Raises:
        UsageError: There is no input, or not of the network's shape.
    """
    startup.quiet()
    spec, model, image, steps, name = model_and_input(source, given, checkpoint, data_dir, device)
    import keras
    import tensorflow as tf

    tensors = [layer.output for layer in model.layers]
    inner = keras.Model(model.inputs, tensors)
    x = tf.constant(image[None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = inner(x, training=False)
        found = list(found) if isinstance(found, list | tuple) else [found]
        error, what = _error(spec, found[-1], label) if gradients else (None, "")
    inputs = _inputs_of(model, image, found)
    views = tuple(
        View(layer.name, type(layer).__name__, inputs[layer.name], np.asarray(output)[0],
             {each.name: np.asarray(each) for each in layer.weights}, layer)
        for layer, output in zip(model.layers, found, strict=True)
    )  # fmt: skip
    backward = None
    if error is not None:
        kernels = [each for layer in model.layers for each in layer.trainable_weights]
        values = [each.value for each in kernels]
        slopes = tape.gradient(error, [x, *found, *values])
        by_weight = iter(slopes[1 + len(found) :])
        backward = Backward(
            float(error),
            what,
            _array(slopes[0], image[None])[0],
            {layer.name: _array(slope, output)[0]
             for layer, slope, output in zip(model.layers, slopes[1:], found, strict=False)},
            {layer.name: {each.name: _array(next(by_weight), each)
                          for each in layer.trainable_weights} for layer in model.layers},
            rate if rate is not None else _rate(spec),
        )  # fmt: skip
    return Inspection(name, image, views, backward, steps)


def _array(slope: Any, like: Any) -> np.ndarray:
    """A gradient as an array; zeros where nothing depends on it."""
    import tensorflow as tf

    if slope is None:
        return np.zeros_like(np.asarray(like))
    return np.asarray(tf.convert_to_tensor(slope))


def _inputs_of(model: Any, image: np.ndarray, found: Sequence[Any]) -> dict[str, np.ndarray]:
    """What each layer gets: the output of the layer before it; of several, the first."""
    import keras

    outputs = {layer.name: np.asarray(output)[0]
               for layer, output in zip(model.layers, found, strict=True)}  # fmt: skip
    names = {id(layer.output): layer.name for layer in model.layers}
    inputs = {}
    for layer in model.layers:
        (given, *_) = keras.tree.flatten(layer.input) or [None]
        inputs[layer.name] = outputs.get(names.get(id(given)), image)
    return inputs


def _error(spec: Spec, output: Any, label: int | None) -> tuple[Any, str]:
    """E and what it is."""
    import tensorflow as tf

    if label is None:
        return tf.reduce_sum(output), "the sum of the outputs"
    if spec.compile is None:
        raise UsageError("the spec has no `compile.loss`, which a label needs")
    from cnnctl.network.build import construct

    classes = int(output.shape[-1])
    if not 0 <= label < max(classes, 2):
        raise UsageError(f"there is no class {label}: the network has {classes} outputs")
    loss = construct(spec.compile.loss)
    if isinstance(loss, str):
        raise UsageError(f"`{loss}` is resolved by Keras at training: name the loss in full")
    one_hot = spec.data is not None and spec.data.label_mode == "categorical"
    target = tf.one_hot([label], classes) if one_hot else tf.constant([[label]])
    return loss(target, output), f"{spec.compile.loss.name} for class {label}"


def _rate(spec: Spec) -> float | None:
    if spec.compile is None:
        return None
    rate = spec.compile.optimizer.arguments.get("learning_rate")
    return float(rate) if isinstance(rate, int | float) else None
