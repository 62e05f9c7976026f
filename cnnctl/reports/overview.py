"""All runs at a glance.

Reads text and JSON alone, and never starts Keras.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import CnnctlError, UsageError, listed
from cnnctl.io.notes import note
from cnnctl.io.path_kinds import WORDS, is_broken_run, is_run, repair
from cnnctl.io.untrusted import read_plain
from cnnctl.runs.find import RUNS_DIR
from cnnctl.runs.run import Run
from cnnctl.specs.metrics import Mode, metric_of, mode_in_text
from cnnctl.specs.source import MAX_BYTES


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
    found = [each for run in runs_below(folder) if (each := _readable(run)) is not None]
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
        test={key: float(value) for key, value in run.evaluation().get("figures", {}).items()},
        seed=seed,
        data=fingerprint if isinstance(fingerprint, str) else None,
    )  # fmt: skip


def runs_below(folder: Path) -> Iterator[Run]:
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
