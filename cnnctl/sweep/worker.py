"""A worker: lets Optuna take a trial, trains it, reports, and takes the next one."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from cnnctl.errors import UsageError
from cnnctl.preflight import check
from cnnctl.specs import Spec
from cnnctl.specs.nodes import plain
from cnnctl.specs.source import read_source
from cnnctl.sweep.heartbeat import beating
from cnnctl.sweep.processes import RENEW
from cnnctl.sweep.request import Request
from cnnctl.sweep.trial_training import Renew, TrialTraining
from cnnctl.sweep.trials import Ended, Trials

if TYPE_CHECKING:
    from optuna.trial import Trial

PAUSE = 1.0
"""Seconds between two looks where all that is left is others' work."""


class Worker:
    """Trains the trials of a sweep, one after another.

    Args:
        name: Of the worker; it holds the lock of this name.
        request: What the user asks for.
        spec: Without the sweep's values.
        trials: The sweep's.
    """

    def __init__(self, name: str, request: Request, spec: Spec, trials: Trials) -> None:
        self.name = name
        self.request = request
        self.spec = spec
        self.trials = trials
        self.training = TrialTraining(request, trials)
        self.lock = trials.folder.lock("study")
        self._is_over = False
        self._ended_by: BaseException | None = None

    def work(self) -> int:
        """Train trials until none is left; returns the exit code.

        Where all that is left is trained by others it waits, to take up what they may leave.

        Raises:
            CnnctlError: No trial can be trained: data is missing, the disk is full.
            Stopped: A signal has come; the trial is given back.
        """
        while True:
            with self.lock:
                found = self.trials.enqueue()
                if found:
                    self._refuse_edits()
                    try:
                        self._optimize()
                    except Renew:
                        return RENEW
            if not found:
                if not self.trials.are_open():
                    return 0
                time.sleep(PAUSE)

    def _optimize(self) -> None:
        """Let Optuna take a trial, with its heartbeat, and note the result."""
        from optuna.exceptions import UpdateFinishedTrialError

        self._is_over = False
        self._ended_by = None
        try:
            self.trials.study.optimize(self._objective, n_trials=1, catch=(Ended,))
        except (ValueError, UpdateFinishedTrialError):
            if self._ended_by is not None:
                raise self._ended_by from None
            if not self._is_over:
                raise
            # The heartbeat was missed, and another worker retries the trial: its result counts.

    def _objective(self, trial: Trial) -> float:
        """Train a trial; the mean of its seeds' figures.

        Raises:
            Ended: It has none.
            TrialPruned: It is not worth going on with.
            Renew, CnnctlError, Stopped: This process cannot train it; it is given back.
        """
        from optuna.exceptions import TrialPruned, UpdateFinishedTrialError

        try:
            values = self.trials.begin(trial, self.name)
            self.lock.release()
            with beating(trial) if self.trials.journal else nullcontext():
                result = self.training.train(trial, self.spec, values)
        except (Ended, UpdateFinishedTrialError) as error:
            self._is_over = True
            raise Ended from error
        except TrialPruned:
            self._is_over = True
            raise
        except BaseException as error:
            self._ended_by = error  # Optuna may fail on its way, if another worker has the trial
            with suppress(UpdateFinishedTrialError):
                trial.set_user_attr("stopped", trial.number)
            raise
        self._is_over = True
        return result

    def _refuse_edits(self) -> None:
        """Refuse to go on with a spec that was changed since the sweep began.

        Raises:
            UsageError: It was.
        """
        sources = self.spec.sources
        if all(read_source(each.path, each.name) == each for each in sources if each.path):
            return
        spec = check(self.request.spec, self.request.overrides).spec
        if plain(spec.tree) != plain(self.spec.tree):
            raise UsageError(
                f"{self.request.spec} has changed since the sweep began",
                hint="change it back to go on, or start another sweep with --name",
            )
        self.spec = spec
