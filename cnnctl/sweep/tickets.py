"""The trials of a sweep as tickets: each is taken by one worker at a time, and finished once.

A ticket is a number from 1. Its trial in Optuna's study may be lost with its worker; then that one
is ended there, and a copy of it (what was drawn, reported and trained so far) waits for the next
worker. Of several trials with the same ticket that are not lost, the first counts: so that two
processes that issue the same ticket at once, on two machines, do no harm.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnctl.sweep.definition import Definition
from cnnctl.sweep.drawing import sampler, suggest
from cnnctl.sweep.space import Value, grid
from cnnctl.sweep.storage import Place
from cnnctl.sweep.trial import copy_of, counting, owner_of, ticket_of

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial

GRACE = 120.0
"""For how many seconds a worker on another machine may give no sign of life."""

MOST_LOSSES = 3
"""How many workers a trial may cost before it counts as failed."""


@dataclass(frozen=True)
class Claim:
    """A ticket that a worker has taken.

    Args:
        ticket: Its number.
        trial: Optuna's trial.
        values: What it tries, by path.
        losses: How many workers were lost with it.
    """

    ticket: int
    trial: Trial
    values: dict[str, Value]
    losses: int


class Tickets:
    """The tickets of a sweep.

    Args:
        study: Optuna's study.
        definition: What the sweep is.
        place: The sweep's folder.
        worker: Who takes tickets; empty for a process that only looks.

    Attributes:
        points: Of a grid: the combinations, in the order of the tickets.
        identity: Of the sweep's folder: the same for all who share it.
    """

    def __init__(
        self, study: optuna.Study, definition: Definition, place: Place, worker: str = ""
    ) -> None:
        self.study = study
        self.definition = definition
        self.place = place
        self.worker = worker
        self.points = tuple(grid(definition.space)) if definition.method == "grid" else ()
        self.identity = place.identity
        self._beats: dict[int, tuple[Any, float]] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.study.user_attrs.get("trials", 0))

    def trials(self) -> list[FrozenTrial]:
        """Every trial of the study."""
        return self.study.get_trials(deepcopy=False)

    def issue(self) -> bool:
        """Put a trial behind the first ticket that has none, a lost one's copy if there was one;
        whether there was such a ticket."""
        import optuna

        trials = self.trials()
        there = counting(trials)
        ticket = next((each for each in range(1, self.count + 1) if each not in there), None)
        if ticket is None:
            return False
        lost = [each for each in trials if ticket_of(each) == ticket and each.params]
        if lost:
            self.study.add_trial(copy_of(lost[-1]))
            return True
        point = self.points[ticket - 1] if self.points else None
        self.study.add_trial(
            optuna.create_trial(
                state=optuna.trial.TrialState.WAITING,
                system_attrs={"fixed_params": point} if point else {},
                user_attrs={"ticket": ticket},
            )
        )
        return True

    def claim(self) -> Claim | None:
        """Take the next ticket; None where all are taken or finished.

        A ticket whose combination another one has already is finished with its figures at once, or
        when those are there.
        """
        with self.place.locked("claim"):
            self._take_up()
            self._settle()
            while True:
                waiting = [
                    each
                    for each in self.trials()
                    if each.state.name == "WAITING" and ticket_of(each)
                ]
                for trial in sorted(waiting, key=lambda each: (ticket_of(each), each.number)):
                    if self._start(trial) and (claim := self._draw(trial)) is not None:
                        return claim
                if not self.issue():
                    return None

    def is_open(self) -> bool:
        """Whether a ticket is not finished yet."""
        there = counting(self.trials())
        return len(there) < self.count or any(
            not each.state.is_finished() for each in there.values()
        )

    def give_back(self, claim: Claim) -> None:
        """Leave a ticket to another worker: what was trained of it is kept."""
        self._set(claim.trial, given_back=True)
        self._end(claim.trial._trial_id)

    def finish(self, claim: Claim, value: float) -> None:
        """Finish a ticket with its figure."""
        self._tell(claim.trial, "COMPLETE", value)

    def prune(self, claim: Claim) -> None:
        """Finish a ticket whose training is not worth going on with."""
        self._tell(claim.trial, "PRUNED")

    def fail(self, claim: Claim, reason: str) -> None:
        """Finish a ticket whose combination cannot be trained."""
        self._set(claim.trial, reason=reason)
        self._tell(claim.trial, "FAIL")

    def beat(self, claim: Claim, number: int) -> None:
        """Give a sign of life, for workers on other machines."""
        self._set(claim.trial, beat=number)

    def is_mine(self, claim: Claim) -> bool:
        """Whether nobody has taken a ticket up because this worker seemed to be lost."""
        trial = self.study._storage.get_trial(claim.trial._trial_id)
        return not trial.state.is_finished()

    def reported(self, claim: Claim) -> set[int]:
        """The epochs that the study knows of a trial."""
        return set(self.study._storage.get_trial(claim.trial._trial_id).intermediate_values)

    def _start(self, trial: FrozenTrial) -> bool:
        """Whether a waiting trial is this worker's now."""
        import optuna

        running = optuna.trial.TrialState.RUNNING
        try:
            if not self.study._storage.set_trial_state_values(trial._trial_id, running):
                return False
        except optuna.exceptions.UpdateFinishedTrialError:
            return False
        first = counting(self.trials()).get(ticket_of(trial))
        if first is None or first.number != trial.number:
            self._end(trial._trial_id)  # one too many
            return False
        return True

    def _draw(self, waiting: FrozenTrial) -> Claim | None:
        """Draw what a trial tries; None where another one tries it already."""
        import optuna

        ticket = ticket_of(waiting)
        self.study.sampler = sampler(self.definition, ticket)
        trial = optuna.trial.Trial(self.study, waiting._trial_id)
        self._set(trial, owner=[self.identity, self.worker])
        values = {each.path: suggest(trial, each) for each in self.definition.space}
        losses = int(waiting.user_attrs.get("losses", 0))
        claim = Claim(ticket, trial, values, losses)
        if losses >= MOST_LOSSES:
            self.fail(claim, f"{losses} workers ended without a word while they trained it")
            return None
        for other in counting(self.trials()).values():
            if (
                ticket_of(other) != ticket
                and "same_as" not in other.user_attrs
                and other.state.name != "WAITING"
                and other.params == values
                and (other.number < trial.number or owner_of(other)[0] == self.identity)
            ):
                self._set(trial, same_as=ticket_of(other))
                self._settle()
                return None
        return claim

    def _settle(self) -> None:
        """Finish tickets whose combination another one has, with the figures of that one."""
        import optuna

        there = counting(self.trials())
        for trial in there.values():
            twin = there.get(trial.user_attrs.get("same_as", 0))
            if trial.state.is_finished() or twin is None or not twin.state.is_finished():
                continue
            mine = optuna.trial.Trial(self.study, trial._trial_id)
            kept = ("values", "runs", "reason", "progress", "planned")
            self._set(mine, **{k: twin.user_attrs[k] for k in kept if k in twin.user_attrs})
            for step, value in twin.intermediate_values.items():
                if step not in trial.intermediate_values:
                    mine.report(value, step)
            self._tell(mine, twin.state.name, twin.value if twin.state.name == "COMPLETE" else None)

    def _take_up(self) -> None:
        """End the trials whose workers are gone; `issue` puts copies in their places."""
        for trial in self.trials():
            is_trained = trial.state.name == "RUNNING" and "same_as" not in trial.user_attrs
            if not (ticket_of(trial) and is_trained):
                continue
            place, worker = owner_of(trial)
            is_here = place == self.identity
            if not (self.place.is_alive(worker) if is_here else self._beats_still(trial)):
                self._end(trial._trial_id)

    def _beats_still(self, trial: FrozenTrial) -> bool:
        """Whether a worker that shares no file system gave a sign of life within the grace, by
        this process's own clock."""
        sign = (trial.user_attrs.get("beat"), len(trial.intermediate_values))
        before, since = self._beats.get(trial._trial_id, (None, 0.0))
        if sign != before:
            self._beats[trial._trial_id] = sign, time.monotonic()
            return True
        return time.monotonic() - since < GRACE

    def _set(self, trial: Trial, **attributes: Any) -> None:
        """Note something of a trial, unless it was taken away."""
        import optuna

        for key, value in attributes.items():
            try:
                trial.set_user_attr(key, value)
            except optuna.exceptions.UpdateFinishedTrialError:
                return

    def _tell(self, trial: Trial, state: str, value: float | None = None) -> None:
        """Finish a trial, unless it was taken away."""
        import optuna

        if trial.study._storage.get_trial(trial._trial_id).state.is_finished():
            return
        try:
            self.study.tell(trial, value, state=optuna.trial.TrialState[state])
        except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
            return

    def _end(self, trial_id: int) -> None:
        """Make a trial void; of two that do it at once, the storage lets one."""
        import optuna

        try:
            self.study._storage.set_trial_state_values(trial_id, optuna.trial.TrialState.FAIL)
        except optuna.exceptions.UpdateFinishedTrialError:
            return
