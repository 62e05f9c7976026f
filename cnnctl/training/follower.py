"""What a process does that trains with another, and leaves the run folder to it."""

from __future__ import annotations

from typing import Any

import keras

from cnnctl.compute.strategy import Replicas
from cnnctl.errors import CnnctlError, Stopped
from cnnctl.io.signals import ENDING
from cnnctl.network.failures import failure
from cnnctl.specs import Spec
from cnnctl.training.callbacks import from_spec
from cnnctl.training.divergence import refuse
from cnnctl.training.interrupt import Interrupt
from cnnctl.training.network import Network
from cnnctl.training.results import Start, TrainingResult


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


def follow(
    spec: Spec, network: Network, replicas: Replicas, interrupt: Interrupt, start: Start
) -> TrainingResult:
    """Fit a network with the process that leads, until that has written everything.

    Args:
        spec: As it has it.
        network: Ready.
        replicas: Who trains.
        interrupt: Listens to signals.
        start: Where the training goes on.

    Raises:
        TrainingError: It diverged, or another process is gone.
    """
    callbacks = from_spec(spec, None)
    stopped = None
    try:
        interrupt.listen()
        interrupt.gentle = True
        network.fit(spec, start, callbacks, Follower(), Agreement(interrupt, replicas), interrupt)
        stopped = interrupt.caught
    except Stopped as signalled:
        stopped = signalled.number
    except CnnctlError:
        raise
    except (Exception, SystemExit) as error:
        lost = replicas.failure(error)
        raise lost or failure("the training", error, network.model, spec) from error
    interrupt.gentle = False
    replicas.wait()
    return TrainingResult(None, [], None, None, stopped, notes=start.notes)
