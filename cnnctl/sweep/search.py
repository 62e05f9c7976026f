"""A sweep from its command to its figures: settle what it is, start workers, watch, sum up."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnnctl import plugins
from cnnctl.compute.plan import threads_each
from cnnctl.errors import RunError, UsageError
from cnnctl.io.atomic import write_json, write_text
from cnnctl.io.untrusted import parse_json, read_plain
from cnnctl.runs.run import Run
from cnnctl.specs.schema_errors import name_of
from cnnctl.sweep import storage
from cnnctl.sweep.definition import Definition
from cnnctl.sweep.importance import importance
from cnnctl.sweep.outcome import Outcome, Start, Watcher
from cnnctl.sweep.processes import Workers
from cnnctl.sweep.request import Request, Task
from cnnctl.sweep.study import open_trials, settle
from cnnctl.sweep.sweep_folder import SWEEPS, SweepFolder
from cnnctl.sweep.table import DONE, Row, best, ranked, rows, to_csv
from cnnctl.sweep.trials import Trials

LOOK = 0.5
"""Seconds between two looks at the study while the workers train."""

DEFINITION = "definition.json"
"""What a sweep is, in its folder, for people and for who comes with another storage."""


def sweep(request: Request, watcher: Watcher | None = None) -> Outcome:
    """Train the trials of a sweep that are not finished, and sum up all of them.

    Args:
        request: What the user asks for.
        watcher: Is told how it goes.

    Returns:
        The trials and what they tell. After SIGINT or SIGTERM with `stopped` set.

    Raises:
        UsageError: Optuna is not installed, nothing is varied, or the sweep of this name is
            another one.
        SpecError: The spec, a value or the file of ranges has faults.
        CnnctlError: No trial can be trained: data is missing, the disk is full.
    """
    storage.require()
    definition, _ = settle(request)
    name = request.name or str(definition.tree["name"])
    if name_of(name) != name:
        raise UsageError(f"no sweep can be called {name!r}", hint=f"--name {name_of(name)}")
    folder = SweepFolder(request.runs_dir / SWEEPS / name)
    storage.file_of(request.storage, folder)
    folder.make()
    _refuse_another_storage(request.storage, name, folder)
    trials = open_trials(definition, name, request.storage, folder, request.trials)
    told = {"storage": _named(request.storage)}
    write_json(folder.path / DEFINITION, {**definition.to_dict(), **told})
    now = _rows(trials)
    workers = min(request.workers, sum(row.state not in DONE for row in now))
    if watcher:
        threads = threads_each(workers or 1)
        watcher.started(Start(name, definition, folder.path, workers, threads, now))
    stopped = None
    if workers:
        settled = replace(
            request,
            name=name,
            method=definition.method,
            prune=definition.prune,
            monitor=definition.monitor,
            trials=None,
        )
        files = [str(each.files[0]) for each in plugins.loaded() if not each.distribution]
        task = Task(settled, files, definition.to_dict())
        with storage.answering(request.storage, folder):
            stopped = _watch(Workers(task, workers, folder.path), trials, watcher)
    after = _rows(trials)
    finished = {row.number for row in now if row.state in DONE}
    written, left_out = _write_figures(after, definition, folder, name)
    return Outcome(
        name=name,
        definition=definition,
        folder=folder.path,
        rows=ranked(after, definition.maximize),
        best=best(after, definition.maximize),
        importance=importance(trials.study, definition.space),
        files=written,
        left_out=left_out,
        stopped=stopped,
        trained=sum(row.state in DONE and row.number not in finished for row in after),
        data=_data(after, request.runs_dir),
    )


def _refuse_another_storage(url: str | None, name: str, folder: SweepFolder) -> None:
    """Refuse to begin a sweep anew whose trials are in another storage.

    Raises:
        UsageError: They are.
    """
    path = folder.path / DEFINITION
    if not path.exists():
        return
    try:
        known = parse_json(read_plain(path, 1 << 24))
    except ValueError:  # damaged: it is written anew
        return
    there = known.get("storage", ...) if isinstance(known, dict) else ...
    if there is not ... and there != _named(url):
        where = f"--storage {there}" if there else "the file in its folder, without --storage"
        raise UsageError(
            f"the trials of the sweep {name} are in another storage: {where}",
            hint="use that one, or --name another sweep",
        )


def _named(url: str | None) -> str | None:
    """A storage by a name that stays: a file by its whole path, a database without a password."""
    if url is None or "://" in url:
        return url and re.sub(r"(?<=://)[^/@\s]+@", "", url)
    return str(Path(url).absolute())


def _watch(workers: Workers, trials: Trials, watcher: Watcher | None) -> int | None:
    """Look at the study while the workers train; the signal that ended it, if one did.

    Raises:
        CnnctlError: A worker says that no trial can be trained, or all of them were lost.
    """
    said = 0
    with workers.working():
        while workers.check():
            time.sleep(LOOK)
            if watcher:
                for text in workers.lost[said:]:
                    watcher.said(text)
                said = len(workers.lost)
                watcher.changed(_rows(trials))
    if watcher:
        watcher.changed(_rows(trials))
    if workers.signalled is None and trials.are_open():
        raise RunError(
            "every worker has ended, and trials are left: " + "; ".join(workers.lost),
            hint=f"the same command goes on with them; {workers.folder}/worker-1.log says more",
        )
    return workers.signalled


def _rows(trials: Trials) -> list[Row]:
    definition = trials.definition
    planned = definition.epochs * definition.seeds
    return rows(trials.all(), trials.count, definition.space, planned, trials.points)


def _data(found: Sequence[Row], runs_dir: Path) -> str | None:
    """The name of the data of the first run that is here."""
    for path in (run for row in found for run in row.runs):
        name = Run(runs_dir / path).environment().get("data", {}).get("name")
        if isinstance(name, str):
            return name
    return None


def _write_figures(
    found: Sequence[Row], definition: Definition, folder: SweepFolder, name: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Write the table and the figures of a sweep; where they are, and what was not drawn."""
    from cnnctl.plots.style import save
    from cnnctl.sweep.trial_plots import parallel_coordinates, slices

    table = folder.path / "trials.csv"
    write_text(table, to_csv(found, definition.space, definition.monitor))
    files, left_out = {"table": str(table)}, {}
    title = f"sweep {name}"
    for kind, draw in (("parallel_coordinates", parallel_coordinates), ("slice", slices)):
        try:
            made = draw(
                found, definition.space, definition.monitor, definition.maximize, title=title
            )
        except UsageError as error:
            left_out[kind] = error.message
            continue
        path = folder.path / f"{kind}.png"
        save(made, path)
        files[kind] = str(path)
    return files, left_out
