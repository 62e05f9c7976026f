"""The steps of a training and of an evaluation: several in one call, each batch in parts.

A step on the CPU is a chain of operations too small for several threads: they wait for each other
more than they compute. So a batch is cut into as many parts as there are threads, each thread
computes the loss and the gradients of its part, and the sum over the parts is the batch's own
gradient, weighted by pictures: the same mathematics, in another order of summation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnnctl.compute import order
from cnnctl.compute.plan import MIXED, Plan
from cnnctl.data.pipeline import Feed

Logs = dict[str, Any]
Step = Callable[[tf.Tensor, tf.Tensor], None]


def train_function(model: keras.Model, feed: Feed, plan: Plan) -> Callable[[Any], Logs]:
    """What `model.fit` calls for every execution: `model.train_function`.

    Args:
        model: Compiled; its `steps_per_execution` is how many steps one call makes.
        feed: What it is trained on.
        plan: In how many parts each batch is computed, side by side, and how precisely.
    """
    parts = plan.parts

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        variables = model.trainable_weights
        pictures = tf.shape(x)[0]
        losses, gradients, outputs = [], [], []
        with order.read_once(variables) if parts > 1 else nullcontext(variables) as weights:
            for part_x, part_y, own in _cut(x, y, parts):
                with tf.GradientTape() as tape:
                    if parts > 1:
                        tape.watch(weights)
                    output = model(part_x, training=True)
                    loss = model.compute_loss(x=part_x, y=part_y, y_pred=output)
                    loss = loss * _share(own, pictures) if parts > 1 else loss
                    scaled = model.optimizer.scale_loss(loss)
                gradients.append(tape.gradient(scaled, weights))
                losses.append(loss)
                outputs.append(output[:own] if parts > 1 else output)
        _count_loss(model, losses, pictures)
        if plan.precision != MIXED:
            order.inputs_first()
        summed = [order.summed(each) for each in zip(*gradients, strict=True)]
        model.optimizer.apply_gradients(zip(summed, variables, strict=True))
        model.compute_metrics(x, y, _joined(outputs))

    if plan.precision != MIXED:
        return _executions(model, feed, step)

    def pooled_first(x: tf.Tensor, y: tf.Tensor) -> None:
        with order.pooled_first(model):
            step(x, y)

    return _executions(model, feed, pooled_first)


def test_function(model: keras.Model, feed: Feed, parts: int) -> Callable[[Any], Logs]:
    """What `model.evaluate` calls for every execution: `model.test_function`."""

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        pictures = tf.shape(x)[0]
        losses, outputs = [], []
        for part_x, part_y, own in _cut(x, y, parts):
            output = model(part_x, training=False)
            loss = model.compute_loss(x=part_x, y=part_y, y_pred=output, training=False)
            losses.append(loss * _share(own, pictures) if parts > 1 else loss)
            outputs.append(output[:own] if parts > 1 else output)
        _count_loss(model, losses, pictures)
        model.compute_metrics(x, y, _joined(outputs))

    return _executions(model, feed, step)


def predict_function(model: keras.Model, feed: Feed, parts: int) -> Callable[[], np.ndarray]:
    """A function without arguments that gives the network's outputs for all pictures of a feed.

    Args:
        model: Built.
        feed: Pictures in order; its labels are not looked at.
        parts: In how many parts each batch is computed, side by side.

    Returns:
        It gives an array (n, …), in the pictures' order. The first call compiles.
    """

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return _joined([model(part, training=False)[:own] for part, _, own in _cut(x, y, parts)])

    compiled = tf.function(step, jit_compile=True) if model.jit_compile else step

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def outputs(iterator: Any) -> tf.Tensor:
        def body(done: tf.Tensor, found: Any) -> tuple[tf.Tensor, Any]:
            return done + 1, found.write(done, compiled(*feed.read(iterator.get_next())))

        found = tf.TensorArray(model.compute_dtype, feed.steps, infer_shape=False,
                               element_shape=(None, *model.output_shape[1:]))  # fmt: skip
        _, found = tf.while_loop(lambda done, _: done < feed.steps, body, (tf.constant(0), found))
        return found.concat()

    return lambda: np.asarray(outputs(iter(feed.dataset)))


def _executions(model: keras.Model, feed: Feed, step: Step) -> Callable[[Any], Logs]:
    """A function of the iterator of an epoch that makes the next steps and gives the figures."""
    compiled = tf.function(step, jit_compile=True) if model.jit_compile else step

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def several(iterator: Any, count: tf.Tensor) -> Logs:
        def body(done: tf.Tensor) -> tuple[tf.Tensor]:
            compiled(*feed.read(iterator.get_next()))
            return (done + 1,)

        tf.while_loop(lambda done: done < count, body, (tf.constant(0),), parallel_iterations=1)
        return dict(model.get_metrics_result())

    current: list[Any] = [None, 0]

    def execution(iterator: Any) -> Logs:
        if current[0] is not iterator:  # Keras makes one for each epoch
            current[:] = iterator, 0
        count = min(model.steps_per_execution, feed.steps - current[1])
        current[1] += count
        return dict(several(iterator, tf.constant(count)))

    return execution


def _cut(
    x: tf.Tensor, y: tf.Tensor, parts: int
) -> Iterator[tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    """Yield (pictures, labels, how many of them count) for each part of a batch.

    Sizes differ by at most one. Where a batch has fewer pictures than parts, a part that would be
    empty gets one that does not count: oneDNN's kernels crash on none.
    """
    batch = tf.shape(x)[0]
    for index in range(parts):
        start, end = batch * index // parts, batch * (index + 1) // parts
        first = tf.minimum(start, batch - 1)
        rows = slice(first, tf.maximum(end, first + 1)) if parts > 1 else slice(None)
        yield x[rows], y[rows], end - start


def _share(own: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
    """What the mean loss of a part is worth in the mean over the batch."""
    return tf.cast(own, tf.float32) / tf.cast(pictures, tf.float32)


def _count_loss(model: keras.Model, losses: Sequence[tf.Tensor], pictures: tf.Tensor) -> None:
    """Count the loss of a batch into the mean over the epoch, as Keras does."""
    model._loss_tracker.update_state(tf.add_n(losses), sample_weight=pictures)


def _joined(outputs: Sequence[tf.Tensor]) -> tf.Tensor:
    return outputs[0] if len(outputs) == 1 else tf.concat(outputs, 0)
