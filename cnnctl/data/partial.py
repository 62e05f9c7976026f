"""Files in the making: each is its writer's own, and one whose writer was killed is known by that.

A writer holds a lock on its file, which the system lets go of when the writer ends, however it
ends. Windows, and file systems without locks, leave such files to be removed by hand.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cnnctl.io.atomic import flush
from cnnctl.io.untrusted import open_plain

_SUFFIX = ".part"


@contextmanager
def replacing_file(target: Path, buffer: int) -> Iterator[BinaryIO]:
    """Write a file beside its place; it is flushed and takes the place of `target` at the end.

    Args:
        target: The file; its folder is made if need be.
        buffer: How many bytes are written at once.

    Raises:
        OSError: It cannot be written; `target` is as it was before.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    file, part = _open(target, buffer)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if sys.platform == "win32":
                file.close()  # an open file cannot be renamed there
            part.replace(target)
        if sys.platform != "win32":
            flush(target.parent)  # the new name is to outlast a power cut, too
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove what writers left that are no more.

    Args:
        folder: Where they wrote; it need not exist.
        pattern: Of the names of the files that they wanted to write.
    """
    if sys.platform == "win32":
        return
    import fcntl

    for part in folder.glob(f".{pattern}.*{_SUFFIX}"):
        with contextlib.suppress(OSError), open_plain(part, follow=False) as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink(missing_ok=True)


def _open(target: Path, buffer: int) -> tuple[BinaryIO, Path]:
    while True:
        handle, name = tempfile.mkstemp(_SUFFIX, f".{target.name}.", target.parent)
        file = os.fdopen(handle, "w+b", buffer)
        if sys.platform == "win32":
            return file, Path(name)
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        # Before it was locked, another process may have taken it for an abandoned one.
        if Path(name).exists():
            return file, Path(name)
        file.close()
