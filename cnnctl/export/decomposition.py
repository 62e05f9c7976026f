"""Operations that converters lack, in terms of operations that they have.

A decomposition computes the same from the same inputs. It is applied to a copy of the traced
network, never to the model.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import tensorflow as tf

Compute = Callable[..., Any]
"""The inputs of an operation to its output; those of the one before it, for a part of a complex
number."""


def decompose(graph: tf.Graph, given: tf.Tensor, which: Collection[str]) -> Any:
    """Replace operations of a graph by their decompositions.

    Args:
        graph: Without variables.
        given: Its input.
        which: Types of operations, of `DECOMPOSITIONS`.

    Returns:
        The new graph's `GraphDef`. The tensors that it shares with the old one keep their names.
    """
    before = graph.as_graph_def(add_shapes=True)
    after = type(before)()
    after.CopyFrom(before)
    del after.node[:]
    constants = _Constants(graph, given)
    for node in before.node:
        compute = None
        if node.op in which:
            operation = graph.get_operation_by_name(node.name)
            compute = DECOMPOSITIONS[node.op](operation, constants)
        after.node.extend([node] if compute is None else _spliced(operation, node, compute))
    return after


class _Constants:
    """Values in a graph that are the same for all images, such as sizes worked out from shapes."""

    def __init__(self, graph: tf.Graph, given: tf.Tensor) -> None:
        shape = [size or 1 for size in given.shape]
        self._session = tf.compat.v1.Session(graph=graph)
        self._feeds = [{given.name: np.full(shape, value, given.dtype.as_numpy_dtype)}
                       for value in (0, 1)]  # fmt: skip

    def value(self, tensor: tf.Tensor) -> np.ndarray | None:
        """The value of a tensor; None where it depends on the image."""
        one, other = (np.asarray(self._session.run(tensor, feed)) for feed in self._feeds)
        return one if np.array_equal(one, other) else None

    def shape(self, tensor: tf.Tensor) -> tuple[int, ...]:
        """The shape of a tensor for one image."""
        return np.shape(self._session.run(tensor, self._feeds[0]))


def _spliced(operation: Any, node: Any, compute: Compute) -> list[Any]:
    """The nodes of a decomposition, the last of which has the name of the operation."""
    source = operation.inputs[0].op if operation.type in _PARTS else operation
    with tf.Graph().as_default() as part:
        places = [tf.compat.v1.placeholder(each.dtype, each.shape) for each in source.inputs]
        tf.identity(compute(*places), name="result")
    inputs = {place.op.name: each.name for place, each in zip(places, source.inputs, strict=True)}
    found = []
    for each in part.as_graph_def(add_shapes=True).node:
        if each.name in inputs:
            continue
        each.name = node.name if each.name == "result" else f"{node.name}/plain/{each.name}"
        for index, name in enumerate(each.input):
            control = "^" if name.startswith("^") else ""
            each.input[index] = inputs.get(name) or f"{control}{node.name}/plain/{name.lstrip('^')}"
        found.append(each)
    return found


def _resized(operation: Any, constants: _Constants) -> Compute | None:
    """Resizing is linear, and separate in height and width: a product with a matrix for each.

    The matrices are what the operation itself makes of unit vectors.
    """
    known = [constants.value(each) for each in operation.inputs[1:]]
    sizes = [size for size in known if size is not None]
    if len(sizes) < len(known):
        return None
    before = constants.shape(operation.inputs[0])[1:3]
    with tf.init_scope():
        rows, columns = (_matrix(operation, sizes, before[axis], axis) for axis in (0, 1))

    def compute(x: Any, *_: Any) -> Any:
        x = tf.transpose(tf.cast(x, tf.float32), [0, 3, 1, 2])
        return tf.transpose(tf.matmul(tf.matmul(rows, x), columns.T), [0, 2, 3, 1])

    return compute


def _matrix(operation: Any, sizes: list[np.ndarray], before: int, axis: int) -> np.ndarray:
    """(size after, size before) along height (0) or width (1)."""
    units = np.eye(before, dtype=np.float32).reshape(1, before, 1, before)
    names = {"ScaleAndTranslate": ("size", "scale", "translation")}.get(operation.type, ("size",))
    arguments = {}
    for name, value in zip(names, sizes, strict=True):
        neutral = 0 if name == "translation" else 1  # the other axis has one pixel and keeps it
        arguments[name] = np.where(np.arange(2) == axis, value, neutral).astype(value.dtype)
    kept = ("align_corners", "half_pixel_centers", "kernel_type", "antialias")
    arguments |= {key: operation.get_attr(key) for key in kept if key in operation.node_def.attr}
    made = getattr(tf.raw_ops, operation.type)(
        images=units if axis == 0 else units.swapaxes(1, 2), **arguments
    )
    return np.asarray(made).reshape(-1, before)


def _in_groups(operation: Any, constants: _Constants) -> Compute | None:
    """A convolution in groups is one convolution for each group of channels."""
    images, kernel = operation.inputs
    first = _is_channels_first(operation)
    axis = 1 if first else -1
    groups = int(images.shape[axis]) // int(kernel.shape[-2])
    if groups == 1 and not first:
        return None
    strides, padding = _spatial(operation, "strides"), _padding(operation)
    if set(_spatial(operation, "dilations")) != {1}:
        return None

    def compute(x: Any, kernel: Any) -> Any:
        x = _channels_last(x) if first else x
        parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
        found = [tf.nn.convolution(part, some, strides, padding) for part, some in parts]
        joined = found[0] if groups == 1 else tf.concat(found, -1)
        return _channels_first(joined) if first else joined

    return compute


def _pooled(operation: Any, constants: _Constants) -> Compute | None:
    """Pooling a volume is pooling over height and width, then over depth."""
    first = _is_channels_first(operation)
    pool = tf.nn.max_pool2d if operation.type == "MaxPool3D" else tf.nn.avg_pool2d
    window, strides = _spatial(operation, "ksize"), _spatial(operation, "strides")
    padding = _padding(operation)

    def compute(x: Any) -> Any:
        x = _channels_last(x) if first else x
        depth, height, width, channels = x.shape[1:]
        x = tf.reshape(x, [-1, height, width, channels])
        x = pool(x, window[1:], strides[1:], padding)
        height, width = x.shape[1:3]
        x = tf.reshape(x, [-1, depth, height * width, channels])
        x = pool(x, [window[0], 1], [strides[0], 1], padding)
        x = tf.reshape(x, [-1, x.shape[1], height, width, channels])
        return _channels_first(x) if first else x

    return compute


def _transposed(operation: Any, constants: _Constants) -> Compute | None:
    """A transposed convolution with zeros between the kernel's numbers instead of a dilation, and
    zeros appended where windows do not reach."""
    kernel, images = operation.inputs[1:]
    first = _is_channels_first(operation)
    strides, dilations = _spatial(operation, "strides"), _spatial(operation, "dilations")
    rank, inside = len(strides), slice(2, None) if first else slice(1, -1)
    before, wanted = (constants.shape(each)[inside] for each in (images, operation.outputs[0]))
    extents = [(int(k) - 1) * d + 1 for k, d in zip(kernel.shape[:rank], dilations, strict=True)]
    reached = [
        (size - 1) * stride + extent
        for size, stride, extent in zip(before, strides, extents, strict=True)
    ]
    beyond = [max(size - reach, 0) for size, reach in zip(wanted, reached, strict=True)]
    if not first and set(dilations) == {1} and not any(beyond):
        return None
    sizes = [size - more for size, more in zip(wanted, beyond, strict=True)]
    padding, channels = _padding(operation), int(kernel.shape[-2])

    def compute(_: Any, kernel: Any, x: Any) -> Any:
        x = _channels_last(x) if first else x
        for axis, (dilation, extent) in enumerate(zip(dilations, extents, strict=True)):
            kernel = _spread(kernel, axis, dilation, extent)
        made = tf.nn.conv_transpose(
            x, kernel, tf.stack([tf.shape(x)[0], *sizes, channels]), strides, padding
        )
        made = tf.pad(made, [[0, 0], *([0, more] for more in beyond), [0, 0]])
        return _channels_first(made) if first else made

    return compute


def _spread(kernel: Any, axis: int, dilation: int, extent: int) -> Any:
    """A kernel with zeros between its numbers."""
    if dilation == 1:
        return kernel
    shape = [int(size) for size in kernel.shape]
    kernel = tf.expand_dims(kernel, axis + 1)
    kernel = tf.pad(kernel, [[0, dilation - 1 if at == axis + 1 else 0]
                             for at in range(len(shape) + 1)])  # fmt: skip
    shape[axis] *= dilation
    kernel = tf.reshape(kernel, shape)
    return tf.gather(kernel, range(extent), axis=axis)


def _bias_added(operation: Any, constants: _Constants) -> Compute | None:
    if not _is_channels_first(operation):
        return None
    rank = operation.inputs[0].shape.rank
    return lambda x, bias: x + tf.reshape(bias, [1, -1] + [1] * (rank - 2))


def _part(operation: Any, constants: _Constants) -> Compute | None:
    """The real or imaginary part of a Fourier transform is a product with cosines or sines."""
    transform = operation.inputs[0].op
    if transform.type != "RFFT" or (size := constants.value(transform.inputs[1])) is None:
        return None
    length = int(size[0])
    angles = 2 * np.pi * np.outer(np.arange(length), np.arange(length // 2 + 1)) / length
    waves = np.cos(angles) if operation.type == "Real" else -np.sin(angles)
    given = constants.shape(transform.inputs[0])[-1]
    taken = min(given, length)  # the rest is zeros, or cut off
    return lambda x, _: tf.matmul(x[..., :taken], waves[:taken].astype(np.float32))


def _is_channels_first(operation: Any) -> bool:
    return bool(operation.get_attr("data_format").startswith(b"NC"))


def _channels_last(x: Any) -> Any:
    return tf.transpose(x, [0, *range(2, x.shape.rank), 1])


def _channels_first(x: Any) -> Any:
    return tf.transpose(x, [0, x.shape.rank - 1, *range(1, x.shape.rank - 1)])


def _spatial(operation: Any, attribute: str) -> list[int]:
    """A number for each axis of a window."""
    numbers = list(operation.get_attr(attribute))
    return numbers[2:] if _is_channels_first(operation) else numbers[1:-1]


def _padding(operation: Any) -> str:
    return str(operation.get_attr("padding").decode())


_PARTS = ("Real", "Imag")

DECOMPOSITIONS: dict[str, Callable[[Any, _Constants], Compute | None]] = {
    "AvgPool3D": _pooled,
    "BiasAdd": _bias_added,
    "Conv2DBackpropInput": _transposed,
    "Conv3D": _in_groups,
    "Conv3DBackpropInputV2": _transposed,
    "Imag": _part,
    "MaxPool3D": _pooled,
    "Real": _part,
    "ResizeArea": _resized,
    "ResizeBicubic": _resized,
    "ScaleAndTranslate": _resized,
}
"""By type of operation; None where one can stay as it is, or where no decomposition is known."""
