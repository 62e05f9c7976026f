"""The update of the weights by TensorFlow's own kernels, one pass over memory for each variable.

Keras writes an optimizer as a dozen operations on whole tensors, each of which reads and writes
all of them. The kernels compute the same formulas (Kingma and Ba 2014 for Adam, in the form with
alpha; Hinton's RMSprop with epsilon inside the root; Sutskever's momentum as in Keras) in another
order of rounding, and use the optimizer's own slots, so that checkpoints are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from cnnctl.compat import momentums, restore_reduction, skip_reduction, slot_number, velocities

Update = Callable[[Any, Any, Any], None]
"""(gradient, variable, learning rate), as `keras.optimizers.Optimizer.update_step`."""


def fuse(optimizer: keras.optimizers.Optimizer) -> bool:
    """Let an optimizer update by a kernel, where there is one for it.

    Args:
        optimizer: Built; its `update_step` is replaced.

    Returns:
        Whether there is one.
    """
    make = _KERNELS.get(type(optimizer).__name__)
    is_own = type(optimizer).__module__.startswith("keras.")
    update = make(optimizer) if make and is_own else None
    if update is None:
        return False
    by_keras = optimizer.update_step

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        # Gradients of single rows, and weights in half precision, stay with Keras.
        if isinstance(gradient, tf.IndexedSlices) or variable.dtype != "float32":
            by_keras(gradient, variable, learning_rate)
        else:
            update(tf.cast(gradient, tf.float32), variable, tf.cast(learning_rate, tf.float32))

    optimizer.update_step = update_step
    # One device has nothing to reduce, and Keras's reduction would let every update wait for the
    # last gradient.
    skip_reduction(optimizer)
    return True


def unfuse(optimizer: keras.optimizers.Optimizer) -> None:
    """Let an optimizer update by Keras's own operations again."""
    vars(optimizer).pop("update_step", None)
    restore_reduction(optimizer)


def _adam(optimizer: Any) -> Update | None:
    if optimizer.amsgrad:
        return None

    def update(gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = slot_number(optimizer, variable)
        step = tf.cast(optimizer.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentums(optimizer)[index].value.handle,
            v=velocities(optimizer)[index].value.handle,
            beta1_power=tf.pow(tf.constant(optimizer.beta_1, tf.float32), step),
            beta2_power=tf.pow(tf.constant(optimizer.beta_2, tf.float32), step),
            lr=learning_rate,
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
            grad=gradient,
        )

    return update


def _rmsprop(optimizer: Any) -> Update | None:
    if optimizer.centered:
        return None
    # The kernel wants a momentum even where there is none: a place to write the step to.
    spare = [] if optimizer.momentum else [
        tf.Variable(tf.zeros_like(each.value), trainable=False) for each in velocities(optimizer)
    ]  # fmt: skip

    def update(gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = slot_number(optimizer, variable)
        momentum = momentums(optimizer)[index].value if optimizer.momentum else spare[index]
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle,
            ms=velocities(optimizer)[index].value.handle,
            mom=momentum.handle,
            lr=learning_rate,
            rho=optimizer.rho,
            momentum=optimizer.momentum,
            epsilon=optimizer.epsilon,
            grad=gradient,
        )

    return update


def _sgd(optimizer: Any) -> Update:
    def update(gradient: Any, variable: Any, learning_rate: Any) -> None:
        if not optimizer.momentum:
            tf.raw_ops.ResourceApplyGradientDescent(
                var=variable.handle, alpha=learning_rate, delta=gradient
            )
            return
        index = slot_number(optimizer, variable)
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=optimizer.momentums[index].value.handle,
            lr=learning_rate,
            grad=gradient,
            momentum=optimizer.momentum,
            use_nesterov=optimizer.nesterov,
        )

    return update


_KERNELS: dict[str, Callable[[Any], Update | None]] = {
    "Adam": _adam,
    "AdamW": _adam,
    "RMSprop": _rmsprop,
    "SGD": _sgd,
}
