"""Where a run goes on: its newest intact checkpoint, the history up to it, its best epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cnnctl.data.preparation import Prepared
from cnnctl.errors import CheckpointError, RunError
from cnnctl.io.printable import shell
from cnnctl.runs import checkpoint
from cnnctl.runs.run import Run, checkpoint_name, epoch_of
from cnnctl.specs import Spec
from cnnctl.training.callbacks import checkpoints_from_spec
from cnnctl.training.compatibility import Change
from cnnctl.training.results import Start


def find_start(
    run: Run,
    before: Spec,
    data: Prepared,
    changes: Sequence[Change],
    history: Sequence[dict[str, Any]],
) -> Start:
    """Where a run goes on: at its newest intact checkpoint, or at its beginning if it has none.

    Args:
        run: The run.
        before: The spec by which its newest checkpoint was trained.
        data: The data, and the spec by which it goes on.
        changes: What has changed since.
        history: The lines of its epochs.

    Raises:
        CheckpointError: It has checkpoints, and none is intact.
    """
    intact, damaged = _intact(run, _limit(data))
    notes = [str(error) for _, error in damaged]
    if not intact:
        if damaged:
            raise CheckpointError(
                f"{run} has no intact checkpoint: {damaged[0][1]}", hint="train it anew"
            )
        if history or run.state().get("best_epoch"):
            raise CheckpointError(
                f"{run} has finished epochs, and none of their checkpoints is there",
                hint=f"put them back, or train anew: cnnctl train {shell(run.spec_path)}",
            )
        return Start(notes=("no epoch was finished: it begins anew",))
    done = max(intact)
    files, content = intact[done]
    path = run.checkpoints_dir / checkpoint_name(done)
    if damaged and epoch_of(damaged[0][0]) > done:
        notes.append(f"{path.name} is the newest intact checkpoint: it goes on from there")
    kinds = {change.kind for change in changes}
    if "fit" in kinds:  # the callbacks may be others: they start afresh, and end it anew
        content = {**content, "callbacks": None, "stopped": False}
    optimizers = [each for each in changes if each.what.startswith("compile.optimizer")]
    other = any(each.what == "compile.optimizer" for each in optimizers)
    if other:
        notes.append("the optimizer is another one, and starts afresh")
    return Start(
        path=path,
        files=files,
        content=content,
        rows=tuple(_rows(run, history, done, intact)),
        notes=tuple(notes),
        optimizer=not other,
        before=before if kinds & {"model", "compile", "data"} else None,
        learning_rate=any("learning_rate" in each.what.split(".") for each in optimizers),
        best=_best(run, data, content, intact, notes, changes),
    )


Intact = dict[int, tuple[dict[str, bytes], dict[str, Any]]]
"""Epoch → the files and the state of its checkpoint."""


def _intact(run: Run, limit: int | None) -> tuple[Intact, list[tuple[Path, CheckpointError]]]:
    """The intact checkpoints of a run, and the damaged ones, the newest first."""
    intact: Intact = {}
    damaged = []
    for path in reversed(run.checkpoints(complete=False)):
        try:
            files = checkpoint.read(path, limit)
            content = checkpoint.state_of(files, path)
            if content.get("epoch") != epoch_of(path):
                raise CheckpointError(f"{path} is the checkpoint of another epoch")
        except CheckpointError as error:
            damaged.append((path, error))
        else:
            # Only the newest one's bytes are needed; of the others, what they were worth.
            intact[epoch_of(path)] = (files if not intact else {}, content)
    return intact, damaged


def _rows(
    run: Run, history: Sequence[dict[str, Any]], done: int, intact: Intact
) -> Iterator[dict[str, Any]]:
    """The history up to an epoch: the lines that are there, and those in the checkpoints.

    A process that is killed between a checkpoint and its line leaves the line to the checkpoint.

    Raises:
        RunError: A line is missing in both.
    """
    lines = {line["epoch"]: line for line in history}
    for epoch in range(1, done + 1):
        saved = intact[epoch][1].get("row") if epoch in intact else None
        row = saved or lines.get(epoch)
        if not isinstance(row, dict):
            raise RunError(
                f"{run.path / 'metrics.jsonl'} lacks the line of epoch {epoch}",
                hint="the history is needed to go on; restore the file, or train anew",
            )
        yield row


def _best(
    run: Run,
    data: Prepared,
    content: dict[str, Any],
    intact: Intact,
    notes: list[str],
    changes: Sequence[Change],
) -> tuple[int | None, float | None]:
    """The best epoch so far and its figure; among the intact ones, where its own is damaged or
    another figure decides now. None where figures of other images or losses would be compared."""
    epoch, figure = content.get("best_epoch"), content.get("best")
    if not isinstance(epoch, int) or not isinstance(figure, int | float):
        return None, None
    others = ("data", "model", "pictures", "compile.loss", "compile.metrics")
    if any(change.what.startswith(others) for change in changes):
        notes.append("figures from before do not compare: the best epoch is one of those to come")
        return None, None
    checkpoints = checkpoints_from_spec(data.spec, run, data.dataset.validation is not None)
    values = {
        number: float(state["row"][checkpoints.monitor])
        for number, (_, state) in intact.items()
        if _is_finite((state.get("row") or {}).get(checkpoints.monitor))
    }
    best_of = max if checkpoints.maximize else min
    best = best_of(values, key=lambda number: values[number], default=None)
    if epoch in intact and all(change.kind != "fit" for change in changes):
        if best is None or best_of(values[best], figure) == figure:
            return epoch, float(figure)
        # An earlier version of cnnctl guessed by the metric's name which values are better.
        better = "higher" if checkpoints.maximize else "lower"
        notes.append(f"`{checkpoints.monitor}` is better {better}: epoch {best} is the best so far")
    if best is None:
        return None, None
    if epoch not in intact:
        problem = f"the best checkpoint, of epoch {epoch}, is damaged"
        notes.append(f"{problem}: that of {best} counts now")
    return best, values[best]


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _limit(data: Prepared) -> int | None:
    """How many bytes a file of a checkpoint may have: weights and slots, several times over."""
    trace = data.checked.trace
    return None if trace is None or trace.unknown else trace.total * 4 * 16 + (64 << 20)
