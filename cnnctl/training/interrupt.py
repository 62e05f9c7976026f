"""SIGINT and SIGTERM while a network trains: the step is finished, then the training ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import keras

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):
    """A signal ended the training; the run folder holds the epochs that were finished.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupt(keras.callbacks.Callback):
    """Ends the training at the next step once a signal has come; a second signal ends it at once.

    By way of an exception, because `model.stop_training` would let an epoch that is not whole pass
    for one, with its validation and its checkpoint.
    """

    def __init__(self) -> None:
        super().__init__()
        self.caught: int | None = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise `Stopped` if a signal has come."""
        if self.caught is not None:
            raise Stopped(self.caught)

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Listen to the signals inside the block (in the main thread; elsewhere do nothing)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._catch) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            raise Stopped(number)
        self.caught = number
