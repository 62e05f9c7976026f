"""The terminal: how wide it is, what Rich prints on it, and what happens if it is closed."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, TextIO

from cnnctl.io.printable import unescaped
from cnnctl.io.signals import HANGUP

PIPE_WIDTH = 200
"""Without a terminal lines are as wide as they need to be, up to this many columns."""


def width() -> int:
    """How many columns a line may have: COLUMNS if that is set, else the terminal's."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or PIPE_WIDTH
    except (OSError, ValueError):  # a pipe, a file, or what a test puts in its place
        return PIPE_WIDTH


class _Terminal(io.FileIO):
    """What is written to a terminal that is gone goes nowhere: nobody is there to read it, and a
    checkpoint is not to be lost for it."""

    def write(self, data, /):  # type: ignore[no-untyped-def]
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in (errno.EIO, errno.ENXIO):
                raise
            return len(data)


def outliving(stream: TextIO) -> TextIO:
    """Return a standard stream that fails no write after its terminal is closed.

    Args:
        stream: As Python opens it; returned as it is where it is not a terminal's.
    """
    if HANGUP is None or not isinstance(stream, io.TextIOWrapper) or not stream.isatty():
        return stream
    stream.flush()
    terminal = _Terminal(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(terminal),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=True,
    )


def show(what: Any) -> None:
    """Print what Rich can render; off a terminal without blanks at the ends of lines."""
    from cnnctl.cli.console import PlainConsole

    console = PlainConsole(sys.stdout, width=width())
    with console.capture() as captured:
        console.print(what)
    text = captured.get()
    if not console.is_terminal:  # where lines are compared and searched, such blanks hurt
        text = "".join(f"{line.rstrip()}\n" for line in text.split("\n")[:-1])
    unescaped(sys.stdout).write(text)
