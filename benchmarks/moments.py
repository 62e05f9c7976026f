"""A plug-in of cnnctl whose callback notes when an epoch began and ended, and its training part."""

from __future__ import annotations

import time
from pathlib import Path

import keras

import cnnctl


@cnnctl.register
class Moments(keras.callbacks.Callback):
    """Notes the time, in seconds since 1970, at which an epoch's last step had ended.

    Args:
        path: The file that gets three lines for every epoch: began, trained, ended.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.noted = False

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Begin."""
        self.noted = False
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(f"began {time.time()}\n")

    def on_test_begin(self, logs: object = None) -> None:
        """The training part ends where the validation begins."""
        self._note()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Or where the epoch ends, if it has no validation."""
        self._note()
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(f"ended {time.time()}\n")

    def _note(self) -> None:
        if not self.noted:
            with Path(self.path).open("a", encoding="utf-8") as file:
                file.write(f"trained {time.time()}\n")
        self.noted = True
