"""Training a run again, to see whether the same figures come out."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnctl import plugins
from cnnctl.compute.observer import Observer
from cnnctl.compute.plan import recorded
from cnnctl.errors import CheckpointError, RunError, UsageError
from cnnctl.io import hdf5
from cnnctl.io.arguments import AnyPath, as_epochs, path_or_none
from cnnctl.io.printable import shell
from cnnctl.io.untrusted import MAX_READ
from cnnctl.preflight import check
from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import WEIGHTS
from cnnctl.runs.find import newest_run
from cnnctl.runs.run import Run
from cnnctl.startup import quiet
from cnnctl.training import compatibility
from cnnctl.training.comparing import Comparing, Enough, FirstDifference
from cnnctl.training.results import Settings


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
    observers: Iterable[Observer] = (),
) -> Reproduction:
    """Train a run again from its own spec, in a folder that goes afterwards.

    Args:
        source: A run folder, or `runs/NAME`, of which the newest run is meant.
        epochs: How many epochs to compare; all that the run has by default.
        data_dir, full_data, device, finish_epoch, observers: As in `cnnctl.train`.

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
    checked = check(run.spec_path, recorded=True)
    if checked.spec.fit.distribute == "multi_worker":  # one process computes what several did
        checked = check(run.spec_path, ["fit.distribute=none"], recorded=True)
    notes = [str(change) for change in compatibility.of_versions(environment)]
    notes += [str(change) for change in compatibility.of_plugins(environment)]
    resumed = run.state().get("resumed")
    for each in resumed if isinstance(resumed, list) else []:
        if isinstance(each, dict) and isinstance(each.get("changes"), list):
            notes += [f"changed after epoch {each.get('after')}: {c}" for c in each["changes"]]
    shown = tuple(observers)
    comparing = Comparing(rows, wanted)
    settings = Settings(
        path_or_none(data_dir, "data_dir"), full_data, device, finish_epoch,
        (*shown, comparing), recorded(environment),
    )  # fmt: skip
    quiet()
    from cnnctl.training.reproduced_trainer import ReproducedTrainer

    with tempfile.TemporaryDirectory(prefix="cnnctl-") as folder:
        # The schedules see the epochs that were planned; the training ends after those compared.
        trainer = ReproducedTrainer(run, checked, settings, Path(folder))
        result = None
        with suppress(Enough):
            result = trainer.train()
        facts = comparing.facts
        if facts is not None:
            begun = (*trainer.start.notes, *trainer.compiled.notes)
            notes += begun
            notes += compatibility.of_machine(environment, facts.device, facts.replicas)
            changed = compatibility.refuse(
                compatibility.of_data(environment, facts.data), ["data"], run
            )
            notes += [str(change) for change in changed]
        weights = None
        if comparing.difference is None and trainer.run and comparing.epochs == len(rows):
            weights = _same_weights(run, trainer.run)
    stopped = result.stopped if result else None
    return Reproduction(run, comparing.epochs, comparing.difference, weights, tuple(notes), stopped)


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
