"""Tables that fit the terminal: texts are folded between words, and nothing is cut off."""

from __future__ import annotations

from collections.abc import Sequence

from cnnctl.cli.terminal import show, width
from cnnctl.io.printable import printable, printable_lines

GAP = 2
"""Spaces between the columns of a table."""


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]], right: int = 1) -> None:
    """Print a table whose last `right` columns are numbers.

    Texts are folded where there is not room enough. Columns that do not fit even so are shown in a
    second table below, beside the first column again.
    """
    # A head may have two lines; what a file holds is in the rows, and stays in its own.
    cells = [list(map(printable_lines, columns)), *(list(map(printable, row)) for row in rows)]
    every = range(len(columns))
    first = len(columns) - right
    most = [_longest(cells, index) for index in every]
    least = [
        _longest(cells, index, words=True) if 0 < index < first else most[index] for index in every
    ]
    blocks = [[0]]
    for index in every[1:]:
        if _total([least[each] for each in (*blocks[-1], index)]) > width() and blocks[-1] != [0]:
            blocks.append([0])
        blocks[-1].append(index)
    for number, block in enumerate(blocks):
        if number:
            show("")
        _print_block(
            [[row[index] for index in block] for row in cells],
            [index >= first for index in block],
            _widths([most[index] for index in block], [least[index] for index in block]),
        )


def _longest(cells: Sequence[Sequence[str]], index: int, *, words: bool = False) -> int:
    """The width of the longest line of a column, or of its longest word."""
    from rich.cells import cell_len

    texts = [row[index] for row in cells]
    pieces = [piece for text in texts for piece in (text.split() if words else text.split("\n"))]
    return max(map(cell_len, pieces), default=0)


def _total(widths: Sequence[int]) -> int:
    """The width of a table."""
    return sum(widths) + GAP * (len(widths) - 1)


def _widths(most: Sequence[int], least: Sequence[int]) -> Sequence[int | None]:
    """The columns' widths: where they do not fit, the widest are narrowed down to their words.

    Where even that is too wide, nothing is said, and Rich breaks the words.
    """
    if _total(least) > width():
        return [None] * len(least)
    widths = list(most)
    while _total(widths) > width():
        wide = [index for index, size in enumerate(widths) if size > least[index]]
        widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _print_block(
    cells: Sequence[Sequence[str]], numbers: Sequence[bool], widths: Sequence[int | None]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for column, number, size in zip(cells[0], numbers, widths, strict=True):
        shown.add_column(
            Text(column), justify="right" if number else "left", overflow="fold", width=size
        )
    for row in cells[1:]:
        shown.add_row(*(Text(cell) for cell in row))
    show(shown)
