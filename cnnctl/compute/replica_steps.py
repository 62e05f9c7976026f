"""The steps of several replicas, each of which computes its share of every batch.

The batches of an epoch are the same in every process, so a replica knows its images by its number
alone: nothing is handed out. Each computes the loss and the gradients of its images, weighted by
how many they are, and the sum over the replicas is the batch's own gradient. A batch with fewer
images than there are replicas is computed by each as a whole, and counts one part of as many:
oneDNN's kernels crash on no images, and synchronized statistics would count an image twice.
Metrics are those of the whole batch: its outputs are brought together first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from cnnctl.compute import graph_order
from cnnctl.compute.execution import Execution
from cnnctl.compute.feed import Feed
from cnnctl.compute.generators import drawn_apart
from cnnctl.compute.plan import Plan
from cnnctl.compute.steps import computed, count_loss, evaluated, joined

SUM = tf.distribute.ReduceOp.SUM


def train_function(
    model: keras.Model, feed: Feed, plan: Plan, strategy: tf.distribute.Strategy
) -> Execution:
    """What `model.fit` calls for every execution: `model.train_function`.

    Args:
        model: Its weights and optimizer made within the strategy's scope, and compiled outside: the
            figures are one set for all replicas of a process.
        feed: What it is trained on, the same in every process.
        plan: In how many parts a replica computes its share, and how precisely.
        strategy: Whose replicas compute.
    """
    replicas = strategy.num_replicas_in_sync

    def step(element: Any) -> None:
        def replica(element: Any) -> tuple[tf.Tensor, tf.Tensor]:
            mine = _Share(element, replicas)
            x, y = feed.read(mine.element)
            # Keras divides the loss by the number of replicas, as if theirs were means.
            losses, outputs, gradients = computed(model, x, y, plan, mine.counted, replicas)
            if weights := model.trainable_weights:
                summed = _summed([graph_order.summed(each) for each in gradients])
                model.optimizer.apply_gradients(zip(summed, weights, strict=True))
            return tf.add_n(losses), mine.placed(joined(outputs), feed.batch_size)

        # Around all replicas: TensorFlow traces them in turns where they wait for each other.
        with (
            graph_order.pooled_first(model),
            drawn_apart(model, replicas),
            _divided(model, replicas),
        ):
            loss, outputs = strategy.run(replica, args=(element,))
        _count(model, feed, strategy, element, loss, outputs)

    return Execution(model, feed, step)


def test_function(
    model: keras.Model, feed: Feed, parts: int, strategy: tf.distribute.Strategy
) -> Execution:
    """What `model.evaluate` calls for every execution: `model.test_function`."""
    replicas = strategy.num_replicas_in_sync

    def step(element: Any) -> None:
        def replica(element: Any) -> tuple[tf.Tensor, tf.Tensor]:
            mine = _Share(element, replicas)
            x, y = feed.read(mine.element)
            losses, outputs = evaluated(model, x, y, parts, mine.counted, replicas)
            return tf.add_n(losses), mine.placed(joined(outputs), feed.batch_size)

        with _divided(model, replicas):
            loss, outputs = strategy.run(replica, args=(element,))
        _count(model, feed, strategy, element, loss, outputs)

    return Execution(model, feed, step)


class _Share:
    """What the replica that is being traced computes of a batch.

    Attributes:
        index: Of the replica.
        element: Its part of the feed's element.
        counted: How many images its part is of: those of the batch, or of as many batches as
            there are replicas, where each computes the whole.
    """

    def __init__(self, element: Any, replicas: int) -> None:
        self.index = tf.distribute.get_replica_context().replica_id_in_sync_group
        self._batch = tf.shape(tf.nest.flatten(element)[0])[0]
        few = self._batch < replicas
        self._first = tf.where(few, 0, self._batch * self.index // replicas)
        last = tf.where(few, self._batch, self._batch * (self.index + 1) // replicas)
        own = last - self._first
        self.element = tf.nest.map_structure(lambda each: each[self._first : last], element)
        self.counted = self._batch * tf.where(few, replicas, 1)
        self._kept = tf.where(few & (self.index > 0), 0, own)

    def placed(self, outputs: tf.Tensor, size: int) -> tf.Tensor:
        """Its outputs at their place in a batch of `size`, and zeros: the replicas' sum is the
        batch. A collective operation has one shape for good."""
        after = size - self._first - self._kept
        rest = [[0, 0]] * (len(outputs.shape) - 1)
        return tf.pad(outputs[: self._kept], [[self._first, after], *rest])


@contextmanager
def _divided(model: keras.Model, replicas: int) -> Iterator[None]:
    """While replicas are traced, divide a loss that a plug-in makes one number of by how many they
    are, as Keras does with the means that it takes itself."""
    loss = model.loss
    own = loss.call

    def call(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        values = tf.convert_to_tensor(own(y_true, y_pred))
        return values if values.shape.rank else values / replicas

    loss.call = call
    try:
        yield
    finally:
        del loss.call


def _summed(gradients: Sequence[Any]) -> list[Any]:
    """The sums over the replicas, of all gradients that there are at once."""
    there = [each for each in gradients if each is not None]
    summed = iter(tf.distribute.get_replica_context().all_reduce(SUM, there))
    return [None if each is None else next(summed) for each in gradients]


def _count(
    model: keras.Model,
    feed: Feed,
    strategy: tf.distribute.Strategy,
    element: Any,
    loss: Any,
    outputs: Any,
) -> None:
    """Count what the replicas made of a batch into the epoch's figures."""
    labels = feed.labels(element)
    images = tf.shape(labels)[0]
    count_loss(model, strategy.reduce(SUM, loss, axis=None), images)
    together = strategy.reduce(SUM, outputs, axis=None)[:images]
    model.compute_metrics(None, labels, together)
