"""Decoded images kept in a file, from which they are read, or mapped, instead of decoded again.

One file holds one split: a block of JSON (what it is, the images' shape, and a SHA-256 of all of
it), then their bytes, then JSON of what was found while they were decoded. It is written under a
name of its own and renamed when it is whole; its name says which folder it is of, and what the
files there were like. A copy that does not hold what it says is as good as none.
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cnnctl.data.arrays import empty
from cnnctl.data.chunks import CHUNK
from cnnctl.data.images.decode import Format
from cnnctl.data.images.decode_many import Findings
from cnnctl.data.images.open_image import LARGEST
from cnnctl.io.atomic import remove_abandoned, writing
from cnnctl.io.untrusted import open_plain, parse_json

if TYPE_CHECKING:
    import numpy as np

_KIND = "cnnctl's decoded pictures, 3"
_HEADER = 4096
_MOST_FOUND = 1 << 26
_SUFFIX = ".pictures"


class DecodedCopy:
    """Where the decoded copy of one split is, or would be.

    Args:
        store: The folder of all copies; it need not exist.
        folder: The split's folder.
        paths: Its images, in order.
        wanted: What they are decoded to.
        part: Which part of the folder the split is, where several splits lie in one folder.
    """

    def __init__(
        self, store: Path, folder: Path, paths: Sequence[str], wanted: Format, part: str = ""
    ) -> None:
        from PIL import __version__

        what = f"{wanted.mode} {wanted.size} {wanted.resize} {wanted.bits}"
        self._place = _sha256(os.path.realpath(folder), what, *filter(None, [part]))[:16]
        self._key = _sha256(what, __version__, *(_state(path, str(folder)) for path in paths))
        self._count, self._wanted = len(paths), wanted
        self.path = store / f"{self._place}-{self._key[:32]}{_SUFFIX}"

    def read(
        self, room: int, progress: Callable[[int], None]
    ) -> tuple[np.ndarray, Findings] | None:
        """Return the images, uint8 or uint16 `(images, height, width, channels)`, if there is a
        copy, and what was found while they were decoded.

        Args:
            room: How many bytes may be taken in memory; images that take more are mapped.
            progress: Told how many images are read and found to be undamaged.

        Returns:
            An array in memory, or a read-only one in the mapped file; None if there is no copy, or
            one that is damaged.
        """
        try:
            with open_plain(self.path, follow=False) as file:
                header = self._read_header(file)
                shape, dtype = header.shape, header.dtype
                # The mapped file must be as long as that: reading behind its end is fatal.
                if os.fstat(file.fileno()).st_size != _HEADER + header.nbytes + header.found:
                    return None
                in_memory = header.nbytes <= room
                rows = max(1, CHUNK * shape[0] // header.nbytes)
                x = empty(shape if in_memory else (rows, *shape[1:]), dtype)
                digest = hashlib.sha256()
                for start in range(0, shape[0], rows):
                    stop = min(start + rows, shape[0])
                    block = _bytes(x[start:stop] if in_memory else x[: stop - start])
                    if file.readinto(block) != block.nbytes:  # type: ignore[attr-defined]
                        return None
                    digest.update(block)
                    progress(stop)
                text = file.read(header.found)
                digest.update(text + self._described(shape, dtype))
                if digest.hexdigest() != header.sha256:
                    return None
                return x if in_memory else _map(file, shape, dtype), _findings(text)
        except (OSError, ValueError):
            return None

    def mapped(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the images that were just written, as a read-only array in the mapped file.

        Raises:
            OSError: They are there no more.
        """
        try:
            with open_plain(self.path, follow=False) as file:
                header = self._read_header(file)
                end = _HEADER + header.nbytes + header.found
                if (header.shape, header.dtype) == (shape, dtype) and (
                    os.fstat(file.fileno()).st_size == end
                ):
                    return _map(file, shape, dtype)
        except ValueError:
            pass
        raise OSError(errno.EIO, "it was changed", str(self.path))

    @contextmanager
    def writing(self, shape: tuple[int, ...], dtype: str) -> Iterator[Writer]:
        """Write the copy; it is there, whole, when the block ends without an error.

        Args:
            shape: `(height, width, channels)`.
            dtype: `uint8` or `uint16`.

        Raises:
            OSError: It cannot be written: no space, a folder that is read-only.
        """
        with writing(self.path, buffer=CHUNK) as file:
            writer = Writer(file)
            file.write(bytes(_HEADER))
            yield writer
            text = json.dumps(asdict(writer.findings)).encode()
            file.write(text)
            whole = (writer.count, *shape)
            writer.digest.update(text + self._described(whole, dtype))
            header = {"kind": _KIND, "key": self._key, "shape": list(whole), "dtype": dtype,
                      "found": len(text), "sha256": writer.digest.hexdigest()}  # fmt: skip
            file.seek(0)
            file.write(json.dumps(header).encode().ljust(_HEADER))

    def clear(self) -> None:
        """Remove copies of the folder as it was before, and what writers that were killed left.

        Not the copy itself, which another process may just have written and be about to map.
        """
        with contextlib.suppress(OSError):
            for path in self.path.parent.glob(f"{self._place}-*{_SUFFIX}"):
                if path != self.path:
                    path.unlink(missing_ok=True)
            remove_abandoned(self.path.parent, f"*{_SUFFIX}")

    def _described(self, shape: tuple[int, ...], dtype: str) -> bytes:
        return f"{_KIND} {self._key} {shape} {dtype}".encode()

    def _read_header(self, file: BinaryIO) -> _Header:
        header: Any = parse_json(file.read(_HEADER))
        if not isinstance(header, dict) or header.get("kind") != _KIND:
            raise ValueError("no header")
        shape, found = header.get("shape"), header.get("found")
        if not isinstance(shape, list) or not all(type(n) is int and n > 0 for n in shape):
            raise ValueError("no shape")
        size = self._wanted.size or tuple(shape[1:3])
        is_ours = shape[1:] == [*size, self._wanted.channels] and header.get("key") == self._key
        if not is_ours or shape[0] > self._count:
            raise ValueError("of something else")
        if size[0] * size[1] > LARGEST:
            raise ValueError("larger than pictures are")
        dtypes = [f"uint{self._wanted.bits}"] if self._wanted.bits else ["uint8", "uint16"]
        if header.get("dtype") not in dtypes:
            raise ValueError("of other numbers")
        if type(found) is not int or not 0 <= found <= _MOST_FOUND:
            raise ValueError("no findings")
        return _Header(tuple(shape), header["dtype"], found, str(header.get("sha256")))


