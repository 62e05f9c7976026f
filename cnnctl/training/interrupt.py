"""SIGINT, SIGTERM and SIGHUP while a network trains: the step is finished, then it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import keras

from cnnctl.errors import Stopped
from cnnctl.io import signals


class Interrupt(keras.callbacks.Callback):
    """Ends the training at the next step once a signal has come; a second signal ends it at once.
    SIGHUP is ignored if the process ignored it before, and never counts as the second signal.

    By way of an exception, because `model.stop_training` would let an epoch that is not whole pass
    for one, with its validation and its checkpoint.

    Has to come after the recorder, so that an epoch that ends is saved.

    Args:
        finish_epoch: Whether the epoch in progress is finished rather than the step.

    Attributes:
        gentle: Whether a first signal waits for the step; if not, it ends the work at once.
        shared: Whether several processes train together, and agree on what is caught.
        seen: The number of the signal that came.
        caught: The number of the signal that ends the training.
        raised: The number of the signal that ended the work at once.
    """

    def __init__(self, *, finish_epoch: bool = False) -> None:
        super().__init__()
        self.finish_epoch = finish_epoch
        self.gentle = False
        self.shared = False
        self.seen: int | None = None
        self.caught: int | None = None
        self.raised: int | None = None
        self._heeded: tuple[int, ...] = ()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise `Stopped` if a signal has come."""
        if self.caught is not None and not self.finish_epoch:
            raise Stopped(self.caught)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise `Stopped` if a signal has come."""
        if self.caught is not None:
            raise Stopped(self.caught)

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Listen to the signals inside the block (in the main thread; elsewhere do nothing)."""
        self._heeded = signals.heeded()
        before = {number: signal.getsignal(number) for number in self._heeded}
        self.listen()
        try:
            yield
        except Exception as error:
            if self.raised is None:
                raise
            # C code that a signal breaks into fails with errors of its own.
            raise Stopped(self.raised) from error
        finally:
            if _in_main_thread():
                for number, handler in before.items():
                    signal.signal(number, handler or signal.SIG_DFL)  # None: one of C code

    def listen(self) -> None:
        """Listen to the signals again, which TensorFlow takes for itself where processes train
        together.

        Raises:
            Stopped: One has come before, and code that it broke into made nothing of it.
        """
        if self.raised is not None:
            raise Stopped(self.raised)
        if _in_main_thread():
            for number in self._heeded:
                signal.signal(number, self._catch)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if signals.is_repeated(number, self.seen or self.raised):
            return
        if self.seen is not None or not self.gentle:
            self.raised = number
            raise Stopped(number)
        self.seen = number
        if not self.shared:
            self.caught = number


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
