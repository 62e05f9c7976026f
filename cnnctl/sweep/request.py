"""What a sweep is asked for, and what its workers are told of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnctl.runs.find import RUNS_DIR


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


_PATHS = ("spec", "ranges", "runs_dir", "data_dir")
"""What is a path in a request."""


@dataclass(frozen=True)
class Task:
    """What a worker is told.

    Args:
        request: With everything settled that the user left open.
        plugins: Files to load.
        definition: What `Definition.to_dict` gave: whether the spec is still the same.
    """

    request: Request
    plugins: list[str]
    definition: dict[str, Any]

    def to_json(self) -> str:
        """A line of JSON."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """The task of a line of JSON."""
        told = json.loads(text)
        given = told["request"]
        paths = {key: Path(given[key]) for key in _PATHS if given[key] is not None}
        return cls(Request(**{**given, **paths}), told["plugins"], told["definition"])
