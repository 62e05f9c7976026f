"""Tables in GitHub's Markdown, aligned so that the text itself reads as a table too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnnctl.cli.output import say
from cnnctl.io.printable import printable


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]], right: int = 1) -> None:
    """Print a table whose last `right` columns are numbers."""
    from rich.cells import cell_len

    cells = [[escaped(cell) for cell in row] for row in (columns, *rows)]
    first = len(columns) - right
    sizes = [max(3, *(cell_len(row[index]) for row in cells)) for index in range(len(columns))]
    ruler = ["-" * size if i < first else "-" * (size - 1) + ":" for i, size in enumerate(sizes)]
    for row in (cells[0], ruler, *cells[1:]):
        blanks = [" " * (size - cell_len(cell)) for cell, size in zip(row, sizes, strict=True)]
        padded = [
            cell + blank if index < first else blank + cell
            for index, (cell, blank) in enumerate(zip(row, blanks, strict=True))
        ]
        say(f"| {' | '.join(padded)} |")


def markdown_paragraph(text: str) -> None:
    """Print a text; Markdown folds it."""
    say(escaped(text))


def escaped(text: str) -> str:
    """Text on one line that Markdown shows as it is, in a table too."""
    text = printable(" ".join(text.replace("-\n", "-").split()))
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    # An underscore within a word is no markup.
    return re.sub(r"[\\|*`~\[\]]|(?<![^\W_])_|_(?![^\W_])", lambda found: f"\\{found[0]}", text)
