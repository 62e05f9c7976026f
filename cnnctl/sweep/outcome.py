"""What a sweep tells while it goes on, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cnnctl.sweep.definition import Definition
from cnnctl.sweep.importance import Importance
from cnnctl.sweep.table import Row


@dataclass(frozen=True)
class Start:
    """What is settled before the first trial, for people to see.

    Args:
        name: Of the sweep.
        definition: What it is.
        folder: Its folder.
        workers: How many are started here.
        threads: How many each computes with.
        rows: The trials, some of which may be finished already.
    """

    name: str
    definition: Definition
    folder: Path
    workers: int
    threads: int
    rows: list[Row]


class Watcher(Protocol):
    """Whoever shows a sweep to people."""

    def started(self, start: Start) -> None:
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
        folder: Its folder.
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
    folder: Path
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
            "folder": str(self.folder),
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
