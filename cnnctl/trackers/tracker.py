"""What a tracker is told, and what it has to be able to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cnnctl.runs.run import Run


@dataclass(frozen=True)
class Story:
    """What is known of a training before its first epoch.

    Args:
        run: The run folder.
        parameters: The resolved spec by dotted paths, as `--set` writes them.
        tags: Versions, device, data, commit: by name, as text.
        spec: The text of the resolved spec.
        known: What the tracker asked to keep at an earlier part of this training.
        done: How many epochs of the run were done before.
    """

    run: Run
    parameters: dict[str, Any]
    tags: dict[str, str]
    spec: str
    known: dict[str, Any] = field(default_factory=dict)
    done: int = 0

    @property
    def group(self) -> str:
        """The spec's name."""
        return self.run.path.resolve().parent.name

    @property
    def name(self) -> str:
        """The run's name: `mnist/001`."""
        return f"{self.group}/{self.run.path.resolve().name}"


@dataclass(frozen=True)
class Ending:
    """What a training has left.

    Args:
        status: finished, stopped (by a signal) or failed.
        reason: Why it failed.
        best_epoch: The epoch, from 1, that was evaluated.
        figures: Of the test set, by name: `test_loss`.
        artefacts: Files to keep, by the name under which they are kept.
        images: PNG files by name.
    """

    status: str
    reason: str | None = None
    best_epoch: int | None = None
    figures: dict[str, float] = field(default_factory=dict)
    artefacts: dict[str, Path] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """A tracker's own run.

    Args:
        where: For people: where it can be looked at.
        epochs: How many epochs it has already.
        keep: What the tracker needs to find it again; `at` and `id` among it.
        note: What is worth knowing.
    """

    where: str
    epochs: int
    keep: dict[str, Any]
    note: str | None = None


class Tracker(Protocol):
    """A tool that keeps the figures of trainings.

    All methods are called by one thread of its own, in this order. What one of them raises is told
    to the user; the training goes on, and the same call is tried again with the next epoch.
    """

    def open(self, story: Story) -> Opened:
        """Begin a run of the tool's own, or find the one that this training had."""

    def epoch(self, row: dict[str, Any]) -> None:
        """Send a line of `metrics.jsonl`; its step is the epoch."""

    def close(self, ending: Ending) -> None:
        """Send what a training has left, and end the tool's run."""
