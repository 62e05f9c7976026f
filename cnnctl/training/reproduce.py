"""Training a run again, to see whether the same figures come out."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cnnctl import plugins
from cnnctl.compute.plan import recorded
from cnnctl.data.preparation import Progress
from cnnctl.errors import CheckpointError, RunError, UsageError
from cnnctl.io import hdf5
from cnnctl.io.arguments import AnyPath, as_epochs
from cnnctl.io.notes import tell
from cnnctl.io.printable import shell
from cnnctl.io.untrusted import MAX_READ
from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import WEIGHTS
from cnnctl.runs.run import Run, newest_run
from cnnctl.specs import load
from cnnctl.training import compatibility
from cnnctl.training.callbacks import Observer
from cnnctl.training.results import TrainingResult
from cnnctl.training.train import train

NOT_COMPARED = ("seconds", "images_per_second")
"""What no two trainings have in common."""


@dataclass(frozen=True)
class FirstDifference:
    """The first figure that is another.

    Args:
        epoch: Counted from 1.
        figure: Its name.
        before: As the run has it; None if it lacks it.
        now: As it is now.
    """

    epoch: int
    figure: str
    before: float | None
    now: float | None


@dataclass(frozen=True)
class Reproduction:
    """What came of it.

    Args:
        run: The run.
        epochs: How many epochs were trained again.
        difference: The first figure that differs; None if none does.
        weights: Whether the last weights are the same, bit for bit; None if they were not compared.
        notes: What is not as it was: versions, machine, threads.
        stopped: The signal that ended it early, if one did.
    """

    run: Run
    epochs: int
    difference: FirstDifference | None
    weights: bool | None
    notes: tuple[str, ...] = ()
    stopped: int | None = None

    @property
    def same(self) -> bool:
        """Whether everything that was compared is the same."""
        return self.difference is None and self.weights is not False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "run": str(self.run), "same": self.same, "notes": list(self.notes)}


def reproduce(
    source: AnyPath,
    *,
    epochs: int | None = None,
    data_dir: AnyPath | None = None,
    full_data: bool = False,
    device: str = "auto",
    finish_epoch: bool = False,
    observer: Observer | None = None,
    progress: Progress | None = None,
) -> Reproduction:
    """Train a run again from its own spec, in a folder that goes afterwards.

    Args:
        source: A run folder, or `runs/NAME`, of which the newest run is meant.
        epochs: How many epochs to compare; all that the run has by default.
        data_dir, full_data, device, finish_epoch, observer, progress: See
            `cnnctl.training.Settings`.

    Raises:
        UsageError: There is no such run, or it has fewer epochs.
        RunError: It has no finished epoch, or no environment.
        DataError: The data is not there, or not the run's.
    """
    run = newest_run(source)
    environment = run.environment()
    plugins.require(environment.get("plugins") or (), run)
    rows = run.history()
    if "normalization" not in environment:
        raise RunError(
            f"{run} has no readable environment.json to compare with",
            hint="put it back from a copy: it has the data and the versions of the training",
        )
    for epoch, row in enumerate(rows, start=1):
        if row["epoch"] != epoch:
            raise RunError(
                f"{run.path / 'metrics.jsonl'} lacks the line of epoch {epoch}",
                hint="put the file back from a copy",
            )
    if not rows:
        raise RunError(
            f"{run} has no finished epoch to compare with",
            hint=f"to go on with it: cnnctl resume {shell(run.path)}",
        )
    wanted = as_epochs(epochs) or len(rows)
    if wanted > len(rows):
        raise UsageError(f"{run} has {len(rows)} finished epochs, and {wanted} are to be compared")
    spec = load(run.spec_path, recorded=True)
    if spec.fit.distribute == "multi_worker":  # one process computes what several did
        spec = load(run.spec_path, ["fit.distribute=none"], recorded=True)
    notes = [str(change) for change in compatibility.of_versions(environment)]
    notes += [str(change) for change in compatibility.of_plugins(environment)]
    resumed = run.state().get("resumed")
    for each in resumed if isinstance(resumed, list) else []:
        if isinstance(each, dict) and isinstance(each.get("changes"), list):
            notes += [f"changed after epoch {each.get('after')}: {c}" for c in each["changes"]]
    comparing = _Comparing(run, rows, wanted, observer)
    with tempfile.TemporaryDirectory(prefix="cnnctl-") as folder:
        # The schedules see the epochs that were planned; the training ends after those compared.
        result = None
        with suppress(_Enough):
            result = train(
                spec,
                runs_dir=Path(folder),
                observer=comparing,
                plan=recorded(environment),
                data_dir=data_dir,
                full_data=full_data,
                device=device,
                finish_epoch=finish_epoch,
                progress=progress,
            )
        facts = comparing.facts
        if facts is not None:
            notes += facts.notes
            notes += compatibility.of_machine(environment, facts.device, facts.replicas)
            changed = compatibility.refuse(
                compatibility.of_data(environment, facts.data), ["data"], run
            )
            notes += [str(change) for change in changed]
        weights = None
        if comparing.difference is None and facts is not None and comparing.epochs == len(rows):
            weights = _same_weights(run, facts.run)
    stopped = result.stopped if isinstance(result, TrainingResult) else None
    return Reproduction(run, comparing.epochs, comparing.difference, weights, tuple(notes), stopped)


class _Enough(BaseException):
    """Ends a training from an observer: there is nothing more to compare."""


class _Comparing:
    """An observer that holds each epoch against the history."""

    def __init__(
        self, run: Run, rows: Sequence[dict[str, Any]], wanted: int, other: Observer | None
    ) -> None:
        self.run = run
        self.rows = rows
        self.wanted = wanted
        self.other = other
        self.facts: Any = None
        self.epochs = 0
        self.difference: FirstDifference | None = None

    def started(self, facts: Any) -> None:
        """Data, network and device are ready."""
        self.facts = facts
        if self.other is None:
            tell(facts.notes)
        else:
            notes = (*facts.notes, "it is trained again, and nothing of that is kept")
            self.other.started(replace(facts, run=self.run, notes=notes))

    def epoch_began(self, epoch: int, learning_rate: float) -> None:
        """An epoch begins."""
        if self.other:
            self.other.epoch_began(epoch, learning_rate)

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """A step ends."""
        if self.other:
            self.other.step_ended(step, logs)

    def epoch_ended(self, row: dict[str, Any], improved: bool) -> None:
        """Compare; raise `_Enough` at the first difference, or after the last epoch."""
        if self.other:
            self.other.epoch_ended(row, improved)
        before = self.rows[self.epochs]
        self.epochs += 1
        for figure in dict.fromkeys([*before, *row]):
            if figure not in NOT_COMPARED and before.get(figure) != row.get(figure):
                values = before.get(figure), row.get(figure)
                self.difference = FirstDifference(self.epochs, figure, *values)
                raise _Enough
        if self.epochs >= self.wanted:
            raise _Enough


def _same_weights(before: Run, now: Run) -> bool | None:
    """Whether the last checkpoints hold the same weights; None if one cannot be read."""
    try:
        ours = checkpoint.read(now.checkpoint("last"))[WEIGHTS]
        theirs = checkpoint.read(before.checkpoint("last"), 2 * len(ours))[WEIGHTS]
        other = hdf5.File(io.BytesIO(ours))
        one = hdf5.File(io.BytesIO(theirs), limit=4 * other.read + MAX_READ)
    except (CheckpointError, UsageError, hdf5.Refused):
        return None
    return one.arrays.keys() == other.arrays.keys() and all(
        one.values(one.arrays[key]) == other.values(other.arrays[key]) for key in one.arrays
    )
