"""Make the next run folder, and find the run that a path means."""

from __future__ import annotations

import re
from pathlib import Path

from cnnctl.errors import UsageError
from cnnctl.io.arguments import AnyPath, as_path
from cnnctl.io.atomic import cannot_write
from cnnctl.io.path_kinds import is_run, refuse_other
from cnnctl.runs.checkpoint import MANIFEST
from cnnctl.runs.run import Run

RUNS_DIR = Path("runs")
_NUMBER = re.compile(r"\d{3,}")


def create_run(name: str, runs_dir: AnyPath = RUNS_DIR) -> Run:
    """Make the next free run folder of a spec: runs/NAME/001, 002, ….

    Two processes that ask at once get two numbers: making a folder is atomic.

    Raises:
        RunError: The folder cannot be made.
    """
    parent = as_path(runs_dir, "runs_dir") / name
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.name) for p in parent.iterdir() if _NUMBER.fullmatch(p.name)),
                         default=0)  # fmt: skip
        while True:
            path = parent / f"{number:03d}"
            try:
                path.mkdir()
                break
            except FileExistsError:
                number += 1
        (path / "checkpoints").mkdir()
        (path / "sources").mkdir()
    except OSError as error:
        raise cannot_write(parent, error) from error
    return Run(path)


def find_run(path: AnyPath) -> Run:
    """The run at a path: the folder itself, or `runs/NAME`, of which the newest run with a best
    checkpoint is meant (the newest, if none has one).

    Raises:
        UsageError: It is no run folder.
    """
    path = as_path(path, "run")
    if not path.exists():
        raise UsageError(f"no such run: {path}", hint=_existing(path))
    if is_run(path):
        return Run(path)
    if path.is_dir():
        numbered = [p for p in path.iterdir() if _NUMBER.fullmatch(p.name) and p.is_dir()]
        numbered.sort(key=lambda p: int(p.name))
        with_best = [p for p in numbered if (p / "checkpoints/best" / MANIFEST).exists()]
        if numbered:
            return find_run((with_best or numbered)[-1])
    refuse_other(path, "run folder")
    raise UsageError(
        f"not a run folder: {path}",
        hint="a run folder has a spec.yaml and checkpoints/, such as runs/mnist/001",
    )


def newest_run(path: AnyPath) -> Run:
    """The run at a path: the folder itself, or `runs/NAME`, of which the newest is meant.

    Raises:
        UsageError: It is no run folder.
    """
    path = as_path(path, "run")
    if path.is_dir() and not (path / "spec.yaml").is_file():
        numbered = [p for p in path.iterdir() if _NUMBER.fullmatch(p.name)]
        begun = ("environment.json", "metrics.jsonl")  # either may be lost
        started = [p for p in numbered if any((p / each).is_file() for each in begun)]
        if started:
            return find_run(max(started, key=lambda p: int(p.name)))
    return find_run(path)


def spec_path(path: AnyPath) -> Path:
    """The spec that a path means: the file itself, or that of the run.

    Raises:
        UsageError: It is a folder, and no run.
    """
    path = as_path(path, "run")
    return find_run(path).spec_path if path.is_dir() else path


def _existing(path: Path) -> str | None:
    """The runs that are there instead."""
    from cnnctl.catalog import shipped  # with the catalog: 10 ms, and only a mistake needs it

    if path.as_posix() in shipped.names():
        own = RUNS_DIR / path
        return (
            f"{path} is a shipped spec, and its runs are in {own}"
            if own.is_dir()
            else f"{path} is a shipped spec: train it first, cnnctl train {path}; then name its run"
        )
    for parent in (path.parent, path.parent.parent):
        if parent.is_dir():
            found = sorted(
                p for p in parent.glob("**/spec.yaml") if (p.parent / "checkpoints").is_dir()
            )
            if found and len(found) <= 200:
                return "there are: " + ", ".join(str(p.parent) for p in found[-5:])
    return None
