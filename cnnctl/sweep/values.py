"""What a sweep is asked for, what its workers are told, and what it tells and leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cnnctl.runs.find import RUNS_DIR
from cnnctl.sweep.definition import Definition
from cnnctl.sweep.importance import Importance
from cnnctl.sweep.table import Row


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
    runs_dir: Path = RUNS_DIR
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
        data: What the runs were trained on, as their environments have it.
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
    data: str | None = None

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
            "data": self.data,
            "stopped": self.stopped is not None,
            "trained": self.trained,
            "best": self.best.to_dict(space) if self.best else None,
            "trials": [row.to_dict(space) for row in sorted(self.rows, key=lambda r: r.number)],
            "importance": self.importance.to_dict(),
            "files": self.files,
        }


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
