"""The trials of a sweep as plain values: what is shown, written, and drawn."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from cnnctl.specs.nodes import plain
from cnnctl.specs.reader import read
from cnnctl.specs.source import text_source
from cnnctl.sweep.space import Space, Value, assignments
from cnnctl.sweep.trials import counting, losses, number_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

DONE = ("finished", "pruned", "failed")
"""The states of a trial that is not trained any more."""

_STATES = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running",
           "WAITING": "waiting"}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One trial.

    Args:
        number: From 1.
        state: waiting, running, stopped, finished, pruned or failed.
        values: What it tries, by path: YAML text from a list, a number from a range. Empty before
            it is drawn.
        value: The mean over its seeds; of a pruned one, the last that was reported.
        deviation: Sample standard deviation over the seeds; None for one seed.
        each: The figure of each seed.
        epoch: How many epochs are done, of all seeds.
        planned: How many there will be.
        seconds: That its epochs took.
        runs: Its run folders, relative to the folder of runs.
        reason: Why it failed.
        same_as: The trial that tries the same, and whose figures these are.
        losses: How many workers were lost with it.
    """

    number: int
    state: str
    values: dict[str, Value]
    value: float | None
    deviation: float | None
    each: tuple[float, ...]
    epoch: int
    planned: int
    seconds: float
    runs: tuple[str, ...]
    reason: str | None = None
    same_as: int | None = None
    losses: int = 0

    def to_dict(self, space: Space) -> dict[str, Any]:
        """Plain values, for JSON; a value from a list as the YAML that it is."""
        values = {path: _meant(value) for path, value in self.values.items()}
        sets = assignments(space, self.values) if self.values else []
        return {**asdict(self), "values": values, "set": sets}


def rows(
    trials: Sequence[FrozenTrial],
    count: int,
    space: Space,
    planned: int,
    points: Sequence[dict[str, Value]] = (),
) -> list[Row]:
    """The trials of a study, by number.

    Args:
        trials: Every trial of the study, in the order of Optuna's numbers.
        count: How many there are to be.
        space: What is varied.
        planned: Epochs of a trial.
        points: Of a grid: the combinations, in the order of the trials.
    """
    there = counting(trials)
    last = {number_of(each): each for each in trials}
    found = []
    for number in range(1, count + 1):
        trial = there.get(number, last.get(number))
        if trial is None:
            point = points[number - 1] if points else {}
            found.append(Row(number, "waiting", point, None, None, (), 0, planned, 0.0, ()))
        else:
            row = _row(number, trial, space, planned, points)
            found.append(replace(row, losses=losses(trial, trials)))
    return [_with_result(row, found) for row in found]


def _row(
    number: int,
    trial: FrozenTrial,
    space: Space,
    planned: int,
    points: Sequence[dict[str, Value]],
) -> Row:
    """A trial by itself."""
    kept = trial.user_attrs
    state = _STATES[trial.state.name]
    if "same_as" in kept:
        state = "waiting"
    elif state == "failed" and "reason" not in kept:
        # It was given back, or lost, and nobody has taken it up yet.
        state = "stopped" if "progress" in kept else "waiting"
    each = tuple(float(value) for value in kept.get("values", ()))
    value = trial.value if state in ("finished", "pruned") else None
    if state == "running" and trial.intermediate_values:
        value = trial.intermediate_values[max(trial.intermediate_values)]
    epoch, seconds = kept.get("progress", (0, 0.0))
    given = {**(points[number - 1] if points else {}), **trial.params}
    return Row(
        number=number,
        state=state,
        values={p.path: given[p.path] for p in space} if len(given) >= len(space) else {},
        value=value if value is not None and math.isfinite(value) else None,
        deviation=statistics.stdev(each) if len(each) > 1 else None,
        each=each,
        epoch=int(epoch),
        planned=int(kept.get("planned", planned)),
        seconds=float(seconds),
        runs=tuple(kept.get("runs", ())),
        reason=kept.get("reason"),
        same_as=kept.get("same_as"),
    )


def _with_result(row: Row, found: Sequence[Row]) -> Row:
    """A trial that tries what another one does, with the result of that one."""
    if not row.same_as:
        return row
    twin = found[row.same_as - 1]
    if twin.state not in DONE:
        return row
    return replace(twin, number=row.number, same_as=row.same_as, losses=row.losses)


def ranked(found: Sequence[Row], maximize: bool) -> list[Row]:
    """The trials in order of what they reached: finished ones first, then pruned, then others."""
    order = ("finished", "pruned", "running", "stopped", "waiting", "failed")

    def place(row: Row) -> tuple[int, float]:
        value = math.inf if row.value is None else -row.value if maximize else row.value
        return order.index(row.state), value

    return sorted(found, key=place)


def best(found: Sequence[Row], maximize: bool) -> Row | None:
    """The best finished trial, if there is one; of those that are equal, the first."""
    first = next(iter(ranked(found, maximize)), None)
    return first if first is not None and first.state == "finished" else None


def to_csv(found: Sequence[Row], space: Space, monitor: str) -> str:
    """The table as CSV, for other programs."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    paths = [each.path for each in space]
    writer.writerow(["trial", "state", *paths, monitor, "deviation", "epochs", "seconds", "runs"])
    for row in found:
        figures = ("" if value is None else repr(value) for value in (row.value, row.deviation))
        writer.writerow([
            row.number, row.state, *(row.values.get(path, "") for path in paths), *figures,
            row.epoch, round(row.seconds, 1), " ".join(row.runs),
        ])  # fmt: skip
    return file.getvalue()


def _meant(value: Value) -> Any:
    return plain(read(text_source(value, "value"))) if isinstance(value, str) else value
