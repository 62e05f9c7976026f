"""What all figures have in common: colours, sizes, and how they become files.

Colours are those of Okabe and Ito 2008 ("Color universal design"), which people with any kind of
colour vision can tell apart; no figure says by colour alone what it says.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import UsageError
from cnnctl.io.atomic import replacing
from cnnctl.io.printable import printable, printable_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE = "#0072B2"
RED = "#D55E00"
GREEN = "#009E73"
ORANGE = "#E69F00"
SKY = "#56B4E9"
PURPLE = "#CC79A7"
GREY = "#767676"
CYCLE = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY)
SUFFIXES = (".png", ".svg")
_LETTER = 0.092
_LINE = 0.19
"""Inches of a letter, and of a line, of a title."""
DPI = 120
"""Pixels per inch of a PNG file."""

_LOOK = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "figure.facecolor": "white",
    "figure.titlesize": 12,
    "font.size": 9,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "cnnctl",
    # Names come from folders and files, where `$` is a letter like any other.
    "text.parse_math": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


def look() -> Any:
    """The settings of every figure, for `with look():`; the caller's own are as before after it."""
    import matplotlib
    from cycler import cycler

    return matplotlib.rc_context({**_LOOK, "axes.prop_cycle": cycler(color=list(CYCLE))})


def logarithmic(axis: Any) -> None:
    """Make the height of an axis logarithmic, with ticks in plain text: they are TeX by default."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        """Says the same ticks as its parent, with all their digits."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(Plain())
    axis.yaxis.set_minor_formatter(Plain())


def figure(width: float, height: float, title: str = "") -> Figure:
    """An empty figure of a size in inches, which belongs to no window. Call it within `look()`.

    Args:
        width, height: Without the further lines of a title that is folded.
        title: Of the whole.
    """
    from matplotlib.figure import Figure

    room = max(int((width - 0.2) / _LETTER), 12)
    lines = [part for line in title.split("\n") for part in textwrap.wrap(line, room) or [""]]
    height += _LINE * (len(lines) - 1)
    made = Figure(figsize=(width, height), layout="constrained")
    if title:
        made.suptitle("\n".join(lines))
    return made


def check_suffix(path: Path) -> None:
    """Look whether a figure can be written to a file of this name.

    Raises:
        UsageError: It is neither .png nor .svg, or its folder is not there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a picture is written as {' or '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")


def save(made: Figure, path: Path) -> None:
    """Write a figure as PNG or SVG, whole or not at all; the same figure gives the same bytes.

    Raises:
        UsageError: The suffix is neither .png nor .svg.
        RunError: It cannot be written.
    """
    check_suffix(path)
    content = to_bytes(made, path.suffix.lower()[1:])
    with replacing(path, elsewhere="choose another place") as partial:
        partial.write_bytes(content)


def to_bytes(made: Figure, form: str) -> bytes:
    """The file of a figure, without the time at which it was made.

    Args:
        made: The figure.
        form: `png` or `svg`.
    """
    from matplotlib.text import Text

    for text in made.findobj(Text):  # an SVG may not even hold a control character
        text.set_text(printable_lines(text.get_text()))
    file = io.BytesIO()
    metadata = {"svg": {"Date": None}, "png": {"Software": None}}[form]
    with look():
        made.savefig(file, format=form, dpi=DPI, metadata=metadata)
    return file.getvalue()


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, the last of which then is `…`."""
    text = printable(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def every(labels: Sequence[str], most: int) -> tuple[list[int], list[str]]:
    """So many of the labels that at most `most` remain, evenly spaced, and where they stand."""
    step = -(-len(labels) // most)
    places = list(range(0, len(labels), step))
    return places, [printable(labels[place]) for place in places]
