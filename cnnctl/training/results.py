"""What a training is given, and what it tells and leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.io.arguments import as_flag

if TYPE_CHECKING:
    from cnnctl.compute.device import Device
    from cnnctl.compute.plan import Plan
    from cnnctl.data.preparation import Prepared, Progress
    from cnnctl.inference.evaluation import Evaluation
    from cnnctl.runs.run import Run
    from cnnctl.specs import Spec
    from cnnctl.training.callbacks import Observer


@dataclass(frozen=True)
class Facts:
    """What is settled before the first epoch, for people to see.

    Args:
        spec: The spec.
        run: The run folder.
        device: Where it runs.
        plan: How its steps are computed.
        data: The data as the network gets it.
        parameters: Of the network.
        steps: Steps in an epoch.
        done: Epochs of the run that were done before.
        notes: What is worth knowing of a training that goes on.
        replicas: How many devices compute a batch together.
    """

    spec: Spec
    run: Run
    device: Device
    plan: Plan
    data: Prepared
    parameters: int
    steps: int
    done: int = 0
    notes: tuple[str, ...] = ()
    replicas: int = 1


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
        device: See `cnnctl.compute.device.start`.
        finish_epoch: Whether a signal lets the epoch in progress end, not only the step.
        observer: Is told how it goes.
        progress: Is told how a download goes: (file, bytes so far, bytes in all).
        plan: How steps are computed; by default chosen for the spec and the machine.
    """

    data_dir: Path | None = None
    full_data: bool = False
    device: str = "auto"
    finish_epoch: bool = False
    observer: Observer | None = None
    progress: Progress | None = None
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
