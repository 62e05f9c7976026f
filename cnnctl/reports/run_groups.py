"""Several runs side by side: what differs in their specs and in their metrics.

Reads text and JSON alone, and never starts Keras.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnctl.errors import CnnctlError, UsageError
from cnnctl.io.notes import note
from cnnctl.io.path_kinds import is_broken_run, is_run
from cnnctl.reports.overview import Entry, entry, runs_below
from cnnctl.runs.find import find_run
from cnnctl.runs.run import Run
from cnnctl.specs import Spec
from cnnctl.specs.difference import Difference, differences
from cnnctl.specs.nodes import plain

_SAME = ("name", "description", "seed")
"""What runs of one group may differ in."""


@dataclass(frozen=True)
class Spread:
    """A figure over the runs of a group.

    Args:
        mean: Of the runs that have it.
        deviation: Sample standard deviation; None for a single run.
        count: How many have it.
    """

    mean: float
    deviation: float | None
    count: int


@dataclass(frozen=True)
class Group:
    """Runs of the same data whose specs are the same but for the seed.

    Args:
        runs: The finished runs, one of each seed; without any, the last one alone.
        left_out: The others: unfinished ones, and earlier ones of a seed that counts already.
        changes: What distinguishes its spec from the first group's.
        figures: Of `runs`, by name: those of the best epochs, `test_…` of the test sets.
    """

    runs: tuple[Entry, ...]
    left_out: tuple[Entry, ...]
    changes: tuple[Difference, ...]
    figures: dict[str, Spread]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "runs": [each.to_dict() for each in self.runs],
            "left_out": [each.to_dict() for each in self.left_out],
            "changes": [each.to_dict() for each in self.changes],
            "figures": {name: asdict(spread) for name, spread in self.figures.items()},
        }


def compare(sources: Sequence[Path]) -> list[Group]:
    """Set runs side by side; those of the same data that differ in the seed alone are taken
    together, each seed once.

    Args:
        sources: Run folders, or folders with runs below them. Of the finished runs of a seed the
            last one counts: folders number theirs in the order of time. One below a folder that
            cannot be read is left out, with a note.

    Raises:
        UsageError: One is neither, or none can be read.
        SpecError: The spec of a run that is named has errors.
    """
    from cnnctl.preflight import check_run

    found: dict[tuple[str, str | None], tuple[Spec, list[Entry]]] = {}
    for run, is_named in _meant(sources):
        try:
            spec, each = check_run(run).spec, entry(run)
        except (CnnctlError, OSError) as error:
            if is_named:
                raise
            note(f"{run} is left out: {error}")
            continue
        tree = {key: value for key, value in plain(spec.tree).items() if key not in _SAME}
        key = (json.dumps(tree, sort_keys=True), each.data)
        found.setdefault(key, (spec, []))[1].append(each)
    if not found:
        raise UsageError("none of the runs can be read", hint="see the notes above")
    first = next(iter(found.values()))[0]
    return [
        _group(members, [each for each in differences(first, spec) if each.path not in _SAME])
        for spec, members in found.values()
    ]


def _meant(sources: Sequence[Path]) -> Iterator[tuple[Run, bool]]:
    """Each run that is named, or is below a folder that is, once; and whether it is named."""
    found: dict[Run, bool] = {}
    for source in sources:
        below: list[Run] = []
        if source.is_dir() and not (is_run(source) or is_broken_run(source)):
            below = list(runs_below(source))
        if below:
            found.update((run, found.get(run, False)) for run in below)
        else:
            found[find_run(source)] = True
    yield from found.items()


def _group(members: list[Entry], changes: list[Difference]) -> Group:
    of_seed = {each.seed: each for each in members if each.status == "finished"}
    counted = list(of_seed.values()) or members[-1:]
    names = dict.fromkeys(name for each in counted for name in each.figures)
    names |= dict.fromkeys(f"test_{name}" for each in counted for name in each.test)
    figures = {}
    for name in names:
        values = [value for each in counted if (value := each.figure(name)) is not None]
        deviation = statistics.stdev(values) if len(values) > 1 else None
        figures[name] = Spread(statistics.fmean(values), deviation, len(values))
    left_out = tuple(each for each in members if each not in counted)
    return Group(tuple(counted), left_out, tuple(changes), figures)
