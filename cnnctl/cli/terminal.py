"""A terminal that is closed while a command runs."""

from __future__ import annotations

import errno
import io
from typing import TextIO

from cnnctl.signals import HANGUP


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
