"""Files, folders and links that are either whole or absent: written beside their place, flushed,
renamed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from cnnctl.errors import RunError
from cnnctl.io.untrusted import open_plain

RUNS = "make it writable, or choose another place (--runs-dir of `cnnctl train`)"
_PART = ".part"
_DAY = 86_400


@contextmanager
def replacing(path: Path, *, elsewhere: str = RUNS) -> Iterator[Path]:
    """Yield a free path beside `path`: the file, folder or link that is made there takes the place
    of `path` at the end.

    Args:
        path: A file or a link; or a folder that does not exist at the end of the block.
        elsewhere: How to write to another place, where this one cannot be written.

    Raises:
        RunError: It cannot be written (no space, a read-only folder); `path` is as before.
    """
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        remove(partial)
        yield partial
        _publish(partial, path)
    except OSError as error:
        raise cannot_write(path, error, elsewhere) from error
    finally:
        with suppress(OSError):
            remove(partial)


@contextmanager
def writing(path: Path, *, mode: int = 0o600, buffer: int = -1) -> Iterator[BinaryIO]:
    """Open a file beside `path`, which takes the place of `path` at the end.

    It is for folders that several processes write to: the file has a name of its own, and is locked
    for as long as its writer lives (see `remove_abandoned`).

    Args:
        path: The file; its folder is made if need be.
        mode: Who may read it.
        buffer: How many bytes are written at once.

    Raises:
        OSError: It cannot be written; `path` is as before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file, part = _open_part(path, buffer)
    try:
        with file:
            yield file
            file.flush()
            part.chmod(mode)
            if sys.platform == "win32":
                file.close()  # an open file cannot be renamed there
            _publish(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove what writers left that are no more: files of `writing` that nobody has locked. Where
    files cannot be locked, those that are a day old.

    Args:
        folder: Where they wrote; it need not exist.
        pattern: Of the names of the files that they wanted to write.
    """
    for part in folder.glob(f".{pattern}.*{_PART}"):
        with suppress(OSError), open_plain(part, follow=False) as file:
            if _lock(file, wait=False) or time.time() - os.fstat(file.fileno()).st_mtime > _DAY:
                part.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, elsewhere: str = RUNS) -> None:
    """Write a small text file atomically (see `replacing`)."""
    with replacing(path, elsewhere=elsewhere) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically (see `replacing`)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError, elsewhere: str = RUNS) -> RunError:
    """The error to raise where `path` cannot be written."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    if error.errno == errno.EISDIR:
        elsewhere = "move the folder of that name aside"
    return RunError(
        f"cannot write {path}: {error.strerror or error}",
        hint=("free some space, or " if full else "") + elsewhere,
    )


def _publish(partial: Path, path: Path) -> None:
    """Put what was written on the disk, give it its name, and put the name on the disk."""
    if not partial.is_symlink():
        for each in (*partial.rglob("*"), partial):
            _flush(each)
    partial.replace(path)
    _flush(path.parent)


def _flush(path: Path) -> None:
    """Ask the operating system to put a file, or a folder's entries, on the disk."""
    if sys.platform == "win32" and path.is_dir():
        return  # it has no such thing for a folder, and wants a file to be open for writing
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_part(path: Path, buffer: int) -> tuple[BinaryIO, Path]:
    while True:
        handle, name = tempfile.mkstemp(_PART, f".{path.name}.", path.parent)
        file = os.fdopen(handle, "w+b", buffer)
        # Before it was locked, another process may have taken it for an abandoned one.
        if not _lock(file, wait=True) or Path(name).exists():
            return file, Path(name)
        file.close()


def _lock(file: BinaryIO, *, wait: bool) -> bool:
    """Lock an open file until it is closed, which the system does where a process ends, however it
    ends; return whether it could be locked. Windows and some file systems have no such locks.

    Raises:
        BlockingIOError: Another process has locked it, and `wait` is false.
    """
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True
