"""Decoded pictures kept in a file, from which they are read, or mapped, instead of decoded again.

One file holds one split: a block of JSON (what it is, the pictures' shape, and a SHA-256 of all of
it), then their bytes. It is written under a name of its own and renamed when it is whole; its name
says which folder it is of, and what the files there were like. A copy that does not hold what it
says is as good as none.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cnnctl.data.arrays import empty
from cnnctl.data.chunks import CHUNK
from cnnctl.data.decoding import LARGEST, Format
from cnnctl.data.partial import remove_abandoned, replacing_file
from cnnctl.untrusted import open_plain, parse_json

if TYPE_CHECKING:
    import numpy as np

_KIND = "cnnctl's decoded pictures, 2"
_HEADER = 4096
_SUFFIX = ".pictures"


class DecodedCopy:
    """Where the decoded copy of one split is, or would be.

    Args:
        store: The folder of all copies; it need not exist.
        folder: The split's folder.
        paths: Its pictures, in order.
        wanted: What they are decoded to.
        part: Which part of the folder the split is, where several splits lie in one folder.
    """

    def __init__(
        self, store: Path, folder: Path, paths: Sequence[str], wanted: Format, part: str = ""
    ) -> None:
        from PIL import __version__

        what = f"{wanted.mode} {wanted.size} {wanted.resize}"
        self._place = _sha256(os.path.realpath(folder), what, *filter(None, [part]))[:16]
        self._key = _sha256(what, __version__, *(_state(path, str(folder)) for path in paths))
        self._count, self._wanted = len(paths), wanted
        self.path = store / f"{self._place}-{self._key[:32]}{_SUFFIX}"

    def read(self, room: int, progress: Callable[[int], None]) -> np.ndarray | None:
        """Return the pictures, uint8 `(pictures, height, width, channels)`, if there is a copy.

        Args:
            room: How many bytes may be taken in memory; pictures that take more are mapped.
            progress: Told how many pictures are read and found to be undamaged.

        Returns:
            An array in memory, or a read-only one in the mapped file; None if there is no copy, or
            one that is damaged.
        """
        import numpy as np

        try:
            with open_plain(self.path, follow=False) as file:
                shape, sha256 = self._read_header(file)
                # The mapped file must be as long as that: reading behind its end is fatal.
                if os.fstat(file.fileno()).st_size != _HEADER + math.prod(shape):
                    return None
                in_memory = math.prod(shape) <= room
                rows = max(1, CHUNK // math.prod(shape[1:]))
                x = empty(shape if in_memory else (rows, *shape[1:]), np.uint8)
                digest = hashlib.sha256(self._described(shape))
                for start in range(0, shape[0], rows):
                    stop = min(start + rows, shape[0])
                    block = x[start:stop] if in_memory else x[: stop - start]
                    if file.readinto(block.reshape(-1).data) != block.nbytes:  # type: ignore[attr-defined]
                        return None
                    digest.update(block.data)
                    progress(stop)
                if digest.hexdigest() != sha256:
                    return None
                return x if in_memory else _map(file, shape)
        except (OSError, ValueError):
            return None

    def mapped(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the pictures that were just written, as a read-only array in the mapped file.

        Raises:
            OSError: They are there no more.
        """
        with open_plain(self.path, follow=False) as file:
            if os.fstat(file.fileno()).st_size != _HEADER + math.prod(shape):
                raise OSError(errno.EIO, "it was changed", str(self.path))
            return _map(file, shape)

    @contextmanager
    def writing(self, shape: tuple[int, ...]) -> Iterator[Callable[[np.ndarray], None]]:
        """Write the copy; it is there, whole, when the block ends without an error.

        Args:
            shape: `(pictures, height, width, channels)`.

        Yields:
            A function that takes the next pictures, uint8 and contiguous.

        Raises:
            OSError: It cannot be written: no space, a folder that is read-only.
        """
        digest = hashlib.sha256(self._described(shape))
        with replacing_file(self.path, CHUNK) as file:

            def put(x: np.ndarray) -> None:
                data = x.reshape(-1).data
                file.write(data)
                digest.update(data)

            file.write(bytes(_HEADER))
            yield put
            header = {"kind": _KIND, "key": self._key, "shape": list(shape)}
            file.seek(0)
            text = json.dumps({**header, "sha256": digest.hexdigest()})
            file.write(text.encode().ljust(_HEADER))

    def clear(self) -> None:
        """Remove copies of the folder as it was before, and what writers that were killed left.

        Not the copy itself, which another process may just have written and be about to map.
        """
        with contextlib.suppress(OSError):
            for path in self.path.parent.glob(f"{self._place}-*{_SUFFIX}"):
                if path != self.path:
                    path.unlink(missing_ok=True)
            remove_abandoned(self.path.parent, f"*{_SUFFIX}")

    def _described(self, shape: tuple[int, ...]) -> bytes:
        return f"{_KIND} {self._key} {shape}".encode()

    def _read_header(self, file: BinaryIO) -> tuple[tuple[int, ...], str]:
        header: Any = parse_json(file.read(_HEADER))
        if not isinstance(header, dict) or header.get("kind") != _KIND:
            raise ValueError("no header")
        shape = header.get("shape")
        if not isinstance(shape, list) or not all(type(n) is int and n > 0 for n in shape):
            raise ValueError("no shape")
        size = self._wanted.size or tuple(shape[1:3])
        if shape != [self._count, *size, self._wanted.channels] or header.get("key") != self._key:
            raise ValueError("of something else")
        if size[0] * size[1] > LARGEST:
            raise ValueError("larger than pictures are")
        return tuple(shape), str(header.get("sha256"))


def _map(file: BinaryIO, shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    mapped = np.memmap(file, np.uint8, "r", _HEADER, shape)
    # A plain array on top of it: a copy or a sum of a `np.memmap` claims to be one, too.
    return mapped.view(np.ndarray)


def _state(path: str, folder: str) -> str:
    """What tells a file from what it was: its name below the folder, its size and its times."""
    name = path[len(folder) :]
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:  # decoding it will say so
        return f"{name}\0gone"
    # The time of the last change cannot be set back, as that of the last writing can.
    return f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}"


def _sha256(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(os.fsencode(part) + b"\n\0")
    return digest.hexdigest()
