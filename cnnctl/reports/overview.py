"""All runs at a glance, and several side by side: what differs in their specs and in their figures.

Reads text and JSON alone, and never starts Keras.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import CnnctlError, UsageError, listed
from cnnctl.io.notes import note
from cnnctl.io.path_kinds import WORDS, is_broken_run, is_run, repair
from cnnctl.io.untrusted import read_plain
from cnnctl.runs.find import RUNS_DIR, find_run
from cnnctl.runs.run import Run
from cnnctl.specs import Spec
from cnnctl.specs.difference import Difference, differences
from cnnctl.specs.metrics import Mode, metric_of, mode_in_text
from cnnctl.specs.nodes import plain
from cnnctl.specs.source import MAX_BYTES

_SAME = ("name", "description", "seed")
"""What runs of one group may differ in."""


@dataclass(frozen=True)
class Entry:
    """One run.

    Args:
        path: Its folder.
        status: finished, stopped, failed, running, or `killed`: it says that it runs, and no
            process does.
        epochs: How many are done.
        planned: How many it is to have.
        best_epoch: The best one, by what the run watches.
        seconds: Of all epochs together.
        figures: Of the best epoch: loss and metrics, `val_…` where images are held out.
        test: Loss and metrics on the test set.
        seed: The spec's.
        data: The fingerprint of the data; None where it is not recorded.
    """

    path: str
    status: str
    epochs: int
    planned: int | None
    best_epoch: int | None
    seconds: float
    figures: dict[str, float]
    test: dict[str, float]
    seed: int | None
    data: str | None

    def figure(self, name: str) -> float | None:
        """A figure by name: `val_accuracy` of the best epoch, `test_accuracy` of the test set."""
        if name.startswith("test_"):
            return self.test.get(name.removeprefix("test_"))
        return self.figures.get(name)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def entries(
    folder: Path = RUNS_DIR, best: str | None = None, mode: Mode | None = None
) -> list[Entry]:
    """The runs below a folder, in order of their paths.

    Args:
        folder: Where to look.
        best: A metric by which they are sorted instead, the best first. Runs without it come last.
        mode: Whether its larger (`max`) or smaller (`min`) values are the better ones; by default
            what Keras says of the metric of that name in the runs' specs.

    Raises:
        UsageError: There is no such folder, no run has the metric, or it is not known which of its
            values are the better ones.
    """
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}", hint="cnnctl train SPEC makes the first run"
        )
    found = [each for run in _below(folder) if (each := _readable(run)) is not None]
    if best is None:
        return found
    if not any(each.figure(best) is not None for each in found):
        names = sorted({name for each in found for name in each.figures}
                       | {f"test_{name}" for each in found for name in each.test})  # fmt: skip
        close = next((name for name in names if metric_of(name) == best), nearest(best, names))
        hint = f"did you mean `{close}`? " if close else ""
        raise UsageError(
            f"no run has a figure `{best}`",
            hint=f"{hint}there are {listed(names)}" if names else None,
        )
    with_it = [each for each in found if each.figure(best) is not None]
    sign = -1 if (mode or _mode(with_it, best)) == "max" else 1

    def place(each: Entry) -> float:
        value = each.figure(best)
        return math.inf if value is None else sign * value

    return sorted(found, key=place)


def _mode(found: Sequence[Entry], name: str) -> Mode:
    """Which values of a metric are the better ones, by the specs of the runs that have it.

    Raises:
        UsageError: None of them says so, or they disagree.
    """
    known: dict[Mode, str] = {}
    for each in found:
        try:
            text = read_plain(Run(Path(each.path)).spec_path, MAX_BYTES).decode("utf-8")
        except (OSError, ValueError):  # no text: the other runs may tell
            continue
        if mode := mode_in_text(text, name):
            known.setdefault(mode, each.path)
    if len(known) == 1:
        return next(iter(known))
    if known:
        message = f"`{name}` is better higher in {known['max']} and lower in {known['min']}"
    else:
        message = f"Keras does not say whether `{name}` is better higher or lower"
    raise UsageError(message, hint="say which: --mode max, or --mode min")


def _readable(run: Run) -> Entry | None:
    """What the files of a run say; None, with a note, of one that cannot be read: it does not hide
    the others."""
    try:
        return entry(run)
    except (CnnctlError, OSError) as error:
        note(f"{run} is left out: {error}")
        return None


def entry(run: Run) -> Entry:
    """What the files of a run say of it."""
    state, environment = run.state(), run.environment()
    for name, what in (
        ("state.json", "status and best epoch"),
        ("environment.json", "seed and data"),
    ):
        if not (run.path / name).exists():
            note(f"{run.path / name} is missing: the run's {what} are not known")
    rows = run.history(state)
    best = state.get("best_epoch")
    row = next((each for each in rows if each["epoch"] == best), rows[-1] if rows else {})
    skip = {"epoch", "seconds", "images_per_second", "learning_rate"}
    status = str(state.get("status", "unknown"))
    if status == "running" and not _lives(state.get("pid")):
        status = "killed"
    seed, data = environment.get("seed"), environment.get("data", {})
    fingerprint = data.get("fingerprint")
    return Entry(
        path=str(run.path),
        status=status,
        epochs=len(rows),
        planned=state.get("planned"),
        best_epoch=best,
        seconds=math.fsum(each.get("seconds", 0.0) for each in rows),
        figures={key: float(value) for key, value in row.items() if key not in skip},
        test={key: float(value) for key, value in _test(run).items()},
        seed=seed,
        data=fingerprint if isinstance(fingerprint, str) else None,
    )  # fmt: skip


def _below(folder: Path) -> Iterator[Run]:
    """Every run folder below one, without looking into runs; one without a spec is noted."""
    for name, folders, _ in os.walk(folder):
        folders.sort()
        path = Path(name)
        if is_run(path):
            folders.clear()
            yield Run(path)
        elif is_broken_run(path):
            folders.clear()
            note(f"{path} is left out: it is {WORDS['broken run']}; {repair(path)}")


def _lives(pid: int | None) -> bool:
    """Whether a process of that number runs on this machine."""
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _test(run: Run) -> dict[str, Any]:
    return dict(run.evaluation().get("figures", {}))


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
        SpecError: The spec of a run that is named has faults.
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
            below = list(_below(source))
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
