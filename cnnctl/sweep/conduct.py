"""A sweep from its command to its figures: settle what it is, start workers, watch, sum up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cnnctl import plugins, runs
from cnnctl.errors import RunError, UsageError
from cnnctl.files import write_json, write_text
from cnnctl.spec.dump import dump
from cnnctl.spec.faults import name_of
from cnnctl.sweep import checks, storage
from cnnctl.sweep.definition import Definition, count_trials, define, refuse_others
from cnnctl.sweep.importance import Importance, importance
from cnnctl.sweep.processes import Workers, threads_each
from cnnctl.sweep.ranges import read_ranges
from cnnctl.sweep.space import Space, parse_over
from cnnctl.sweep.space import join as joined
from cnnctl.sweep.storage import SWEEPS, Place
from cnnctl.sweep.table import Row, best, ranked, rows, to_csv
from cnnctl.sweep.tickets import Tickets, pruner
from cnnctl.sweep.worker import Task

if TYPE_CHECKING:
    import optuna

LOOK = 0.5
"""Seconds between two looks at the study while the workers train."""


@dataclass(frozen=True)
class Request:
    """What the user asks for; None leaves it to the sweep.

    Args:
        spec: The path of the spec.
        overrides: The `--set` assignments of all trials.
        over: Lists of values: `fit.batch_size=32,64`.
        ranges: A file of ranges.
        method: `grid`, `random` or `tpe`.
        trials: How many there are.
        seeds: Trainings in a trial.
        prune: `none`, `median` or `hyperband`.
        monitor: The figure by which trials are compared.
        workers: Processes on this machine.
        storage: A database or a file, see `cnnctl.sweep.storage`.
        name: Of the sweep; the spec's by default.
        runs_dir: The folder of runs.
        data_dir, full_data, device: As for a training.
    """

    spec: Path
    overrides: Sequence[str] = ()
    over: Sequence[str] = ()
    ranges: Path | None = None
    method: str | None = None
    trials: int | None = None
    seeds: int = 1
    prune: str | None = None
    monitor: str | None = None
    workers: int = 1
    storage: str | None = None
    name: str | None = None
    runs_dir: Path = runs.RUNS_DIR
    data_dir: Path | None = None
    full_data: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class Outlook:
    """What is settled before the first trial, for people to see.

    Args:
        name: Of the sweep.
        definition: What it is.
        place: Its folder.
        workers: How many are started here.
        threads: How many each computes with.
        rows: The trials, some of which may be finished already.
    """

    name: str
    definition: Definition
    place: Path
    workers: int
    threads: int
    rows: list[Row]


class Watcher(Protocol):
    """Whoever shows a sweep to people."""

    def started(self, outlook: Outlook) -> None:
        """Everything is settled."""

    def changed(self, rows: list[Row]) -> None:
        """The trials as they are now."""

    def said(self, text: str) -> None:
        """Something worth knowing has happened."""


@dataclass(frozen=True)
class Outcome:
    """What a sweep came to.

    Args:
        name: Of the sweep.
        definition: What it is.
        place: Its folder.
        rows: The trials, the best first.
        best: The best finished one, if there is one.
        importance: Of the parameters.
        files: What was written: by kind, where.
        left_out: Figures that were not drawn, and why.
        stopped: The number of the signal that ended it early, if one did.
        trained: How many trials were finished while this process watched.
    """

    name: str
    definition: Definition
    place: Path
    rows: list[Row]
    best: Row | None
    importance: Importance
    files: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    stopped: int | None = None
    trained: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        space = self.definition.space
        return {
            "name": self.name,
            "folder": str(self.place),
            "method": self.definition.method,
            "seeds": self.definition.seeds,
            "prune": self.definition.prune,
            "monitor": self.definition.monitor,
            "direction": "maximize" if self.definition.maximize else "minimize",
            "stopped": self.stopped is not None,
            "trained": self.trained,
            "best": self.best.to_dict(space) if self.best else None,
            "trials": [row.to_dict(space) for row in sorted(self.rows, key=lambda r: r.number)],
            "importance": self.importance.to_dict(),
            "files": self.files,
        }


def sweep(request: Request, watcher: Watcher | None = None) -> Outcome:
    """Train the trials of a sweep that are not finished, and sum up all of them.

    Args:
        request: What the user asks for.
        watcher: Is told how it goes.

    Returns:
        The trials and what they tell. After SIGINT or SIGTERM with `stopped` set.

    Raises:
        UsageError: Optuna is not installed, nothing is varied, or the sweep of this name is
            another one.
        SpecError: The spec, a value or the file of ranges has faults.
        CnnctlError: No trial can be trained: data is missing, the disk is full.
    """
    storage.require()
    space, definition = settle(request)
    name = request.name or str(definition.tree["name"])
    if name_of(name) != name:
        raise UsageError(f"no sweep can be called {name!r}", hint=f"--name {name_of(name)}")
    place = Place(request.runs_dir / SWEEPS / name)
    storage.file_of(request.storage, place)
    place.make()
    study = open_study(definition, name, request.storage, place, request.trials)
    tickets = Tickets(study, definition, place)
    _write_down(definition, place, request.ranges)
    workers = min(request.workers, _open(_rows(tickets)))
    now = _rows(tickets)
    outlook = Outlook(name, definition, place.path, workers, threads_each(workers or 1), now)
    if watcher:
        watcher.started(outlook)
    stopped = None
    if workers:
        task = _task(request, definition, name)
        stopped = _watch(Workers(task, workers, place.path), tickets, watcher)
    after = _rows(tickets)
    finished = {row.number for row in now if row.state in ("finished", "pruned", "failed")}
    done = [row for row in after if row.state in ("finished", "pruned", "failed")]
    files, left_out = _write_figures(after, definition, place, name)
    return Outcome(
        name=name,
        definition=definition,
        place=place.path,
        rows=ranked(after, definition.maximize),
        best=best(after, definition.maximize),
        importance=importance(study, space),
        files=files,
        left_out=left_out,
        stopped=stopped,
        trained=len([row for row in done if row.number not in finished]),
    )


def settle(request: Request, *, again: bool = False) -> tuple[Space, Definition]:
    """What is varied, checked, and what the sweep is.

    Args:
        request: What the user asks for.
        again: Whether the values were checked before.

    Raises:
        UsageError, SpecError: See `sweep`.
    """
    ranges = read_ranges(request.ranges) if request.ranges else []
    space = joined([*parse_over(request.over), *ranges])
    if not space:
        raise UsageError(
            "nothing is varied", hint="such as --over fit.batch_size=32,64, or --ranges FILE"
        )
    spec = checks.check(request.spec, request.overrides, () if again else space)
    definition = define(
        spec,
        space,
        method=request.method,
        seeds=request.seeds,
        prune=request.prune,
        monitor=checks.monitor_of(spec, request.monitor),
    )
    count_trials(definition, request.trials, 0)
    return space, definition


def open_study(
    definition: Definition, name: str, url: str | None, place: Place, trials: int | None
) -> optuna.Study:
    """Make the study of a sweep, or open it where it is there.

    Raises:
        UsageError: It is there, and another one.
        RunError: The storage cannot be used.
    """
    with place.locked("claim"):
        opened = storage.open_storage(url, place)
        import optuna

        study = optuna.create_study(
            study_name=name,
            storage=opened,
            direction="maximize" if definition.maximize else "minimize",
            pruner=pruner(definition),
            load_if_exists=True,
        )
        known = study.user_attrs
        if "definition" in known:
            refuse_others(name, known["definition"], definition.to_dict())
        elif study.get_trials(deepcopy=False):
            raise UsageError(
                f"the storage has a study {name} that is not cnnctl's", hint="--name OTHER"
            )
        else:
            study.set_user_attr("definition", definition.to_dict())
        count = count_trials(definition, trials, int(known.get("trials", 0)))
        if count != known.get("trials"):
            study.set_user_attr("trials", count)
        return study


def join(task: Task) -> tuple[Definition, Place, optuna.Study]:
    """What a worker works at.

    Raises:
        UsageError: The spec was changed since the sweep began.
    """
    request = Request(
        spec=Path(task.spec),
        overrides=task.overrides,
        over=task.over,
        ranges=Path(task.ranges) if task.ranges else None,
        method=task.method,
        seeds=task.seeds,
        prune=task.prune,
        monitor=task.monitor,
    )
    _, definition = settle(request, again=True)
    refuse_others(task.name, task.definition, definition.to_dict())
    place = Place(Path(task.runs_dir) / SWEEPS / task.name)
    study = open_study(definition, task.name, task.storage, place, None)
    return definition, place, study


def _task(request: Request, definition: Definition, name: str) -> Task:
    return Task(
        spec=str(request.spec),
        overrides=list(request.overrides),
        over=list(request.over),
        ranges=str(request.ranges) if request.ranges else None,
        plugins=[str(each.path) for each in plugins.loaded()],
        storage=request.storage,
        name=name,
        runs_dir=str(request.runs_dir),
        definition=definition.to_dict(),
        settings={
            "data_dir": str(request.data_dir) if request.data_dir else None,
            "full_data": request.full_data,
            "device": request.device,
        },
        method=definition.method,
        prune=definition.prune,
        monitor=definition.monitor,
        seeds=definition.seeds,
    )


def _watch(workers: Workers, tickets: Tickets, watcher: Watcher | None) -> int | None:
    """Look at the study while the workers train; the signal that ended it, if one did.

    Raises:
        CnnctlError: A worker says that no trial can be trained, or all of them were lost.
    """
    said = 0
    with workers.working():
        while workers.check():
            time.sleep(LOOK)
            if watcher:
                for text in workers.lost[said:]:
                    watcher.said(text)
                said = len(workers.lost)
                watcher.changed(_rows(tickets))
    if watcher:
        watcher.changed(_rows(tickets))
    if workers.signalled is None and tickets.is_open():
        raise RunError(
            "no worker is left, and trials are: " + "; ".join(workers.lost),
            hint=f"the same command goes on with them; {workers.folder}/worker-1.log says more",
        )
    return workers.signalled


def _rows(tickets: Tickets) -> list[Row]:
    definition = tickets.definition
    planned = definition.epochs * definition.seeds
    return rows(tickets.trials(), tickets.count, definition.space, planned, tickets.points)


def _open(found: Sequence[Row]) -> int:
    """How many trials are to be trained."""
    return sum(row.state in ("waiting", "running") for row in found)


def _write_down(definition: Definition, place: Place, ranges: Path | None) -> None:
    """Write what the sweep is into its folder, for people."""
    write_json(place.path / "definition.json", definition.to_dict())
    write_text(place.path / "spec.yaml", dump(definition.tree))
    if ranges is not None:
        write_text(place.path / "ranges.yaml", ranges.read_text(encoding="utf-8-sig"))


def _write_figures(
    found: Sequence[Row], definition: Definition, place: Place, name: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Write the table and the figures of a sweep; where they are, and what was not drawn."""
    from cnnctl.plots.style import save
    from cnnctl.plots.sweep import parallel_coordinates, slices

    table = place.path / "trials.csv"
    write_text(table, to_csv(found, definition.space, definition.monitor))
    files, left_out = {"table": str(table)}, {}
    title = f"sweep {name}"
    for kind, draw in (("parallel_coordinates", parallel_coordinates), ("slice", slices)):
        try:
            made = draw(
                found, definition.space, definition.monitor, definition.maximize, title=title
            )
        except UsageError as error:
            left_out[kind] = error.message
            continue
        path = place.path / f"{kind}.png"
        save(made, path)
        files[kind] = str(path)
    return files, left_out
