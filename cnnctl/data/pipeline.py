"""The input pipeline: one tensor of pictures as stored, gathered and scaled batch by batch.

Pictures stay uint8 until they are in a batch; the order of an epoch is a function of the seed and
the epoch alone, so that any epoch can be repeated without those before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from cnnctl.data.dataset import Split
from cnnctl.data.normalization import Normalization

EVALUATION_BATCH = 256
"""Pictures per step where no gradient is needed; the figures do not depend on it."""


class TrainingPipeline:
    """Batches of training pictures, shuffled anew for every epoch.

    Args:
        split: x (n, …) as stored, y (n,) labels or (n, …) targets.
        normalization: How stored pictures become what the network gets.
        batch_size: Pictures per step; the last batch of an epoch may have fewer.
        shuffle: Whether epochs differ in order.
        seed: With the epoch's number, decides its order.
        classes: For one-hot labels: how many; 0 leaves labels as they are.

    Attributes:
        dataset: A finite `tf.data.Dataset` of one epoch, to iterate once per epoch.
        steps: Batches in an epoch.
    """

    def __init__(
        self,
        split: Split,
        normalization: Normalization,
        *,
        batch_size: int,
        shuffle: bool,
        seed: int,
        classes: int = 0,
    ) -> None:
        count = len(split.x)
        self.steps = -(-count // batch_size)
        with tf.device("CPU:0"):
            self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")
        epoch = self._epoch
        whole = count // batch_size * batch_size

        def rows(_: tf.Tensor) -> tf.data.Dataset:
            order = tf.range(count, dtype=tf.int64)
            if shuffle:
                key = tf.stack([tf.constant(seed, tf.int64), epoch.read_value()])
                order = tf.random.experimental.stateless_shuffle(order, seed=key)
            full = tf.data.Dataset.from_tensor_slices(tf.reshape(order[:whole], [-1, batch_size]))
            if whole == count:
                return full
            return full.concatenate(tf.data.Dataset.from_tensors(order[whole:]))

        indices = tf.data.Dataset.range(1).flat_map(rows)
        self.dataset = _batches(indices, split, normalization, classes, self.steps)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch (from 0) whose order the next iteration has."""
        self._epoch.assign(epoch)


def evaluation_dataset(
    split: Split,
    normalization: Normalization,
    *,
    batch_size: int = EVALUATION_BATCH,
    classes: int = 0,
) -> Any:
    """A finite `tf.data.Dataset` of (pictures, labels) in order (see `TrainingPipeline`)."""
    count = len(split.x)
    indices = tf.data.Dataset.range(count).batch(batch_size)
    return _batches(indices, split, normalization, classes, -(-count // batch_size))


def _batches(
    indices: Any, split: Split, normalization: Normalization, classes: int, steps: int
) -> Any:
    with tf.device("CPU:0"):
        x, y = tf.constant(split.x), tf.constant(split.y)
        subtract = np.asarray(normalization.subtract, np.float32)
        divide = np.asarray(normalization.divide, np.float32)

    def gather(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pictures = tf.cast(tf.gather(x, rows), tf.float32)
        if subtract.any():
            pictures = pictures - subtract
        if (divide != 1).any():
            # A division, not a product with the inverse: they differ in the last bit.
            pictures = pictures / divide
        labels = tf.gather(y, rows)
        return pictures, tf.one_hot(labels, classes) if classes else labels

    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    options.deterministic = True
    return (
        indices.map(gather, num_parallel_calls=2, deterministic=True)
        .apply(tf.data.experimental.assert_cardinality(steps))
        .prefetch(2)
        .with_options(options)
    )
