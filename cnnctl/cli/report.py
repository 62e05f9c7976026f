"""`cnnctl report RUN…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import DataDir, Device, FullData, Json, Plugin
from cnnctl.cli.output import say
from cnnctl.io.printable import printable, unescaped


def report(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            autocompletion=completing.runs,
            help="A run folder; several are compared.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The page; RUN/report.html, or comparison.html."
        ),
    ] = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Write one HTML file about a run: figures, curves, mistakes, filters, environment.

    Everything is in the file: it needs no network and can be sent as it is.
    """
    from cnnctl.cli.output import print_json
    from cnnctl.errors import UsageError
    from cnnctl.io.atomic import write_text
    from cnnctl.reports.report import report as make
    from cnnctl.runs.find import find_run

    found = [find_run(source) for source in sources]
    path = out or (found[0].path / "report.html" if len(found) == 1 else Path("comparison.html"))
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")
    shows, terminal = sys.stderr.isatty(), unescaped(sys.stderr)

    def tell(part: str) -> None:
        if shows:
            terminal.write(f"\r\x1b[K{printable(part)} …")
            terminal.flush()

    text = make([run.path for run in found], data_dir=data_dir, full_data=full_data, device=device,
                tell=tell)  # fmt: skip
    if shows:
        terminal.write("\r\x1b[K")
        terminal.flush()
    write_text(path, text, elsewhere="choose another place with --out")
    if json:
        print_json({"runs": [str(run) for run in found], "report": str(path)})
        return
    say(f"{path}: {len(text.encode()) / 1e6:.1f} MB, for any browser")
