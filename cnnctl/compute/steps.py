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
from cnnctl.compute.across import losses_across
from cnnctl.compute.plan import MIXED, Plan
from cnnctl.data.pipeline import EVALUATION_BATCH, Feed
from cnnctl.spec import Spec

Logs = dict[str, Any]
Step = Callable[[Any], None]
"""What is done with an element of a feed's dataset: one step."""


def train_function(model: keras.Model, feed: Feed, plan: Plan) -> Callable[[Any], Logs]:
    """What `model.fit` calls for every execution: `model.train_function`.

    Args:
        model: Compiled; its `steps_per_execution` is how many steps one call makes.
        feed: What it is trained on.
        plan: In how many parts each batch is computed, side by side, and how precisely.
    """

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        variables = model.trainable_weights
        with order.pooled_first(model):
            losses, outputs, gradients = computed(model, x, y, plan)
        count_loss(model, tf.add_n(losses), tf.shape(x)[0])
        if plan.precision != MIXED:
            order.inputs_first()
        if variables:
            summed = [order.summed(each) for each in gradients]
            model.optimizer.apply_gradients(zip(summed, variables, strict=True))
        model.compute_metrics(x, y, joined(outputs))

    return executions(model, feed, reading(model, feed, step))


def computed(
    model: keras.Model,
    x: tf.Tensor,
    y: tf.Tensor,
    plan: Plan,
    pictures: tf.Tensor | None = None,
    scale: float = 1,
) -> tuple[list[tf.Tensor], list[tf.Tensor], list[tuple[Any, ...]]]:
    """The losses, the outputs and the gradients of the parts of a batch.

    Args:
        model: Compiled.
        x, y: Pictures and labels.
        plan: In how many parts.
        pictures: How many pictures count in the mean loss, where `x` is not all of them.
        scale: A factor on the loss.

    Returns:
        Each part's share of the mean loss; its outputs; and of each trainable weight the gradients
        of the parts, to be added.
    """
    parts = plan.parts
    weighted = parts > 1 or pictures is not None
    counted = tf.shape(x)[0] if pictures is None else pictures
    variables = model.trainable_weights
    losses, outputs, gradients = [], [], []
    with order.read_once(variables) if parts > 1 else nullcontext(variables) as weights:
        for part_x, part_y, own in cut(x, y, parts):
            with tf.GradientTape() as tape:
                if parts > 1:
                    tape.watch(weights)
                output = model(part_x, training=True)
                loss = model.compute_loss(x=part_x, y=part_y, y_pred=output)
                loss = loss * share(own, counted) if weighted else loss
                loss = loss * scale if scale != 1 else loss
                scaled = model.optimizer.scale_loss(loss)
            gradients.append(tape.gradient(scaled, weights))
            losses.append(loss)
            outputs.append(output[:own] if parts > 1 else output)
    return losses, outputs, list(zip(*gradients, strict=True))


def test_function(model: keras.Model, feed: Feed, parts: int) -> Callable[[Any], Logs]:
    """What `model.evaluate` calls for every execution: `model.test_function`."""

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        losses, outputs = evaluated(model, x, y, parts)
        count_loss(model, tf.add_n(losses), tf.shape(x)[0])
        model.compute_metrics(x, y, joined(outputs))

    return executions(model, feed, reading(model, feed, step))


def evaluated(
    model: keras.Model,
    x: tf.Tensor,
    y: tf.Tensor,
    parts: int,
    pictures: tf.Tensor | None = None,
    scale: float = 1,
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """The losses and the outputs of the parts of a batch, as `computed` without gradients."""
    counted = tf.shape(x)[0] if pictures is None else pictures
    losses, outputs = [], []
    for part_x, part_y, own in cut(x, y, parts):
        output = model(part_x, training=False)
        loss = model.compute_loss(x=part_x, y=part_y, y_pred=output, training=False)
        loss = loss * share(own, counted) if parts > 1 or pictures is not None else loss
        losses.append(loss * scale if scale != 1 else loss)
        outputs.append(output[:own] if parts > 1 else output)
    return losses, outputs


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
        return joined([model(part, training=False)[:own] for part, _, own in cut(x, y, parts)])

    compiled = compiled_by_xla(step) if model.jit_compile else step

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def outputs(iterator: Any) -> tf.Tensor:
        def body(done: tf.Tensor, found: Any) -> tuple[tf.Tensor, Any]:
            return done + 1, found.write(done, compiled(*feed.read(iterator.get_next())))

        found = tf.TensorArray(model.compute_dtype, feed.steps, infer_shape=False,
                               element_shape=(None, *model.output_shape[1:]))  # fmt: skip
        _, found = tf.while_loop(lambda done, _: done < feed.steps, body, (tf.constant(0), found))
        return found.concat()

    return lambda: np.asarray(outputs(iter(feed.dataset)))


def reading(model: keras.Model, feed: Feed, step: Callable[[tf.Tensor, tf.Tensor], None]) -> Step:
    """A step that reads its batch first; what follows is compiled by XLA where the model says."""
    compiled = compiled_by_xla(step) if model.jit_compile else step
    return lambda element: compiled(*feed.read(element))


def compiled_by_xla(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step as one program of XLA's."""
    compiled: Callable[..., Any] = tf.function(step, jit_compile=True, autograph=False)
    return compiled


def executions(model: keras.Model, feed: Feed, step: Step) -> Callable[[Any], Logs]:
    """A function of the iterator of an epoch that makes the next steps and gives the figures."""

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def several(iterator: Any, count: tf.Tensor) -> Logs:
        def body(done: tf.Tensor) -> tuple[tf.Tensor]:
            step(iterator.get_next())
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


def cut(x: tf.Tensor, y: tf.Tensor, parts: int) -> Iterator[tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
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


def share(own: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
    """What the mean loss of a part is worth in the mean over the batch."""
    return tf.cast(own, tf.float32) / tf.cast(pictures, tf.float32)


def evaluation_batch(spec: Spec) -> int:
    """Pictures in a step where no gradient is needed: as many as are fastest, or as in Keras those
    of a training step, where the loss depends on them."""
    return spec.fit.batch_size if any(losses_across(spec)) else EVALUATION_BATCH


def count_loss(model: keras.Model, loss: tf.Tensor, pictures: tf.Tensor) -> None:
    """Count the mean loss of a batch into the mean over the epoch, as Keras does."""
    model._loss_tracker.update_state(loss, sample_weight=pictures)


def joined(outputs: Sequence[tf.Tensor]) -> tf.Tensor:
    """The outputs of the parts as those of the batch."""
    return outputs[0] if len(outputs) == 1 else tf.concat(outputs, 0)
