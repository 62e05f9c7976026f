"""Files that may come from anywhere: only plain ones are opened, and no size in them is believed.

Never imports Keras: run folders are read with it too.
"""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any, BinaryIO, cast

from cnnctl.errors import shortened

MAX_READ = 1 << 20
"""How much is read of an archive at once; a directory of entries that is larger is refused."""

MAX_VALUES = 300_000
"""How many values a JSON document may have: each takes up to 30 times its text in memory."""

MAX_DEPTH = 64
"""How deep one may be nested."""

_SMALL = 64 << 20
_TAKEN = 96 << 20
_RATIO = 200
_TOO_LARGE = "it takes more memory than there is"


def open_plain(path: Path, *, follow: bool = True) -> BinaryIO:
    """Open a plain file for reading: a pipe or a device could be waited on, or read, for ever.

    Args:
        path: The file.
        follow: Whether it may be a symbolic link to one.

    Returns:
        The file. A MemoryError within its `with` block becomes an OSError: the file is rejected
        like one that cannot be read, whatever took the memory that it asked for.

    Raises:
        OSError: It is none, or cannot be read.
    """
    # Looked at before it is opened, since opening some devices does something, and again after,
    # since it may have been exchanged in between.
    _refuse_special(path.stat(follow_symlinks=follow), path)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    try:
        _refuse_special(os.fstat(descriptor), path)
        return cast(BinaryIO, _Plain(io.FileIO(descriptor, "rb"), str(path)))
    except BaseException:
        os.close(descriptor)
        raise


class _Plain(io.BufferedReader):
    """A file whose reading may take too much memory, which is an error of the file."""

    def __init__(self, raw: io.FileIO, name: str) -> None:
        super().__init__(raw)
        self._path = name

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if isinstance(error, MemoryError):
            raise OSError(errno.ENOMEM, _TOO_LARGE, self._path) from error


def read_plain(path: Path, limit: int) -> bytes:
    """The bytes of a plain file that is no link.

    Raises:
        OSError: It is none, or cannot be read, or has more than `limit` bytes.
    """
    with open_plain(path, follow=False) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"more than {limit:,} bytes", str(path))
    return data


def parse_json(data: bytes) -> Any:
    """The value of a JSON document.

    Raises:
        ValueError: It is none, is nested too deeply, or has more values than `MAX_VALUES`.
    """
    # What is counted stands before or behind each value, and in texts: never fewer than values.
    if len(data) > MAX_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES:,} values")
    try:
        value = json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except MemoryError as error:
        raise ValueError(_TOO_LARGE) from error
    _refuse_depth(value, data)
    return value


def _refuse_depth(value: Any, data: bytes) -> None:
    """Refuse what a function that calls itself could not follow to its end, such as `repr`."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")


def reason(error: BaseException) -> str:
    """What a library says of foreign bytes, in one line that ends somewhere."""
    if isinstance(error, MemoryError):
        return _TOO_LARGE
    text = str(error.strerror or error) if isinstance(error, OSError) else str(error)
    return shortened(" ".join(text.split()) or type(error).__name__, 200)


def is_bomb(unpacked: int, packed: int, taken: int | None = None) -> bool:
    """Whether something unpacks to far more than images, labels or weights ever do.

    Args:
        unpacked: Its bytes.
        packed: Those of the file.
        taken: How many it takes in memory at its peak, where that is known.
    """
    is_large = unpacked > _SMALL if taken is None else taken > _TAKEN
    return is_large and unpacked > _RATIO * packed


@contextmanager
def open_zip(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose entries are plain, named once, and of a sane size.

    Args:
        file: The archive; it stays open.

    Raises:
        zipfile.BadZipFile: It is none, or has an entry that NumPy and Keras never write. Damaged
            ones make `zipfile` raise nearly anything, here or while an entry is read.
    """
    size = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(cast(IO[bytes], _Blocks(file))) as archive:
        seen: set[str] = set()
        for entry in archive.infolist():
            if reason := _strange(entry) or ("is there twice" if entry.filename in seen else ""):
                raise zipfile.BadZipFile(f"its entry {shortened(repr(entry.filename))} {reason}")
            seen.add(entry.filename)
        if is_bomb(sum(entry.file_size for entry in archive.infolist()), size):
            raise zipfile.BadZipFile(f"it unpacks to more than {_RATIO} times its size")
        yield archive


def _strange(entry: zipfile.ZipInfo) -> str:
    """Why an entry of an archive is none that NumPy or Keras write."""
    # `orig_filename` still has what `zipfile` cuts off at a null byte.
    name = PurePosixPath(entry.orig_filename)
    if name.is_absolute() or ".." in name.parts or "\\" in entry.orig_filename:
        return "leads out of it"
    if not entry.orig_filename.isprintable() or not name.parts:
        return "has no readable name"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is no plain file"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in an unusual way"
    return ""


class _Blocks:
    """A file of which only blocks are read: `zipfile` takes an archive's directory in one piece,
    and makes an object of each of its entries."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > MAX_READ:
            raise zipfile.BadZipFile("it has more entries than can be")
        return self._file.read(size)


def _refuse_special(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a plain file", str(path))
