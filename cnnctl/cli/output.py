"""Results on standard output: text and tables for people, JSON for scripts."""

from __future__ import annotations

import json
import math
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from cnnctl.cli.terminal import show, width
from cnnctl.io.printable import printable, printable_json

SAMPLE_MARK = "sample)"
PROSE_WIDTH = 100
"""No line of prose is longer, however wide the terminal is."""


def say(text: object = "") -> None:
    """Print a line of a result: one line, whatever a name in it holds."""
    print(printable(text))


def remark(text: object) -> None:
    """Print a line on standard error."""
    print(printable(text), file=sys.stderr)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(printable_json(json.dumps(value, indent=2, ensure_ascii=not knows_unicode())))


def knows_unicode() -> bool:
    """Tell whether standard output can show every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf16")


def heading(text: str) -> None:
    """Print a line in bold where that is possible."""
    from rich.text import Text

    show(Text(printable(text), style="bold"))


def paragraph(text: str) -> None:
    """Print a text, folded between its words."""
    hanging("", text)


def hanging(head: str, text: str) -> None:
    """Print a text behind a head, folded so that it stays beside it."""
    room = min(width(), PROSE_WIDTH) - len(head)
    text = printable(" ".join(text.split("\n")))
    first, *rest = textwrap.wrap(text, max(room, 20), break_long_words=False) or [""]
    say(f"{head}{first}".rstrip())
    for line in rest:
        say(" " * len(head) + line)


def aligned(lines: Sequence[tuple[str, str, str]]) -> None:
    """Print labels, figures that end below one another, and remarks."""
    label, figure = (max(len(line[index]) for line in lines) for index in (0, 1))
    for what, value, remark in lines:
        hanging(f"{what.ljust(label)}  {value.rjust(figure)}  ", remark)


def bar(part: float, columns: int = 24) -> str:
    """A bar that is full at 1, in eighths of a column where the output knows such letters."""
    part = min(max(part, 0.0), 1.0)
    if not knows_unicode():
        return "#" * round(part * columns)
    eighths = round(part * columns * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def sparkline(values: Sequence[float], columns: int = 40) -> str:
    """The shape of a curve in one line, from its least value to its greatest.

    Args:
        values: In order; of more than `columns`, each column shows the mean of its part.
        columns: Letters at most.
    """
    finite = [value for value in values if math.isfinite(value)]
    count = min(len(finite), columns)
    parts = [
        finite[len(finite) * index // count : len(finite) * (index + 1) // count]
        for index in range(count)
    ]
    means = [math.fsum(part) / len(part) for part in parts]
    low, high = min(means, default=0.0), max(means, default=0.0)
    span = (high - low) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * (mean - low) / span))] for mean in means)


def table(
    title: str | None, columns: Sequence[str], rows: Sequence[Sequence[str]], right: int = 1
) -> None:
    """Print a title and, between empty lines, a table whose last `right` columns are numbers."""
    from cnnctl.cli.grid import grid

    if title:
        heading(title)
    say()
    grid(columns, rows, right)
    say()


def say_left_out(plugins: Sequence[str]) -> None:
    """A line on standard error for each installed plug-in that fails."""
    for each in plugins:
        remark(f"warning: {each}")


def say_sample(name: str) -> None:
    """A panel on standard error where figures come from the small sample of MNIST."""
    if not name.endswith(SAMPLE_MARK):
        return
    from rich.panel import Panel
    from rich.text import Text

    from cnnctl.cli.console import PlainConsole

    text = Text.assemble(
        (f"These figures are of {printable(name)}, not of the complete MNIST.\n", "bold"),
        "The data set was not found here and there is no network to fetch it.\n"
        "`cnnctl data fetch mnist` gets it; --full-data refuses the sample.",
    )
    panel = Panel(text, title="SAMPLE DATA", style="yellow", expand=False)
    PlainConsole(sys.stderr).print(panel)
