"""Data types of a training: its settings, where it starts, its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnctl.compute.observer import Observer
from cnnctl.compute.plan import Plan
from cnnctl.inference.evaluation import Evaluation
from cnnctl.io.arguments import as_flag
from cnnctl.runs.run import Run
from cnnctl.specs import Spec


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Args:
        run: The run folder; None in a process that trained with another and left it to that one.
        history: The lines of `metrics.jsonl`.
        best_epoch: The epoch (from 1) whose weights are `model.keras`.
        evaluation: Loss and metrics of the best epoch on the test set, if there is one.
        stopped: The number of the signal that ended it early, if one did.
        unchanged: Whether there was nothing left to do.
        notes: What the user should know: why the last bits may not be those of the command, say.
    """

    run: Run | None
    history: list[dict[str, Any]]
    best_epoch: int | None
    evaluation: Evaluation | None
    stopped: int | None = None
    unchanged: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """How a training is run, whatever is trained.

    Args:
        data_dir: Where data sets are looked for first.
        full_data: Refuse the small sample that stands in for MNIST without a network.
        device: See `cnnctl.compute.device.start_device`.
        finish_epoch: Whether a signal lets the epoch in progress end, not only the step.
        observers: Are told how it goes.
        plan: How steps are computed; by default chosen for the spec and the machine.
    """

    data_dir: Path | None = None
    full_data: bool = False
    device: str = "auto"
    finish_epoch: bool = False
    observers: tuple[Observer, ...] = ()
    plan: Plan | None = None

    def __post_init__(self) -> None:
        """Refuse a text such as "no", which would count as true."""
        as_flag(self.full_data, "full_data")
        as_flag(self.finish_epoch, "finish_epoch")


@dataclass(frozen=True)
class Start:
    """Where a training goes on.

    Args:
        path: The checkpoint; None for the beginning.
        files: Its files, verified.
        content: Its state.
        rows: The history up to it.
        notes: For people.
        optimizer: Whether the optimizer goes on too, or starts afresh.
        before: The spec of the checkpoint, where the optimizer may have had other variables.
        learning_rate: Whether the spec's learning rate counts, not the checkpoint's.
        best: The best epoch and its figure among the checkpoints that are there.
    """

    path: Path | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    optimizer: bool = True
    before: Spec | None = None
    learning_rate: bool = False
    best: tuple[int | None, float | None] = (None, None)

    @property
    def done(self) -> int:
        """How many epochs are done."""
        return len(self.rows)
