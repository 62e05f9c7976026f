"""Tells a sweep's study of each epoch of a training, and ends one that is not worth going on."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.compute.observer import Facts, Observer
from cnnctl.errors import Stopped

if TYPE_CHECKING:
    from optuna.trial import Trial


class Pruned(Stopped):
    """The training of a trial is ended because others have done better by the same epoch."""

    def __init__(self) -> None:
        super().__init__(0)


class Reporter(Observer):
    """The observer (see `cnnctl.Observer`) of one training of a trial.

    Args:
        trial: The trial.
        reported: The epochs of it that the study knows.
        monitor: The figure that is reported.
        index: Which of the trial's seeds it is; the first alone is pruned.
        runs_dir: From where the run folder is named.
        identity: Of the sweep's folder, to whose runs it belongs.

    Attributes:
        pruned: Whether the training was ended for its figures.
        taken: Whether it was ended because another worker retries the trial.
    """

    def __init__(
        self,
        trial: Trial,
        reported: Container[int],
        *,
        monitor: str,
        index: int,
        runs_dir: Path,
        identity: str,
    ) -> None:
        self.trial = trial
        self.reported = reported
        self.monitor = monitor
        self.index = index
        self.runs_dir = runs_dir
        self.identity = identity
        self.pruned = False
        self.taken = False
        self.planned = 0
        self.before, self.seconds = trial.user_attrs.get("before", (0, 0.0))

    def started(self, facts: Facts) -> None:
        """Note the run, and what a training that goes on has reported to nobody yet."""
        self.planned = facts.spec.fit.epochs
        runs = list(self.trial.user_attrs.get("runs", ()))[: self.index]
        path = Path(facts.run.path).relative_to(self.runs_dir)
        self.trial.set_user_attr("runs_at", self.identity)
        self.trial.set_user_attr("runs", [*runs, path.as_posix()])
        self.catch_up(facts.run.history()[: facts.done])

    def catch_up(self, rows: Sequence[dict[str, Any]]) -> None:
        """Report the epochs that a lost worker trained, if it did not come to it."""
        for row in rows:
            self.seconds += row.get("seconds", 0.0)
            self._report(row)

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """End a training that went on although it was to be pruned."""
        if self.pruned or self.taken:
            raise Pruned

    def epoch_ended(self, row: dict[str, Any], improved: bool) -> None:
        """Report an epoch, and end the training if it is to be pruned."""
        self.seconds += row["seconds"]
        from optuna.exceptions import UpdateFinishedTrialError

        done = self.before + int(row["epoch"])
        try:
            self.trial.set_user_attr("progress", [done, round(self.seconds, 3)])
            self._report(row)
        except UpdateFinishedTrialError:  # its heartbeat was missed
            self.taken = True
        if self.pruned or self.taken:
            raise Pruned

    def finished(self, epochs: int, value: float) -> None:
        """Note what one seed of the trial came to."""
        trial = self.trial
        values = list(trial.user_attrs.get("values", ()))[: self.index]
        done = [self.before + epochs, round(self.seconds, 3)]
        trial.set_user_attr("before", done)
        trial.set_user_attr("progress", done)
        trial.set_user_attr("values", [*values, value])

    def _report(self, row: dict[str, Any]) -> None:
        """Report the figure of an epoch once; the last epoch's ends nothing."""
        value = row.get(self.monitor)
        if self.index or not isinstance(value, int | float) or not math.isfinite(value):
            return
        epoch = int(row["epoch"])
        if epoch not in self.reported:
            self.trial.report(float(value), epoch)
        self.pruned = epoch < self.planned and self.trial.should_prune()
