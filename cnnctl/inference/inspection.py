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
from cnnctl.arithmetic.shapes import same_but_for_ones
from cnnctl.compute.device import start_device
from cnnctl.errors import UsageError
from cnnctl.inference.explain import View
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
        picture: The network's input.
        views: The layers, in order.
        backward: The gradients, if they were asked for.
        steps: What was done to the picture, in words.
    """

    name: str
    picture: np.ndarray
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
        given: A picture file; an array, or nested lists in JSON, as the network gets it; the number
            of a picture of the data set. By default the first picture that the spec itself has.
        gradients: Whether E is worked out, and its gradients.
        label: What the picture shows. With it, E is the spec's loss; without, the sum of the
            outputs.
        rate: η of the update; by default that of the spec's optimizer, where it has one number.
        checkpoint: `best` (default), `last` or `epoch-0003`, where `source` is a run.
        data_dir: Where data sets are looked for first.
        device: As in `cnnctl.training.train`.

    Raises:
        UsageError: There is no input, or not of the network's shape.
    """
    startup.quiet()
    spec, model, picture, steps, name = _opened(source, given, checkpoint, data_dir, device)
    import keras
    import tensorflow as tf

    tensors = [layer.output for layer in model.layers]
    inner = keras.Model(model.inputs, tensors)
    x = tf.constant(picture[None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = inner(x, training=False)
        found = list(found) if isinstance(found, list | tuple) else [found]
        error, what = _error(spec, found[-1], label) if gradients else (None, "")
    inputs = _inputs_of(model, picture, found)
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
            _array(slopes[0], picture[None])[0],
            {layer.name: _array(slope, output)[0]
             for layer, slope, output in zip(model.layers, slopes[1:], found, strict=False)},
            {layer.name: {each.name: _array(next(by_weight), each)
                          for each in layer.trainable_weights} for layer in model.layers},
            rate if rate is not None else _rate(spec),
        )  # fmt: skip
    return Inspection(name, picture, views, backward, steps)


def _array(slope: Any, like: Any) -> np.ndarray:
    """A gradient as an array; zeros where nothing depends on it."""
    import tensorflow as tf

    if slope is None:
        return np.zeros_like(np.asarray(like))
    return np.asarray(tf.convert_to_tensor(slope))


def _opened(
    source: Path | Spec,
    given: str | np.ndarray | None,
    checkpoint: str | None,
    data_dir: Path | None,
    device: str,
) -> tuple[Spec, Any, np.ndarray, tuple[str, ...], str]:
    if isinstance(source, Spec):
        from cnnctl.preflight import input_shape

        spec, shape = source, input_shape(source)
        picture, steps = _picture(spec, given, shape, None, data_dir)
        start_device(device, spec.seed, deterministic=spec.deterministic)
        from cnnctl.network.build import build

        return spec, build(spec, picture.shape), picture, steps, spec.name
    from cnnctl.inference.image_style import input_of
    from cnnctl.inference.trained import find

    trained = find(source, checkpoint=checkpoint)
    shape, scale = input_of(trained, data_dir)
    picture, steps = _picture(trained.spec, given, shape, scale, data_dir, trained.pixels)
    loaded = trained.load(trained.shaped(shape), 1, device)
    return trained.spec, loaded.model, picture, steps, str(trained.source)


def _picture(
    spec: Spec,
    given: Any,
    shape: tuple[int, ...] | None,
    scale: Any,
    data_dir: Path | None,
    pixels: Any = None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The network's input, float32, and what was done to it."""
    if isinstance(given, np.ndarray) or (isinstance(given, str) and given.lstrip()[:1] == "["):
        array = given if isinstance(given, np.ndarray) else _lists(given)
        return _shaped(array, shape), ()
    inline = spec.data is not None and spec.data.dataset.name == "inline"
    if given is None and not inline:
        raise UsageError(
            "--input is missing: a picture file, nested lists, or the number of a picture",
            hint="such as --input '[[0, 1], [2, 3]]'",
        )
    if given is None or given.isdecimal():
        from cnnctl.data.preparation import prepare

        data = prepare(spec, data_dir=data_dir, fixed=scale, recorded=True)
        split = data.dataset.test or data.dataset.train
        index = int(given or 0)
        if index >= len(split):
            raise UsageError(f"there is no picture {index}: there are {len(split):,}")
        name = "test" if data.dataset.test else "train"
        told = (f"{name} picture {index} of {data.dataset.name}",) if given else ()
        return data.normalization.apply(np.asarray(split.x[index : index + 1]))[0], told
    from cnnctl.data.pixel_normalization import without_pictures
    from cnnctl.inference.image_style import look_of
    from cnnctl.inference.images import read

    if shape is None:
        raise UsageError("the spec has no input_shape, so a file cannot be fitted to it")
    if scale is None:
        scale = without_pictures(spec.data.normalize if spec.data else "unit")
    if scale is None:
        from cnnctl.data.preparation import prepare

        scale = prepare(spec, data_dir=data_dir, recorded=True).normalization
    found = next(iter(read([given], look_of(spec, tuple(shape), scale, pixels))))
    steps = (*found.steps, f"normalize: {scale.kind}")
    return scale.apply(found.x[None])[0], steps


def _lists(text: str) -> np.ndarray:
    """Nested lists in JSON as an array.

    Raises:
        UsageError: They are ragged, or hold what is no number.
    """
    import json

    try:
        array = np.array(json.loads(text), dtype=np.float32)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise UsageError(f"--input holds no nested lists of numbers: {error}") from error
    if array.size == 0 or not np.isfinite(array).all():
        raise UsageError("--input holds no numbers, or ones that are not finite")
    return array


def _shaped(array: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
    array = array.astype(np.float32)
    if shape is None:
        return array[..., None] if array.ndim == 2 else array
    if array.shape == tuple(shape):
        return array
    if same_but_for_ones(array.shape, shape):
        return array.reshape(shape)
    came, wanted = ("×".join(map(str, each)) for each in (array.shape, shape))
    raise UsageError(f"the input is {came}, and the network takes {wanted}")


def _inputs_of(model: Any, picture: np.ndarray, found: Sequence[Any]) -> dict[str, np.ndarray]:
    """What each layer gets: the output of the layer before it; of several, the first."""
    import keras

    outputs = {layer.name: np.asarray(output)[0]
               for layer, output in zip(model.layers, found, strict=True)}  # fmt: skip
    names = {id(layer.output): layer.name for layer in model.layers}
    inputs = {}
    for layer in model.layers:
        (given, *_) = keras.tree.flatten(layer.input) or [None]
        inputs[layer.name] = outputs.get(names.get(id(given)), picture)
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
