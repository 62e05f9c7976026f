"""Files that are either whole or absent: written beside their place, flushed, renamed."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cnnctl.errors import RunError

RUNS = "make it writable, or choose another place (--runs-dir of `cnnctl train`)"


@contextmanager
def replacing(path: Path, *, elsewhere: str = RUNS) -> Iterator[Path]:
    """A temporary neighbour of `path` to write to; it takes the place of `path` at the end.

    Args:
        path: The file.
        elsewhere: How to write to another place, where this one cannot be written.

    Raises:
        RunError: The file cannot be written (no space, a read-only folder); `path` is as before.
    """
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        flush(partial)
        partial.replace(path)
        flush(path.parent)
    except OSError as error:
        raise cannot_write(path, error, elsewhere) from error
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, elsewhere: str = RUNS) -> None:
    """Write a small text file atomically (see `replacing`)."""
    with replacing(path, elsewhere=elsewhere) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically (see `replacing`)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def flush(path: Path) -> None:
    """Ask the operating system to put a file, or a folder's entries, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cannot_write(path: Path, error: OSError, elsewhere: str = RUNS) -> RunError:
    """The error to raise where `path` cannot be written."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    if error.errno == errno.EISDIR:
        elsewhere = "move the folder of that name aside"
    return RunError(
        f"cannot write {path}: {error.strerror or error}",
        hint=("free some space, or " if full else "") + elsewhere,
    )
