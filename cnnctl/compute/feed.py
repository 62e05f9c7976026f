"""The input pipeline: images as stored, gathered and scaled batch by batch, within the step.

Images stay uint8 in one tensor until they are in a batch; the order of an epoch is a function of
the seed and the epoch alone, so that any epoch can be repeated without those before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from cnnctl.data.arrays import ALIGNMENT
from cnnctl.data.chunks import read_at_random, rows_of
from cnnctl.data.dataset import Split, on_disk
from cnnctl.data.pixel_normalization import Normalization

EVALUATION_BATCH = 128
"""Images per step where no gradient is needed, and no figure depends on it."""

READ_AHEAD = 8
"""Batches that are read ahead from images that lie on the disk."""


class Feed:
    """Batches of a split. The dataset says which images, and `read` fetches them in the graph.

    Args:
        split: x (n, …) as stored, in memory or memory-mapped; y (n,) labels or (n, …) targets.
        normalization: How stored images become what the network gets.
        batch_size: Images per step; the last batch of an epoch may have fewer.
        classes: For one-hot labels: how many; 0 leaves labels as they are.
        shuffle: Whether epochs differ in order.
        seed: With the epoch's number, decides its order.
        device: TensorFlow's name of the device on which the images are kept.

    Attributes:
        dataset: A finite `tf.data.Dataset` of one epoch, to iterate once per epoch; its elements
            are for `read`.
        steps: Batches in an epoch.
        batch_size: Images in every batch but perhaps the last.
    """

    def __init__(
        self,
        split: Split,
        normalization: Normalization,
        *,
        batch_size: int = EVALUATION_BATCH,
        classes: int = 0,
        shuffle: bool = False,
        seed: int = 0,
        device: str = "CPU:0",
    ) -> None:
        self.steps = -(-len(split) // batch_size)
        self._subtract = np.asarray(normalization.subtract, np.float32)
        self._divide = np.asarray(normalization.divide, np.float32)
        self._classes = classes
        self._epoch = None
        self._x = None
        self._place = "CPU:0" if on_disk(split.x) else device
        self.batch_size = batch_size
        if shuffle:
            with tf.device("CPU:0"):
                self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")
        rows = _rows(len(split), batch_size, self._epoch, seed)
        with tf.device(self._place):
            self._y = tf.constant(split.y)
            if not on_disk(split.x):
                self._x = _tensor(split.x, device)
        if self._x is None:
            rows = _read_ahead(rows, split)
        options = tf.data.Options()
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False
        options.deterministic = True
        self.dataset = rows.apply(tf.data.experimental.assert_cardinality(self.steps)).with_options(
            options
        )

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch (from 0) whose order the next iteration has."""
        if self._epoch is not None:
            self._epoch.assign(epoch)

    def read(self, element: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """One batch: normalized float32 images (b, …), and labels (b,), one-hot or targets.

        Args:
            element: Of `dataset`, or of its rows some.
        """
        if self._x is None:
            _, images = element
        else:
            # Where they are kept: another device would fetch all of them for every batch.
            with tf.device(self._place):
                images = tf.gather(self._x, element)
        images = tf.cast(images, tf.float32)
        if self._subtract.any():
            images = images - self._subtract
        if (self._divide != 1).any():
            # A division, not a product with the inverse: they differ in the last bit.
            images = images / self._divide
        return images, self.labels(element)

    def labels(self, element: Any) -> tf.Tensor:
        """The labels of a batch: (b,), one-hot (b, classes) or targets.

        Args:
            element: Of `dataset`, or of its rows some.
        """
        with tf.device(self._place):
            labels = tf.gather(self._y, element if self._x is not None else element[0])
        return tf.one_hot(labels, self._classes) if self._classes else labels


def _tensor(images: np.ndarray, device: str) -> tf.Tensor:
    """Images as a tensor: in the array's own memory where it lies as TensorFlow wants it."""
    aligned = images.flags.c_contiguous and images.ctypes.data % ALIGNMENT == 0
    if aligned and images.size and images.flags.writeable and device == "CPU:0":
        return tf.experimental.dlpack.from_dlpack(images.__dlpack__())
    return tf.constant(images)


def _rows(count: int, batch_size: int, epoch: tf.Variable | None, seed: int) -> Any:
    """The numbers of the images of each batch, (b,) int64; shuffled where there is an epoch."""
    if epoch is None:
        return tf.data.Dataset.range(count).batch(batch_size)
    whole = count // batch_size * batch_size

    def shuffled(_: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), epoch.read_value()])
        order = tf.random.experimental.stateless_shuffle(tf.range(count, dtype=tf.int64), seed=key)
        full = tf.data.Dataset.from_tensor_slices(tf.reshape(order[:whole], [-1, batch_size]))
        if whole == count:
            return full
        return full.concatenate(tf.data.Dataset.from_tensors(order[whole:]))

    return tf.data.Dataset.range(1).flat_map(shuffled)


def _read_ahead(rows: Any, split: Split) -> Any:
    """(numbers, images as stored) of each batch, read while the batches before it are used."""
    shape = split.x.shape[1:]
    read_at_random(split.x)

    def fetch(numbers: np.ndarray) -> np.ndarray:
        return rows_of(split.x, numbers)

    def batch(numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.numpy_function(fetch, [numbers], split.x.dtype)
        return numbers, tf.ensure_shape(images, (None, *shape))

    return rows.map(batch).prefetch(READ_AHEAD)
