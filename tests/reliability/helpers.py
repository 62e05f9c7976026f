"""What the tests of reliability share: a spec with everything random, and arrays of checkpoints."""

from __future__ import annotations

import h5py
import numpy as np

from cnnctl.compute.observer import Observer
from cnnctl.runs import checkpoint

RANDOM = """\
name: random
seed: 3
data:
  dataset: {xo: {count: 96, test_count: 32, translate: 1}}
  normalize: standard
  validation: 20
model:
  input_shape: [9, 9, 1]
  layers:
    - RandomTranslation: {height_factor: 0.2, width_factor: 0.2}
    - RandomFlip
    - Conv2D: {filters: 4, kernel_size: 3, activation: relu}
    - BatchNormalization
    - MaxPooling2D
    - Dropout: {rate: 0.3}
    - GaussianNoise: {stddev: 0.1}
    - Flatten
    - Dense: {units: 2, activation: softmax}
compile:
  optimizer: {Adam: {learning_rate: 0.01}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
fit:
  batch_size: 16
  epochs: 5
"""
"""Augmentation, dropout, noise, order, moving averages: all that a resumed run could get wrong."""

NOT_FIGURES = ("seconds", "images_per_second")


def figures(run):
    """The history without what no two trainings have in common."""
    return [{k: v for k, v in row.items() if k not in NOT_FIGURES} for row in run.history()]


def arrays(run, name="last"):
    """Every array of a checkpoint, those of the optimizer included."""
    found = {}
    path = run.checkpoint(name)
    checkpoint.read(path)
    with h5py.File(path / checkpoint.WEIGHTS) as file:
        file.visititems(
            lambda key, item: (
                found.update({key: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    assert any(key.startswith("optimizer/") for key in found)
    return found


def same_bits(one, other):
    """Whether two sets of arrays are equal to the last bit."""
    return one.keys() == other.keys() and all(
        one[key].tobytes() == np.asarray(other[key]).tobytes() for key in one
    )


class Killed(BaseException):
    """Stands for the end of the process."""


class KilledAfter(Observer):
    """An observer that ends the training after an epoch, as a kill would: nothing is tidied up."""

    def __init__(self, epoch, during=False):
        self.epoch = epoch
        self.during = during

    def started(self, facts):
        self.facts = facts

    def epoch_began(self, epoch, learning_rate):
        if self.during and epoch == self.epoch + 1:
            self.armed = True

    def step_ended(self, step, logs):
        if getattr(self, "armed", False):
            raise Killed

    def epoch_ended(self, row, improved):
        if not self.during and row["epoch"] == self.epoch:
            raise Killed
