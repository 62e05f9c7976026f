"""The trials of a study: which wait, which were lost with their worker, and which are over.

A trial of a sweep has a number from 1. A worker may be lost with it; then the trial fails in
Optuna's study, and a copy of it (what was drawn, reported and trained so far) waits for the next
worker. Of several trials of Optuna's with the same number, the first that is not void counts: so
that two processes on two machines that enqueue the same trial at once do no harm.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cnnctl.sweep.definition import Definition
from cnnctl.sweep.heartbeat import Pulse
from cnnctl.sweep.sampling import sampler, suggest
from cnnctl.sweep.space import Value, grid
from cnnctl.sweep.storage import retry
from cnnctl.sweep.sweep_folder import SweepFolder

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial

MOST_LOSSES = 3
"""How many workers a trial may cost before it counts as failed."""


class Ended(Exception):
    """A trial has ended without a result, and its worker takes the next one."""


class Trials:
    """The trials of a sweep.

    Args:
        study: Optuna's study.
        definition: What the sweep is.
        folder: The sweep's folder.
        journal: Whether the storage is a journal, for which Optuna has no heartbeat.

    Attributes:
        points: Of a grid: the combinations, in the order of the trials.
        identity: Of the sweep's folder: the same for all who share it.
    """

    def __init__(
        self, study: optuna.Study, definition: Definition, folder: SweepFolder, *, journal: bool
    ) -> None:
        self.study = study
        self.definition = definition
        self.folder = folder
        self.journal = journal
        self.points = tuple(grid(definition.space)) if definition.method == "grid" else ()
        self.identity = folder.identity
        self._pulse = Pulse()

    @property
    def count(self) -> int:
        """How many there are to be."""
        return int(self.study.user_attrs.get("trials", 0))

    def all(self) -> list[FrozenTrial]:
        """Every trial of Optuna's study, in the order of Optuna's numbers."""
        return self.study.get_trials(deepcopy=False)

    def are_open(self) -> bool:
        """Whether one is not over yet."""
        there = counting(self.all())
        return len(there) < self.count or any(
            not each.state.is_finished() and "same_as" not in each.user_attrs
            for each in there.values()
        )

    def enqueue(self) -> bool:
        """See to it that a trial waits for a worker, a lost one before a new one; whether one does.

        Called with the study's lock: without it, SQLite would let two workers take one trial.
        """
        import optuna

        optuna.storages.fail_stale_trials(self.study)
        for trial in counting(self.all()).values():
            is_trained = trial.state.name == "RUNNING" and "same_as" not in trial.user_attrs
            if is_trained and not self._is_alive(trial):
                with suppress(ValueError, optuna.exceptions.UpdateFinishedTrialError):
                    self.study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        trials = self.all()
        there = counting(trials)
        if any(each.state.name == "WAITING" for each in there.values()):
            return True
        number = next((each for each in range(1, self.count + 1) if each not in there), None)
        if number is None:
            return False
        lost = [each for each in trials if number_of(each) == number]
        if lost:
            retry()(self.study, copy.deepcopy(lost[-1]))
        else:
            point = self.points[number - 1] if self.points else {}
            self.study.enqueue_trial(point, user_attrs={"number": number})
        return True

    def begin(self, trial: Trial, worker: str) -> dict[str, Value]:
        """Draw what a trial tries, and note whose it is. Called with the study's lock.

        Raises:
            Ended: It is one too many, costs every worker, or tries what another one does, whose
                result is its own then.
        """
        trials = self.all()
        there = counting(trials)
        this = trials[trial.number]
        number = number_of(this)
        if number not in there or there[number].number != trial.number:
            raise Ended
        self.study.sampler = sampler(self.definition, number)
        values = {each.path: suggest(trial, each) for each in self.definition.space}
        trial.set_user_attr("worker", [self.identity, worker])
        if (lost := losses(this, trials)) >= MOST_LOSSES:
            trial.set_user_attr("reason", f"{lost} workers were lost while they trained it")
            raise Ended
        for other in there.values():
            if (
                other.number < trial.number
                and "same_as" not in other.user_attrs
                and other.state.name != "WAITING"
                and other.params == values
            ):
                trial.set_user_attr("same_as", number_of(other))
                raise Ended
        return values

    def _is_alive(self, trial: FrozenTrial) -> bool:
        """Whether a running trial is still trained: by the lock of a worker that shares the folder,
        else by Optuna's heartbeat, which `fail_stale_trials` heeds, else by a journal's."""
        folder, worker = _worker_of(trial)
        if folder == self.identity:
            return self.folder.is_alive(worker)
        has_heartbeat = "worker" in trial.user_attrs and not self.journal
        return has_heartbeat or self._pulse.is_felt(trial)


def number_of(trial: FrozenTrial) -> int:
    """The number of a trial in its sweep; 0 of one that is not cnnctl's."""
    kept = trial.user_attrs
    number = kept.get("number", kept.get("ticket"))  # as earlier versions of cnnctl called it
    return number if isinstance(number, int) else 0


def counting(trials: Sequence[FrozenTrial]) -> dict[int, FrozenTrial]:
    """The trial that counts of each number that has one.

    One that was lost with its worker, given back, or one too many is void: it has failed, and says
    no reason.
    """
    found: dict[int, FrozenTrial] = {}
    for trial in trials:
        is_void = trial.state.name == "FAIL" and not {"reason", "same_as"} & set(trial.user_attrs)
        if number_of(trial) and not is_void:
            found.setdefault(number_of(trial), trial)
    return found


def losses(trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> int:
    """How many workers were lost with a trial; those that gave it back are not.

    Args:
        trial: The trial.
        trials: All of the study, in the order of Optuna's numbers.
    """
    history = retry().retry_history(trial)
    before = int(trial.user_attrs.get("losses", 0))  # which an earlier version of cnnctl counted
    return before + len([n for n in history if trials[n].user_attrs.get("stopped") != n])


def _worker_of(trial: FrozenTrial) -> tuple[str, str]:
    """The folder and the name of the worker that has a trial; empty if it does not say."""
    kept = trial.user_attrs
    worker = kept.get("worker", kept.get("owner"))  # as earlier versions called it
    if isinstance(worker, list) and len(worker) == 2:
        return str(worker[0]), str(worker[1])
    return "", ""
