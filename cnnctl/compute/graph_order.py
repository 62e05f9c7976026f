"""The order of a step's operations: the same mathematics, arranged so that two threads have work.

Measured in docs/performance.md; each holds the same sums against Keras in `tests/compute`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import tensorflow as tf

from cnnctl.compat import sole_consumer, values_replaced, wait_for

LARGE_KERNEL = 1 << 18
"""Weights in a kernel from which one product over the batch is faster than a sum of products."""

_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
_POOLINGS = (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D, keras.layers.MaxPooling3D)


@contextmanager
def pooled_first(model: keras.Model) -> Iterator[None]:
    """While a step is traced, take the ReLU of a convolution after its max pooling.

    The largest of the rectified values is the rectified largest, and so are the gradients: where
    the largest is not positive, both are zero. There are four times fewer values to rectify.
    Layers are as before afterwards; only what was traced in between differs.
    """
    with ExitStack() as stack:
        for convolution, pooling in _rectified_then_pooled(model):
            stack.enter_context(_swapped(convolution, pooling))
        yield


def _rectified_then_pooled(model: keras.Model) -> Iterator[tuple[Any, Any]]:
    for layer in model.layers:
        if type(layer) not in _CONVOLUTIONS or layer.activation is not keras.activations.relu:
            continue
        if layer.activity_regularizer is not None:  # it looks at what is rectified
            continue
        if any(layer.output is each for each in model.outputs):
            continue
        consumer = sole_consumer(layer)
        if type(consumer) in _POOLINGS:
            yield layer, consumer


@contextmanager
def _swapped(convolution: Any, pooling: Any) -> Iterator[None]:
    pool = pooling.call
    convolution.activation = keras.activations.linear
    pooling.call = lambda inputs: tf.nn.relu(pool(inputs))
    try:
        yield
    finally:
        convolution.activation = keras.activations.relu
        del pooling.call


@contextmanager
def read_once(variables: Sequence[keras.Variable]) -> Iterator[list[tf.Tensor]]:
    """While a step is traced, read weights once for all parts of a batch.

    In bfloat16 they are then also cast once. Nothing may assign to them meanwhile.

    Args:
        variables: Trainable weights.

    Yields:
        What was read, to take gradients for.
    """
    tensors = [tf.convert_to_tensor(variable.value) for variable in variables]
    with values_replaced(variables, tensors):
        yield tensors


def inputs_first() -> None:
    """In the graph that is being traced, take a convolution's input gradient before its kernel's.

    The layers below wait for the one and nobody for the other, which so is left to fill the gaps.
    The gradient of the images is in the graph too, and must stay one that nobody waits for.
    """
    operations = tf.compat.v1.get_default_graph().get_operations()
    gradients = {
        operation.inputs[2].name: operation
        for operation in operations
        if operation.type == "Conv2DBackpropInput" and operation.outputs[0].consumers()
    }
    for operation in operations:
        if operation.type == "Conv2DBackpropFilter":
            first = gradients.get(operation.inputs[2].name)
            if first is not None:
                wait_for(operation, first)


def summed(gradients: Sequence[Any]) -> Any:
    """The sum of one variable's gradients; of those that touch only some rows, all the rows.

    A dense kernel's gradient over a part is a product of inputs and output gradients; the sum of
    the products is one product over the whole batch, and the products of the parts, which nobody
    needs then, are not computed. That product, and the update that follows, take one thread for
    long: first the layers below get what every part has for them, so that no part is left behind.
    """
    if len(gradients) == 1 or gradients[0] is None:
        return gradients[0]
    if isinstance(gradients[0], tf.IndexedSlices):
        values = tf.concat([each.values for each in gradients], 0)
        indices = tf.concat([each.indices for each in gradients], 0)
        return tf.IndexedSlices(values, indices, gradients[0].dense_shape)
    products = [each.op for each in gradients]
    # The shape may be unknown while a step is traced: behind a reshape to the batch's size, say.
    size = gradients[0].shape.num_elements()
    if size is not None and size >= LARGE_KERNEL and all(map(_is_of_a_kernel, products)):
        with tf.control_dependencies([each for part in products for each in _to_inputs(part)]):
            inputs = tf.concat([each.inputs[0] for each in products], 0)
            outputs = tf.concat([each.inputs[1] for each in products], 0)
            return tf.matmul(inputs, outputs, transpose_a=True)
    return tf.add_n(gradients)


def _to_inputs(product: tf.Operation) -> Iterator[tf.Operation]:
    """The product that gives a dense layer's input gradient, beside that of its kernel.

    A layer that sees the images themselves has none that anybody needs.
    """
    for each in product.inputs[1].consumers():
        is_of_outputs = each.type == "MatMul" and each.inputs[0] is product.inputs[1]
        if is_of_outputs and each.get_attr("transpose_b") and each.outputs[0].consumers():
            yield each


def _is_of_a_kernel(operation: tf.Operation) -> bool:
    """Whether an operation is a product of two matrices over their rows: the images."""
    return (
        operation.type == "MatMul"
        and operation.get_attr("transpose_a")
        and not operation.get_attr("transpose_b")
    )
