"""`cnnctl reproduce RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import DataDir, Device, FullData, Json, Plugin
from cnnctl.cli.output import remark, say

if TYPE_CHECKING:
    from cnnctl.training.reproduce import Reproduction


def reproduce(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            autocompletion=completing.runs,
            help="A run folder, or runs/NAME: the newest of it.",
        ),
    ],
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="How many epochs to compare; all of them.")
    ] = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Train a run again from its own spec, and say the first epoch at which a figure differs.

    Nothing is kept of it. Exit code 0 where everything is the same, 1 where something differs.
    """
    from cnnctl.cli.output import print_json
    from cnnctl.cli.progress import observer
    from cnnctl.training.reproduce import reproduce as run_reproduction

    with observer() as shown:
        result = run_reproduction(
            run,
            epochs=epochs,
            data_dir=data_dir,
            full_data=full_data,
            device=device,
            observers=[shown],
        )
    said = shown.facts.notes if shown.facts else ()
    for note in result.notes:
        if note not in said:
            remark(f"note: {note}")
    if json:
        print_json(result.to_dict())
    else:
        say(_words(result))
    if result.stopped:
        raise typer.Exit(128 + result.stopped)
    if not result.same:
        raise typer.Exit(1)


def _words(result: Reproduction) -> str:
    if result.difference is not None:
        first = result.difference
        return (
            f"{result.run}: {first.figure} differs first in epoch {first.epoch}: "
            f"{first.before!r} in the run, {first.now!r} now"
        )
    epochs = f"{result.epochs} epoch{'s' * (result.epochs != 1)}"
    if result.weights is None:
        why = "; stopped by a signal" if result.stopped else "; the weights were not compared"
        return f"{result.run}: every figure of {epochs} is the same{why}"
    bits = "the same bits" if result.weights else "other bits"
    return f"{result.run}: every figure of {epochs} is the same, and the last weights have {bits}"
