"""The numbers themselves: what every layer makes of one input, window by window, and back again.

Outputs and gradients are Keras's; the sums that led to an output are worked out beside it, from the
layer's input and weights, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnnctl import backend
from cnnctl.arithmetic.shapes import same_but_for_ones
from cnnctl.errors import UsageError
from cnnctl.spec import Spec

Place = tuple[int, ...]


@dataclass(frozen=True)
class Sum:
    """How one output came about.

    Args:
        place: Of the output, without the batch: (row, column, channel), or (unit,).
        values: The inputs that it sees, in order; padding is None.
        weights: What each is multiplied by; empty for pooling.
        bias: What is added; None where the layer has none.
        total: Sum, or the pooled value, before the activation.
        activation: Its name; empty for none.
        output: After it.
        window: The first and the last input position (rows, columns) that it sees; None for a layer
            that sees all.
    """

    place: Place
    values: tuple[float | None, ...]
    weights: tuple[float, ...]
    bias: float | None
    total: float
    activation: str
    output: float
    window: tuple[Place, Place] | None = None


@dataclass(frozen=True, eq=False)
class View:
    """One layer.

    Args:
        name: Unique in the network.
        kind: Its class.
        inputs: (height, width, channels) or any other shape of its input.
        output: Of its output.
        weights: By name.
        layer: The Keras layer.
    """

    name: str
    kind: str
    inputs: np.ndarray
    output: np.ndarray
    weights: dict[str, np.ndarray]
    layer: Any = field(repr=False)

    def sums(self) -> Iterator[Sum]:
        """How each output came about, for convolutions, pooling and dense layers; else nothing."""
        if self.kind in ("Conv2D", "Conv1D"):
            yield from _convolved(self)
        elif self.kind in ("MaxPooling2D", "AveragePooling2D"):
            yield from _pooled(self)
        elif self.kind == "Dense" and self.inputs.ndim == 1:
            yield from _dense(self)


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
    backend.quiet()
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
        backend.start(device, spec.seed, deterministic=spec.deterministic)
        from cnnctl.model import build

        return spec, build(spec, picture.shape), picture, steps, spec.name
    from cnnctl.prediction import input_of
    from cnnctl.trained import find

    trained = find(source, checkpoint=checkpoint)
    shape, scale = input_of(trained, data_dir)
    picture, steps = _picture(trained.spec, given, shape, scale, data_dir)
    loaded = trained.load(shape, 1, device)
    return trained.spec, loaded.model, picture, steps, str(trained.source)


def _picture(
    spec: Spec, given: Any, shape: tuple[int, ...] | None, scale: Any, data_dir: Path | None
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

        data = prepare(spec, data_dir=data_dir, fixed=scale)
        split = data.dataset.test or data.dataset.train
        index = int(given or 0)
        if index >= len(split):
            raise UsageError(f"there is no picture {index}: there are {len(split):,}")
        name = "test" if data.dataset.test else "train"
        told = (f"{name} picture {index} of {data.dataset.name}",) if given else ()
        return data.normalization.apply(np.asarray(split.x[index : index + 1]))[0], told
    from cnnctl.data.dataset import Split
    from cnnctl.data.incoming import read
    from cnnctl.data.normalization import normalization
    from cnnctl.prediction import look_of

    if shape is None:
        raise UsageError("the spec has no input_shape, so a file cannot be fitted to it")
    if scale is None:
        kind = spec.data.normalize if spec.data else "unit"
        if kind == "standard":
            from cnnctl.data.preparation import prepare

            scale = prepare(spec, data_dir=data_dir).normalization
        else:
            nothing = Split(np.zeros((0, 1, 1, 1), np.uint8), np.zeros(0, np.int64))
            scale = normalization(kind, nothing)
    found = next(iter(read([given], look_of(spec, tuple(shape), scale))))
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
    outputs = {layer.name: np.asarray(output)[0]
               for layer, output in zip(model.layers, found, strict=True)}  # fmt: skip
    inputs = {}
    for layer in model.layers:
        sources = layer._inbound_nodes[0].parent_nodes if layer._inbound_nodes else []
        before = sources[0].operation.name if sources else None
        inputs[layer.name] = outputs.get(before, picture) if before else picture
    return inputs


def _error(spec: Spec, output: Any, label: int | None) -> tuple[Any, str]:
    """E and what it is."""
    import tensorflow as tf

    if label is None:
        return tf.reduce_sum(output), "the sum of the outputs"
    if spec.compile is None:
        raise UsageError("the spec has no `compile.loss`, which a label needs")
    from cnnctl.model import construct

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


def _convolved(view: View) -> Iterator[Sum]:
    kernel = view.weights["kernel"].astype(np.float64)
    flat = view.kind == "Conv1D"
    x = view.inputs[None] if flat else view.inputs
    output = view.output[None] if flat else view.output
    kernel = kernel[None] if flat else kernel
    config = view.layer
    if config.groups != 1 or config.data_format != "channels_last":
        return
    strides = (1, *config.strides) if flat else config.strides
    dilation = (1, *config.dilation_rate) if flat else config.dilation_rate
    padding = config.padding
    bias = view.weights.get("bias") if config.use_bias else None
    starts = _starts(padding, x.shape, output.shape, kernel.shape, strides, dilation, flat)
    activation = _name_of(config.activation)
    for place in np.ndindex(output.shape):
        row, column, channel = place
        top, left = starts[0] + row * strides[0], starts[1] + column * strides[1]
        values, weights, total = [], [], 0.0
        for a, b, c in np.ndindex(kernel.shape[:3]):
            at = top + a * dilation[0], left + b * dilation[1]
            inside = 0 <= at[0] < x.shape[0] and 0 <= at[1] < x.shape[1]
            value = float(x[at[0], at[1], c]) if inside else None
            weight = float(kernel[a, b, c, channel])
            values.append(value)
            weights.append(weight)
            total += (value or 0.0) * weight
        own = None if bias is None else float(bias[channel])
        window = (top, left), (top + (kernel.shape[0] - 1) * dilation[0],
                               left + (kernel.shape[1] - 1) * dilation[1])  # fmt: skip
        yield Sum(place[1:] if flat else place, tuple(values), tuple(weights), own,
                  total + (own or 0.0), activation, float(output[place]), window)  # fmt: skip


def _starts(
    padding: str,
    shape: Sequence[int],
    output: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    flat: bool = False,
) -> tuple[int, int]:
    """Where the first window begins: TensorFlow pads the less in front (`same`)."""
    if padding == "valid":
        return 0, 0
    found = []
    for axis in (0, 1):
        extent = (kernel[axis] - 1) * dilation[axis] + 1
        pad = max((output[axis] - 1) * strides[axis] + extent - shape[axis], 0)
        before = pad if padding == "causal" and axis == 1 else pad // 2
        found.append(0 if flat and axis == 0 else -before)
    return found[0], found[1]


def _pooled(view: View) -> Iterator[Sum]:
    config = view.layer
    if config.data_format != "channels_last":
        return
    size, strides, x = config.pool_size, config.strides, view.inputs
    starts = _starts(config.padding, x.shape, view.output.shape, size, strides, (1, 1))
    for place in np.ndindex(view.output.shape):
        row, column, channel = place
        top, left = starts[0] + row * strides[0], starts[1] + column * strides[1]
        values = []
        for a, b in np.ndindex(*size):
            at = top + a, left + b
            inside = 0 <= at[0] < x.shape[0] and 0 <= at[1] < x.shape[1]
            values.append(float(x[at[0], at[1], channel]) if inside else None)
        known = [value for value in values if value is not None]
        total = max(known) if view.kind == "MaxPooling2D" else math.fsum(known) / len(known)
        yield Sum(place, tuple(values), (), None, total, "", float(view.output[place]),
                  ((top, left), (top + size[0] - 1, left + size[1] - 1)))  # fmt: skip


def _dense(view: View) -> Iterator[Sum]:
    kernel = view.weights["kernel"].astype(np.float64)
    bias = view.weights.get("bias")
    values = tuple(map(float, view.inputs))
    activation = _name_of(view.layer.activation)
    for unit in range(len(view.output)):
        own = None if bias is None else float(bias[unit])
        total = float(view.inputs.astype(np.float64) @ kernel[:, unit]) + (own or 0.0)
        yield Sum((unit,), values, tuple(map(float, kernel[:, unit])), own, total, activation,
                  float(view.output[unit]))  # fmt: skip


def _name_of(activation: Any) -> str:
    name = getattr(activation, "__name__", type(activation).__name__)
    return "" if name == "linear" else name
