"""A worker: a process that takes a ticket, trains it, reports, and takes the next one.

It is started by `cnnctl.sweep.processes`, which gives it its task as a line of JSON. The pipe stays
open as long as the sweep's own process lives; where it closes, the worker ends after its step.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
import threading
import time
import traceback
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from cnnctl.errors import (
    CheckpointError,
    CnnctlError,
    RunError,
    SpecError,
    Stopped,
    TrainingError,
    UsageError,
)
from cnnctl.preflight import preflight
from cnnctl.runs import Run
from cnnctl.spec import Spec
from cnnctl.spec.nodes import plain
from cnnctl.sweep import space as spaces
from cnnctl.sweep.definition import Definition
from cnnctl.sweep.reporter import Pruned, Reporter
from cnnctl.sweep.tickets import Claim, Tickets

RENEW = 75
"""The exit code of a worker that wants a fresh process: TensorFlow's threads are set once."""

PAUSE = 1.0
"""Seconds between two looks where all that is left is others' work."""

HEARTBEAT = 20.0
"""Seconds between two signs of life."""


@dataclass(frozen=True)
class Task:
    """What a worker is told.

    Args:
        spec: The path of the spec.
        overrides: The `--set` assignments of all trials.
        over: The `--over` flags.
        ranges: The file of ranges.
        plugins: Files to load.
        storage: See `--storage`.
        name: Of the sweep.
        runs_dir: The folder of runs.
        definition: What `Definition.to_dict` gave: whether the spec is still the same.
        settings: Of a training: data_dir, full_data, device.
        method, prune, monitor, seeds: What was settled.
    """

    spec: str
    overrides: list[str]
    over: list[str]
    ranges: str | None
    plugins: list[str]
    storage: str | None
    name: str
    runs_dir: str
    definition: dict[str, Any]
    settings: dict[str, Any]
    method: str
    prune: str
    monitor: str
    seeds: int


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
            self.tickets.fail(claim, _reason(error))
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
                with _Heart(self.tickets, claim):
                    value = self._seed(claim, specs[index], index, reporter)
            except (SpecError, TrainingError) as error:
                self.tickets.fail(claim, _reason(error))
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

        from cnnctl import training

        given = self.task.settings["data_dir"]
        settings = {
            **self.task.settings,
            "data_dir": Path(given) if given else None,
            "observer": reporter,
        }
        earlier = self._earlier(claim, index)
        result = None
        try:
            keras.backend.clear_session()
            if earlier is not None:
                # A run that cannot go on (a lost checkpoint, other versions) is trained anew.
                with suppress(UsageError, CheckpointError, RunError):
                    result = training.resume(earlier.path, **settings)
            if result is None:
                result = training.train(spec, runs_dir=self.runs_dir, **settings)
        except Pruned:
            return None
        if reporter.pruned or reporter.taken:
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
        """The run in which a lost worker trained a seed of the ticket, if it is here."""
        runs = claim.trial.user_attrs.get("runs", ())
        if index >= len(runs):
            return None
        run = Run(self.runs_dir / str(runs[index]))
        return run if run.environment() else None


class _Heart:
    """Gives a sign of life while a ticket is trained, for workers on other machines."""

    def __init__(self, tickets: Tickets, claim: Claim) -> None:
        self.tickets = tickets
        self.claim = claim
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _beat(self) -> None:
        number = 0
        while not self.ended.wait(HEARTBEAT):
            number += 1
            with suppress(Exception):  # the storage may be away for a while
                self.tickets.beat(self.claim, number)


def _threads(spec: Spec, earlier: Run | None) -> tuple[int, ...]:
    """What TensorFlow takes once in a process: threads, and whether it is deterministic.

    A run that goes on has them from its first process.
    """
    from cnnctl.compute.plan import choose, recorded
    from cnnctl.preflight import input_shape

    plan = recorded(earlier.environment()) if earlier is not None else None
    if plan is None:
        shape = input_shape(spec)
        if shape is None:  # only the pictures tell: a process of its own
            return (-1, time.monotonic_ns())
        plan = choose(spec, shape, 1, on_gpu=False)
    return (plan.intra_op, plan.inter_op, int(spec.deterministic))


def _reason(error: CnnctlError) -> str:
    if error.diagnostics:
        return str(error.diagnostics[0])
    return error.message


def main() -> NoReturn:
    """The program of a worker."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plug-ins and TensorFlow print goes into the log
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    code = 1
    try:
        task = Task(**json.loads(sys.stdin.readline()))
        threading.Thread(target=_watch, daemon=True).start()
        code = _work(task)
    except Stopped as stopped:
        code = 128 + stopped.number
    except CnnctlError as error:
        traceback.print_exc()
        code = error.exit_code
        told = {"message": _reason(error), "hint": error.hint}
        print(json.dumps(told), file=answers, flush=True)
    except Exception as error:
        traceback.print_exc()
        told = {"message": f"a worker failed: {type(error).__name__}: {error}", "hint": None}
        print(json.dumps(told), file=answers, flush=True)
    # Python takes half a second and more to tear TensorFlow down; nothing is left to be done.
    for stream in (sys.stdout, sys.stderr, answers):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _work(task: Task) -> int:
    """Join the sweep, and work at it."""
    from cnnctl import plugins
    from cnnctl.backend import quiet
    from cnnctl.sweep.conduct import join

    quiet()
    plugins.load([Path(each) for each in task.plugins])
    name = uuid.uuid4().hex
    definition, place, study = join(task)
    with place.locked(name):
        worker = Worker(task, Tickets(study, definition, place, name), definition)
        code = worker.work()
    (place.path / "locks" / f"{name}.lock").unlink(missing_ok=True)
    return code


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)


def _watch() -> None:
    """End this process, gently, when the one that started it has ended."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
