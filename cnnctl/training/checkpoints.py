"""The checkpoints of a run: one after every epoch, the best and the last known by name."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from cnnctl.errors import RunError
from cnnctl.io.text import size
from cnnctl.network.weights import to_bytes
from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import ARRAYS, SPEC, STATE, WEIGHTS
from cnnctl.runs.run import Run, checkpoint_name, epoch_of
from cnnctl.training import state

ALL = math.inf
"""For `keep`: every checkpoint."""


@dataclass(frozen=True)
class Captured:
    """An epoch as it is to be saved.

    Args:
        row: Its line of the history.
        files: Of its checkpoint, by name.
        improved: Whether it is the best so far.
    """

    row: dict[str, Any]
    files: dict[str, bytes]
    improved: bool


class Checkpoints:
    """Saves weights, optimizer and the state of the callbacks; `best` and `last` point to two.

    Args:
        run: Where to.
        monitor: The figure by which one is better than another, such as `val_loss`.
        maximize: Whether its larger values are the better ones.
        keep: How many of the newest are kept beside the best; `ALL` for every one.
        threshold: Only better figures than this make a best checkpoint.

    Attributes:
        best: The best figure so far; infinite before the first.
        best_epoch: Its epoch, counted from 1.
        callbacks: Whose state is saved: those of the spec.
    """

    def __init__(
        self,
        run: Run,
        *,
        monitor: str,
        maximize: bool,
        keep: float = 2,
        threshold: float | None = None,
    ) -> None:
        self.run = run
        self.monitor = monitor
        self.maximize = maximize
        self.keep = keep
        worst = -math.inf if self.maximize else math.inf
        self.best = worst if threshold is None else threshold
        self.best_epoch: int | None = None
        self.callbacks: Sequence[keras.callbacks.Callback] = ()

    def begin(self, epoch: int | None, best: float | None) -> None:
        """Note the best epoch so far and its value, of a training that is resumed."""
        if epoch is not None and best is not None:
            self.best_epoch, self.best = epoch, best
            self.point_to_best()

    def refuse_full_disk(self, model: keras.Model, epochs: int) -> None:
        """Look whether the checkpoints of the epochs to come will fit on the disk.

        Raises:
            RunError: They will not.
        """
        variables = [*model.variables, *model.optimizer.variables]
        one = sum(4 * math.prod(each.shape) for each in variables)
        # Those that are kept, the best, the one being written, and `model.keras`.
        needed = one * (min(self.keep, max(epochs, 0)) + 3)
        free = shutil.disk_usage(self.run.path).free
        if needed > free:
            raise RunError(
                f"the checkpoints need about {size(needed)}, and {self.run.path} has "
                f"{size(free)} free",
                hint="free some space, choose another place with --runs-dir, or lower `fit.keep`",
            )

    def capture(self, model: keras.Model, row: dict[str, Any]) -> Captured:
        """Copy what is to be saved of an epoch, so that the next one can begin.

        Args:
            model: As it is after the epoch.
            row: The epoch's line of the history.
        """
        epoch = int(row["epoch"])
        value = float(row.get(self.monitor, math.nan))
        improved = value > self.best if self.maximize else value < self.best
        best, best_epoch = (value, epoch) if improved else (self.best, self.best_epoch)
        files = {
            WEIGHTS: to_bytes(model),
            STATE: json.dumps(
                {
                    "epoch": epoch,
                    "monitor": self.monitor,
                    "value": value,
                    "best": best,
                    "best_epoch": best_epoch,
                    "stopped": bool(model.stop_training),
                    "row": row,
                    "callbacks": state.capture(self.callbacks),
                },
                indent=2,
            ).encode(),
        }
        files[SPEC] = self.run.spec_path.read_bytes()
        if (arrays := state.arrays(self.callbacks)) is not None:
            files[ARRAYS] = arrays
        self.best, self.best_epoch = best, best_epoch
        return Captured(row, files, improved)

    def write(self, captured: Captured) -> None:
        """Write a captured epoch: its checkpoint, the names `last` and `best`, its line.

        Raises:
            RunError: It cannot be written; the earlier checkpoints are as before.
        """
        epoch = int(captured.row["epoch"])
        path = self.run.checkpoints_dir / checkpoint_name(epoch)
        checkpoint.write(path, captured.files)
        self.run.point("last", path)
        if captured.improved:
            self.point_to_best()
        self.prune(epoch)
        self.run.append_history(captured.row)

    def point_to_best(self) -> None:
        """Make `best` point to the best epoch, and note it in the run's state."""
        if self.best_epoch is not None:
            path = self.run.checkpoints_dir / checkpoint_name(self.best_epoch)
            self.run.point("best", path)
            best = {"monitor": self.monitor, "value": self.best}
            self.run.update_state(best_epoch=self.best_epoch, best=best)

    def prune(self, newest: int) -> None:
        """Remove this run's checkpoints that are neither among the newest nor the best."""
        for path in self.run.checkpoints():
            if epoch_of(path) <= newest - self.keep and epoch_of(path) != self.best_epoch:
                checkpoint.remove(path)


def forget(run: Run, epoch: int) -> list[Path]:
    """Move the checkpoints after an epoch aside, and remove what a killed process left half done.

    Returns:
        Where they went.
    """
    moved = [checkpoint.set_aside(path) for path in run.checkpoints() if epoch_of(path) > epoch]
    for path in run.checkpoints_dir.glob(".partial-*epoch-*"):  # once without a process's number
        checkpoint.remove(path)
    run.remove_partial()
    return moved
