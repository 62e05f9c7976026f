"""Notes on files that are read only in part: each is printed once, whoever reads the file.

A reader of a run folder leaves out what is damaged and goes on; the note says what, and where. It
is a log message, so that a library function never prints and users of Python can turn it off.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable

from cnnctl.io.printable import printable

LOGGER = logging.getLogger("cnnctl")

_MOST = 10_000
"""After how many notes a process forgets which it has given."""

_given: set[str] = set()


def note(text: str) -> None:
    """Give a note, unless this process has given it before."""
    if text in _given:
        return
    if len(_given) >= _MOST:
        _given.clear()
    _given.add(text)
    LOGGER.warning("note: %s", text)


class _Printer(logging.Handler):
    """Prints each note to standard error, whichever that is by then."""

    def emit(self, record: logging.LogRecord) -> None:
        print(printable(record.getMessage()), file=sys.stderr)


def print_notes() -> None:
    """Print the notes of a command that begins to standard error."""
    _given.clear()
    if not _is_command():
        LOGGER.addHandler(_Printer())
        LOGGER.propagate = False


def tell(texts: Iterable[str]) -> None:
    """Give the notes of a result to whoever calls cnnctl in Python, each time; commands print those
    of their results themselves."""
    if not _is_command():
        for text in texts:
            LOGGER.warning("note: %s", text)


def _is_command() -> bool:
    return any(isinstance(each, _Printer) for each in LOGGER.handlers)
