"""A worker: takes a ticket, trains it, reports, and takes the next one."""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnnctl.errors import (
    CheckpointError,
    CnnctlError,
    RunError,
    SpecError,
    Stopped,
    TrainingError,
    UsageError,
)
from cnnctl.preflight import check as preflight
from cnnctl.runs.run import Run
from cnnctl.specs import Spec
from cnnctl.specs.nodes import plain
from cnnctl.sweep import space as spaces
from cnnctl.sweep.definition import Definition
from cnnctl.sweep.heart import Heart
from cnnctl.sweep.reporter import Pruned, Reporter
from cnnctl.sweep.tickets import Claim, Tickets
from cnnctl.sweep.values import Task

RENEW = 75
"""The exit code of a worker that wants a fresh process: TensorFlow's threads are set once."""

PAUSE = 1.0
"""Seconds between two looks where all that is left is others' work."""


class Worker:
    """Trains the tickets of a sweep, one after another.

    Args:
        task: What it is told.
        tickets: The sweep's.
        definition: What the sweep is.
    """

    def __init__(self, task: Task, tickets: Tickets, definition: Definition) -> None:
        self.task = task
        self.tickets = tickets
        self.definition = definition
        self.runs_dir = Path(task.runs_dir)
        self.threads: tuple[int, ...] | None = None
        self.tree = plain(preflight(task.spec, task.overrides).spec.tree)

    def work(self) -> int:
        """Take tickets until there is none left; returns the exit code.

        Where all that is left is trained by others it waits, to take up what they may leave.

        Raises:
            CnnctlError: No ticket can be trained: data is missing, the disk is full.
            Stopped: A signal has come; the ticket is given back.
        """
        while True:
            claim = self.tickets.claim()
            if claim is None:
                if not self.tickets.is_open():
                    return 0
                time.sleep(PAUSE)
                continue
            try:
                if not self._train(claim):
                    self.tickets.give_back(claim)
                    return RENEW
            except BaseException:
                self.tickets.give_back(claim)
                raise

    def _train(self, claim: Claim) -> bool:
        """Train a ticket; whether this process could."""
        self._refuse_edits()
        try:
            specs = [self._spec(claim, index) for index in range(self.definition.seeds)]
        except SpecError as error:
            self.tickets.fail(claim, reason_of(error))
            return True
        threads = _threads(specs[0], self._earlier(claim, 0))
        if self.threads not in (None, threads):
            return False
        self.threads = threads
        epochs = sum(each.fit.epochs for each in specs)
        claim.trial.set_user_attr("planned", epochs)
        values = list(claim.trial.user_attrs.get("values", ()))
        for index in range(len(values), len(specs)):
            reporter = Reporter(self.tickets, claim, self.definition.monitor, index, self.runs_dir)
            try:
                with Heart(self.tickets, claim):
                    value = self._seed(claim, specs[index], index, reporter)
            except (SpecError, TrainingError) as error:
                self.tickets.fail(claim, reason_of(error))
                return True
            if reporter.taken:
                return True
            if value is None:
                self.tickets.prune(claim)
                return True
            values.append(value)
        self.tickets.finish(claim, statistics.fmean(values))
        return True

    def _seed(self, claim: Claim, spec: Spec, index: int, reporter: Reporter) -> float | None:
        """Train one seed of a ticket, or go on with it; its figure, or None if it was pruned."""
        import keras

        from cnnctl.training.resume import resume
        from cnnctl.training.train import train

        given = self.task.settings["data_dir"]
        settings = {
            **self.task.settings,
            "data_dir": Path(given) if given else None,
            "observers": [reporter],
        }
        earlier = self._earlier(claim, index)
        result = None
        try:
            keras.backend.clear_session()
            if earlier is not None:
                # A run that cannot go on (a lost checkpoint, other versions) is trained anew.
                with suppress(UsageError, CheckpointError, RunError):
                    result = resume(earlier.path, **settings)
            if result is None:
                result = train(spec, runs_dir=self.runs_dir, **settings)
        except Pruned:
            return None
        if reporter.pruned or reporter.taken:
            assert result.run is not None  # there is one process
            result.run.update_state(
                reason=f"ended by the sweep {self.task.name}: the others do better"
            )
            return None
        if result.stopped:
            raise Stopped(result.stopped)
        if result.unchanged:
            reporter.catch_up(result.history)
        value = self._best(result.history)
        reporter.finished(len(result.history), value)
        return value

    def _best(self, history: list[dict[str, Any]]) -> float:
        """The best figure of a training's epochs.

        Raises:
            TrainingError: No epoch has one.
        """
        monitor = self.definition.monitor
        values = [float(row[monitor]) for row in history if monitor in row]
        if not values:
            raise TrainingError(f"no epoch reports a finite {monitor}")
        return max(values) if self.definition.maximize else min(values)

    def _refuse_edits(self) -> None:
        """Refuse to go on with a spec that was changed since the sweep began.

        Raises:
            UsageError: It was.
        """
        if plain(preflight(self.task.spec, self.task.overrides).spec.tree) != self.tree:
            raise UsageError(
                f"{self.task.spec} has changed since the sweep began",
                hint="change it back to go on, or start another sweep with --name",
            )

    def _spec(self, claim: Claim, index: int) -> Spec:
        """The spec of a seed of a ticket.

        Raises:
            SpecError: The combination contradicts itself.
        """
        overrides = [
            *self.task.overrides, *spaces.assignments(self.definition.space, claim.values)
        ]  # fmt: skip
        spec = preflight(self.task.spec, overrides).spec
        if index == 0:
            return spec
        return preflight(self.task.spec, [*overrides, f"seed={spec.seed + index}"]).spec

    def _earlier(self, claim: Claim, index: int) -> Run | None:
        """The run in which a lost worker trained a seed of the ticket, if it is here.

        Another machine has runs of the same names, which are other trials'.
        """
        kept = claim.trial.user_attrs
        runs = kept.get("runs", ())
        if index >= len(runs) or kept.get("runs_at") != self.tickets.identity:
            return None
        run = Run(self.runs_dir / str(runs[index]))
        return run if run.environment() else None


def _threads(spec: Spec, earlier: Run | None) -> tuple[int, ...]:
    """What TensorFlow takes once in a process: threads, and whether it is deterministic.

    A run that goes on has them from its first process.
    """
    from cnnctl.compute.plan import choose, recorded
    from cnnctl.preflight import check

    plan = recorded(earlier.environment()) if earlier is not None else None
    if plan is None:
        checked = check(spec)
        if checked.trace is None:  # only the pictures tell: a process of its own
            return (-1, time.monotonic_ns())
        plan = choose(checked, 1, on_gpu=False)
    return (plan.intra_op, plan.inter_op, int(spec.deterministic))


def reason_of(error: CnnctlError) -> str:
    """Why a trial cannot be trained, in a line."""
    if error.diagnostics:
        return str(error.diagnostics[0])
    return error.message
