"""The steps of a training, an evaluation and a prediction: each batch in parts.

A step on the CPU is a chain of operations too small for several threads: they wait for each other
more than they compute. So a batch is cut into as many parts as there are threads, each thread
computes the loss and the gradients of its part, and the sum over the parts is the batch's own
gradient, weighted by images: the same mathematics, in another order of summation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnnctl.arithmetic.checked import Checked
from cnnctl.compute import graph_order
from cnnctl.compute.execution import Execution, Step, compiled_by_xla, reading, traceable
from cnnctl.compute.feed import EVALUATION_BATCH, Feed
from cnnctl.compute.plan import MIXED, Plan


def train_function(model: keras.Model, feed: Feed, plan: Plan) -> Execution:
    """Return what `model.fit` calls for every execution: `model.train_function`.

    Args:
        model: Compiled; its `steps_per_execution` is how many steps one call makes.
        feed: What it is trained on.
        plan: In how many parts each batch is computed, side by side, and how precisely.
    """

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        variables = model.trainable_weights
        with graph_order.pooled_first(model) if plan.reordered else nullcontext():
            losses, outputs, gradients = computed(model, x, y, plan)
        count_loss(model, tf.add_n(losses), tf.shape(x)[0])
        if plan.reordered and plan.precision != MIXED:
            graph_order.inputs_first()
        if variables:
            summed = [graph_order.summed(each) if plan.parts > 1 else each[0] for each in gradients]
            model.optimizer.apply_gradients(zip(summed, variables, strict=True))
        model.compute_metrics(x, y, joined(outputs))

    return Execution(model, feed, reading(model, feed, step))


def computed(
    model: keras.Model,
    x: tf.Tensor,
    y: tf.Tensor,
    plan: Plan,
    images: tf.Tensor | None = None,
    scale: float = 1,
) -> tuple[list[tf.Tensor], list[tf.Tensor], list[tuple[Any, ...]]]:
    """The losses, the outputs and the gradients of the parts of a batch.

    Args:
        model: Compiled.
        x, y: Images and labels.
        plan: In how many parts.
        images: How many images count in the mean loss, where `x` is not all of them.
        scale: A factor on the loss.

    Returns:
        Each part's share of the mean loss; its outputs; and of each trainable weight the gradients
        of the parts, to be added.
    """
    parts = plan.parts
    weighted = parts > 1 or images is not None
    counted = tf.shape(x)[0] if images is None else images
    variables = model.trainable_weights
    losses, outputs, gradients = [], [], []
    with graph_order.read_once(variables) if parts > 1 else nullcontext(variables) as weights:
        for part_x, part_y, own in cut(x, y, parts):
            with tf.GradientTape() as tape:
                if parts > 1:
                    tape.watch(weights)
                output = model(part_x, training=True)
                loss = model.compute_loss(x=part_x, y=part_y, y_pred=output)
                loss = loss * share(own, counted, loss.dtype) if weighted else loss
                loss = loss * scale if scale != 1 else loss
                scaled = model.optimizer.scale_loss(loss)
            gradients.append(tape.gradient(scaled, weights))
            losses.append(loss)
            outputs.append(output[:own] if parts > 1 else output)
    return losses, outputs, list(zip(*gradients, strict=True))


def test_function(model: keras.Model, feed: Feed, parts: int) -> Execution:
    """Return what `model.evaluate` calls for every execution: `model.test_function`.

    A network that cannot be traced in parts is evaluated as a whole.
    """

    def step(parts: int) -> Step:
        def evaluate(x: tf.Tensor, y: tf.Tensor) -> None:
            losses, outputs = evaluated(model, x, y, parts)
            count_loss(model, tf.add_n(losses), tf.shape(x)[0])
            model.compute_metrics(x, y, joined(outputs))

        return reading(model, feed, evaluate)

    return Execution(model, feed, *(step(each) for each in dict.fromkeys((parts, 1))))


def evaluated(
    model: keras.Model,
    x: tf.Tensor,
    y: tf.Tensor,
    parts: int,
    images: tf.Tensor | None = None,
    scale: float = 1,
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """The losses and the outputs of the parts of a batch, as `computed` without gradients."""
    counted = tf.shape(x)[0] if images is None else images
    losses, outputs = [], []
    for part_x, part_y, own in cut(x, y, parts):
        output = model(part_x, training=False)
        loss = model.compute_loss(x=part_x, y=part_y, y_pred=output, training=False)
        if parts > 1 or images is not None:
            loss = loss * share(own, counted, loss.dtype)
        losses.append(loss * scale if scale != 1 else loss)
        outputs.append(output[:own] if parts > 1 else output)
    return losses, outputs


def predict_function(model: keras.Model, feed: Feed, parts: int) -> Callable[[], np.ndarray]:
    """A function without arguments that gives the network's outputs for all images of a feed.

    Args:
        model: Built.
        feed: Images in order; its labels are not looked at.
        parts: In how many parts each batch is computed, side by side.

    Returns:
        It gives an array (n, …), in the images' order. The first call compiles.
    """

    def outputs(parts: int) -> Any:
        def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
            return joined([model(part, training=False)[:own] for part, _, own in cut(x, y, parts)])

        compiled = compiled_by_xla(step) if model.jit_compile else step

        def all_of_them(iterator: Any) -> tf.Tensor:
            def body(done: tf.Tensor, found: Any) -> tuple[tf.Tensor, Any]:
                return done + 1, found.write(done, compiled(*feed.read(iterator.get_next())))

            found = tf.TensorArray(model.outputs[0].dtype, feed.steps, infer_shape=False,
                                   element_shape=(None, *model.output_shape[1:]))  # fmt: skip
            _, found = tf.while_loop(
                lambda done, _: done < feed.steps, body, (tf.constant(0), found)
            )
            return found.concat()

        return tf.function(all_of_them, autograph=False)

    functions = [outputs(each) for each in dict.fromkeys((parts, 1))]

    def predict() -> np.ndarray:
        functions[:] = [traceable(functions, iter(feed.dataset))]
        return np.asarray(functions[0](iter(feed.dataset)))

    return predict


def cut(x: tf.Tensor, y: tf.Tensor, parts: int) -> Iterator[tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    """Yield (images, labels, how many of them count) for each part of a batch.

    Sizes differ by at most one. Where a batch has fewer images than parts, a part that would be
    empty gets one that does not count: oneDNN's kernels crash on none.
    """
    batch = tf.shape(x)[0]
    for index in range(parts):
        start, end = batch * index // parts, batch * (index + 1) // parts
        first = tf.minimum(start, batch - 1)
        rows = slice(first, tf.maximum(end, first + 1)) if parts > 1 else slice(None)
        yield x[rows], y[rows], end - start


def share(own: tf.Tensor, images: tf.Tensor, dtype: Any = tf.float32) -> tf.Tensor:
    """Return the weight of a part's mean loss in the mean over the batch, in the loss's type."""
    return tf.cast(tf.cast(own, tf.float32) / tf.cast(images, tf.float32), dtype)


def evaluation_batch(checked: Checked) -> int:
    """Return the images per step where no gradient is needed: as many as are fastest; or as many as
    in a training step, as in Keras, where outputs, loss or metrics depend on the batch."""
    return checked.spec.fit.batch_size if checked.depends_on_batch else EVALUATION_BATCH


def evaluation_parts(checked: Checked, plan: Plan) -> int:
    """Return in how many parts a batch is computed where no gradient is needed."""
    return 1 if checked.depends_on_batch else plan.parts_of_evaluation


def count_loss(model: keras.Model, loss: tf.Tensor, images: tf.Tensor) -> None:
    """Count the mean loss of a batch into the mean over the epoch, as Keras does."""
    tracker = next(metric for metric in model.metrics if metric.name == "loss")
    tracker.update_state(loss, sample_weight=images)


def joined(outputs: Sequence[tf.Tensor]) -> tf.Tensor:
    """The outputs of the parts as those of the batch."""
    return outputs[0] if len(outputs) == 1 else tf.concat(outputs, 0)
