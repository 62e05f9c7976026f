"""Every random number of an epoch from the seed and the epoch: nothing depends on what came before.

Keras keeps the state of its generators in no file (`.keras` and `.weights.h5` both leave it out),
so a state that is a function of (seed, epoch, generator) is what makes an epoch repeatable.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from cnnctl.compat import seed_generators


def reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Set the state of every generator for an epoch (from 0)."""
    for index, generator in enumerate(seed_generators(model)):
        state = np.random.SeedSequence((seed, epoch, index)).generate_state(2, np.uint32)
        generator.state.assign(state.astype(np.uint32))


class Randomness(keras.callbacks.Callback):
    """At the start of every epoch, sets what is random in it: dropout, augmentation, order.

    Args:
        seed: The spec's seed.
        pipeline: Whose order is set; anything with `set_epoch(epoch)`.
    """

    def __init__(self, seed: int, pipeline: Any) -> None:
        super().__init__()
        self.seed = seed
        self.pipeline = pipeline

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reseed for an epoch, counted from 0."""
        self.pipeline.set_epoch(epoch)
        reseed(self.model, self.seed, epoch)
