"""`cnnctl runs`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cnnctl.cli.options import Json
from cnnctl.cli.output import say


def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where to look, also in folders below.")
    ] = Path("runs"),
    best: Annotated[
        str | None,
        typer.Option(
            "--best", metavar="FIGURE", help="Sort by a figure, the best first: val_accuracy."
        ),
    ] = None,
    mode: Annotated[
        Literal["max", "min"] | None,
        typer.Option(
            "--mode", help="Whether --best is better higher or lower, where Keras does not say."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List runs with their figures: those of the best epoch, and of the test set."""
    from cnnctl.cli.output import print_json, table
    from cnnctl.errors import UsageError
    from cnnctl.reports.overview import entries
    from cnnctl.specs.metrics import is_one_of_several

    if mode is not None and best is None:
        raise UsageError("--mode is for --best", hint=f"--best METRIC --mode {mode}")
    found = entries(folder, best, mode)
    if json:
        print_json([each.to_dict() for each in found])
        return
    if not found:
        say(f"no run in {folder}: cnnctl train SPEC makes one")
        return
    figures = list(dict.fromkeys(name for each in found for name in each.figures))
    figures += list(dict.fromkeys(f"test_{name}" for each in found for name in each.test))
    figures = [name for name in figures if not is_one_of_several(name)]  # `compare` has them
    if best is not None:
        figures = [best, *(name for name in figures if name != best)]
    rows = []
    for each in found:
        values = [each.figure(name) for name in figures]
        done = f"{each.epochs}/{each.planned}" if each.planned else str(each.epochs)
        rows.append([
            each.path, each.status, done, "–" if each.best_epoch is None else str(each.best_epoch),
            f"{each.seconds:,.0f} s", *("–" if v is None else f"{v:.4f}" for v in values),
        ])  # fmt: skip
    head = ["run", "status", "epochs", "best", "time", *figures]
    table(None, head, rows, right=len(head) - 2)
