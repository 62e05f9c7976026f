"""What a training left, in words or as JSON."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cnnctl.cli.output import print_json, say, say_sample, table
from cnnctl.cli.progress import NOT_FIGURES
from cnnctl.io.printable import shell
from cnnctl.plugins import loaded
from cnnctl.specs.metrics import in_short

if TYPE_CHECKING:
    from cnnctl.training.results import TrainingResult


def end_with(result: TrainingResult, *, json: bool) -> None:
    """Show what a training left; one that a signal stopped ends the command as the signal would.

    Raises:
        typer.Exit: It was stopped.
    """
    _show(result, json=json)
    if result.stopped:
        raise typer.Exit(128 + result.stopped)


def _show(result: TrainingResult, *, json: bool) -> None:
    """Where the run is, its best epoch, the test figures, and the next command.

    Nothing of a process that trained with another: that one says it all.
    """
    if result.run is None:
        return
    evaluation = result.evaluation
    if json:
        print_json(
            {
                "run": str(result.run),
                "epochs": len(result.history),
                "best_epoch": result.best_epoch,
                "stopped": result.stopped is not None,
                "unchanged": result.unchanged,
                "notes": list(result.notes),
                "history": result.history,
                "evaluation": evaluation.to_dict() if evaluation else None,
            }
        )
        return
    if result.stopped is not None:
        epochs = len(result.history)
        some = "1 finished epoch is kept" if epochs == 1 else f"{epochs} finished epochs are kept"
        kept = some if epochs else "no epoch was finished"
        say(f"stopped by a signal: {kept} in {result.run}")
        say(f"go on with: cnnctl resume {shell(result.run, *_flags())}")
    elif result.unchanged:
        say(f"{result.run} is finished: nothing was changed (--epochs gives it more epochs)")
    else:
        say(f"run: {result.run}")
    row = next((row for row in result.history if row["epoch"] == result.best_epoch), None)
    if row is not None:
        figures = ", ".join(in_short({k: row[k] for k in row if k not in NOT_FIGURES}))
        say(f"best epoch: {result.best_epoch} of {len(result.history)} ({figures})")
    if evaluation:
        rows = [[key, f"{value:.4f}"] for key, value in evaluation.figures.items()]
        table(
            f"test, {evaluation.images:,} images of {evaluation.data}, epoch {result.best_epoch}",
            ["figure", "value"],
            rows,
        )
        say_sample(evaluation.data)
    if evaluation:
        say(f"next: cnnctl evaluate {shell(result.run, *_flags())}")


def _flags() -> list[object]:
    """The flags that the next command needs as this one did: those of plug-ins that are files."""
    paths = [str(each.files[0]) for each in loaded() if not each.distribution]
    paths = [min(path, os.path.relpath(path), key=len) for path in paths]
    return [word for path in paths for word in ("--plugin", Path(path))]
