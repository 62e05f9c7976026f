"""Results on standard output: tables for people, JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

SAMPLE_MARK = "sample)"


def print_json(value: Any) -> None:
    """Print one JSON document."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    print()


def table(
    title: str | None, columns: Sequence[str], rows: Sequence[Sequence[str]], right: int = 1
) -> None:
    """Print a table whose last `right` columns are numbers.

    Without a terminal the lines are as wide as they need to be, so that nothing is cut off.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD)
    for index, column in enumerate(columns):
        is_number = index >= len(columns) - right
        shown.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    if title:
        console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(shown)


def say_sample(name: str) -> None:
    """A panel on standard error where figures come from the small sample of MNIST."""
    if not name.endswith(SAMPLE_MARK):
        return
    from rich.console import Console
    from rich.panel import Panel

    text = (
        f"[bold]These figures are of {name}, not of the complete MNIST.[/bold]\n"
        "The data set was not found here and there is no network to fetch it.\n"
        "`cnnctl data fetch mnist` gets it; --full-data refuses the sample."
    )
    Console(stderr=True).print(Panel(text, title="SAMPLE DATA", style="yellow", expand=False))
