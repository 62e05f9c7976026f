"""Checkpoints of a run: after every epoch, whole or absent, the best and the last known by name."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnnctl.errors import RunError, TrainingError
from cnnctl.files import cannot_write, flush, write_json
from cnnctl.runs import WEIGHTS, Run, checkpoint_name, epoch_of, write_manifest

KEEP = 2
"""How many of the newest checkpoints are kept beside the best."""


class Checkpoints(keras.callbacks.Callback):
    """Saves weights and optimizer after every epoch; `best` and `last` point to two of them.

    A checkpoint is written under a temporary name, flushed, given its manifest, and renamed: a
    process that is killed leaves the earlier ones as they were.

    Args:
        run: Where to.
        monitor: The figure by which one is better than another, such as `val_loss`.
        mode: `min`, `max`, or `auto` (by the figure's name, as in Keras).
        keep_all: Whether every epoch's checkpoint is kept (`save_best_only: false` in a spec).
        threshold: Only better figures than this make a best checkpoint.
    """

    def __init__(
        self,
        run: Run,
        *,
        monitor: str,
        mode: str = "auto",
        keep_all: bool = False,
        threshold: float | None = None,
    ) -> None:
        super().__init__()
        self.run = run
        self.monitor = monitor
        self.maximize = mode == "max" or (mode == "auto" and _larger_is_better(monitor))
        self.keep_all = keep_all
        self.best = (
            threshold if threshold is not None else (-math.inf if self.maximize else math.inf)
        )
        self.best_epoch: int | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save after an epoch, counted from 0."""
        number = epoch + 1
        self.refuse_divergence(number, logs or {})
        value = float((logs or {}).get(self.monitor, math.nan))
        improved = value > self.best if self.maximize else value < self.best
        if improved:
            self.best, self.best_epoch = value, number
        state = {"epoch": number, "monitor": self.monitor, "value": value, "best": self.best,
                 "best_epoch": self.best_epoch}  # fmt: skip
        path = self.save(number, state)
        self.run.point("last", path)
        if improved:
            self.run.point("best", path)
            self.run.update_state(best_epoch=number, best={"monitor": self.monitor, "value": value})
        self.prune(number)

    def refuse_divergence(self, number: int, logs: dict[str, Any]) -> None:
        """Keep weights that are not numbers out of the run folder.

        Raises:
            TrainingError: The loss or a weight is not finite after this epoch.
        """
        culprit = next(
            (
                f"the first layer with such a weight is `{layer.name}`"
                for layer in self.model.layers
                if not all(np.isfinite(weight).all() for weight in layer.get_weights())
            ),
            None,
        )
        loss = float(logs.get("loss", 0.0))
        if math.isfinite(loss) and culprit is None:
            return
        kept = self.run.checkpoints()
        raise TrainingError(
            f"the training diverged: in epoch {number} the loss is {loss:g}"
            + (f", and {culprit}" if culprit else ""),
            hint="lower the learning rate"
            + (f"; {kept[-1]} is the last good checkpoint" if kept else ""),
        )

    def save(self, number: int, state: dict[str, Any]) -> Path:
        """Write the checkpoint of an epoch, counted from 1; returns its folder.

        Raises:
            RunError: It cannot be written.
        """
        path = self.run.checkpoints_dir / checkpoint_name(number)
        partial = path.with_name(f".partial-{path.name}")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir()
            self.model.save_weights(partial / WEIGHTS)
            flush(partial / WEIGHTS)
            write_json(partial / "state.json", state)
            write_manifest(partial)
            partial.rename(path)
            flush(path.parent)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise cannot_write(path, error) from error
        except RunError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return path

    def prune(self, newest: int) -> None:
        """Remove this run's checkpoints that are neither among the newest nor the best."""
        if self.keep_all:
            return
        for path in self.run.checkpoints():
            if epoch_of(path) <= newest - KEEP and epoch_of(path) != self.best_epoch:
                shutil.rmtree(path, ignore_errors=True)


def _larger_is_better(monitor: str) -> bool:
    """Keras's own rule for `mode: auto`, by the figure's name."""
    return any(word in monitor for word in ("acc", "auc", "precision", "recall", "f1", "iou"))