@dataclass(frozen=True, slots=True)
class _Header:
    shape: tuple[int, ...]
    dtype: str
    found: int
    sha256: str

    @property
    def nbytes(self) -> int:
        """Of all images."""
        return math.prod(self.shape) * (2 if self.dtype == "uint16" else 1)


class Writer:
    """A copy that is being written.

    Args:
        file: Behind its header.

    Attributes:
        count: How many images were put.
        findings: What was found while they were decoded.
        digest: Of all bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.count = 0
        self.findings = Findings()
        self.digest = hashlib.sha256()
        self._file = file

    def put(self, x: np.ndarray) -> None:
        """Write the next images, contiguous."""
        data = _bytes(x)
        self._file.write(data)
        self.digest.update(data)
        self.count += len(x)


def _bytes(x: np.ndarray) -> memoryview:
    """The memory of a contiguous array."""
    return x.reshape(-1).view("uint8").data


def _findings(text: bytes) -> Findings:
    """What `asdict` was written from.

    Raises:
        ValueError: It is something else, although its digest agrees.
    """
    values = parse_json(text)
    try:
        damaged = {int(place): str(reason) for place, reason in values["damaged"].items()}
        return Findings(damaged, [int(place) for place in values["several"]])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("no findings") from error


def _map(file: BinaryIO, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    import numpy as np

    mapped = np.memmap(file, dtype, "r", _HEADER, shape)
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
