"""Processes that train together: what they have alike, and what one sees counts for all."""

from __future__ import annotations

import hashlib
from importlib import metadata
from typing import Any

import keras

from cnnctl.compute.plan import Plan
from cnnctl.compute.strategy import Replicas
from cnnctl.data.preparation import Prepared
from cnnctl.io.signals import ENDING
from cnnctl.runs.checkpoint import WEIGHTS
from cnnctl.specs.dump import dump
from cnnctl.specs.nodes import plain
from cnnctl.training.divergence import refuse
from cnnctl.training.interrupt import Interrupt
from cnnctl.training.results import Start


class Follower(keras.callbacks.Callback):
    """Ends a training that has diverged where the leading process ends it."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at an epoch, counted from 0."""
        refuse(self.model, epoch + 1, float((logs or {}).get("loss", 0.0)))


class Agreement(keras.callbacks.Callback):
    """Lets a signal that one process got count for all, at the same step. Comes before whatever
    looks at it.

    Args:
        interrupt: Of this process; it waits for what is agreed on.
        replicas: Who has to agree.
    """

    def __init__(self, interrupt: Interrupt, replicas: Replicas) -> None:
        super().__init__()
        self.interrupt = interrupt
        self.replicas = replicas
        interrupt.shared = True

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Ask all, once a call of several steps."""
        seen = self.replicas.summed([float(number == self.interrupt.seen) for number in ENDING])
        self.interrupt.caught = next(
            (number for number, count in zip(ENDING, seen, strict=True) if count), None
        )


def agreed(data: Prepared, plan: Plan, start: Start) -> dict[str, str]:
    """What all processes of a training have to have alike, by its name."""
    versions = (metadata.version(each) for each in ("tensorflow", "keras", "cnnctl"))
    return {
        "spec": dump(plain(data.spec.tree)),
        "data set": data.dataset.fingerprint,
        "checkpoint": hashlib.sha256(start.files.get(WEIGHTS, b"")).hexdigest(),
        "way to compute": f"{plan.steps_per_execution} {plan.precision}",
        "version of TensorFlow, Keras or cnnctl": " ".join(versions),
    }
