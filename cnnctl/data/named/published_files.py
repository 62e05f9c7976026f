"""The published files of the named data sets, read and recognized."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from cnnctl.data.arrays import empty
from cnnctl.data.dataset import Split
from cnnctl.data.named.sources import Source
from cnnctl.errors import DataError, shortened
from cnnctl.io.untrusted import open_plain, reason

if TYPE_CHECKING:
    import numpy as np

_MARGIN = 16 << 20
"""What an archive may have beside its images: headers, lists of names, a readme."""

_LONGEST_NAME = 1 << 16
_LONGEST_PATH = 1_000
_MOST_ENTRIES = 1_000
"""Of an archive that has ten; each costs time that is not in proportion to its bytes."""

_FIX = "move it away and run `cnnctl data fetch {name}`"


def read_idx(source: Source, paths: tuple[Path, ...]) -> tuple[Split, Split]:
    """Read the four gzipped IDX files of MNIST or Fashion-MNIST.

    Args:
        source: The data set.
        paths: Training images, training labels, test images, test labels.

    Returns:
        The training and the test split; images uint8 `(images, 28, 28)`.

    Raises:
        DataError: A file is damaged, or not of the data set's size.
    """
    splits = []
    for count, x_path, y_path in (
        (source.train, paths[0], paths[1]),
        (source.test, paths[2], paths[3]),
    ):
        x = _idx_array(source, x_path, (count, *source.shape))
        y = _idx_array(source, y_path, (count,))
        splits.append(Split(x, y.astype("int64")))
    return splits[0], splits[1]


def _idx_array(source: Source, path: Path, shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    # magic: two zero bytes, 8 for uint8, the number of dimensions; then each length, big-endian
    header = bytes((0, 0, 8, len(shape))) + np.array(shape, ">u4").tobytes()
    size = len(header) + int(np.prod(shape))
    try:
        with open_plain(path) as packed, gzip.open(packed) as file:
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is damaged: {reason(error)}", hint=_FIX.format(name=source.name)
        ) from error
    if len(content) != size or not content.startswith(header):
        raise DataError(
            f"{path} is not {source.name}'s: expected IDX data of shape {shape}",
            hint=_FIX.format(name=source.name),
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def read_cifar(source: Source, path: Path, *, coarse: bool = False) -> tuple[Split, Split]:
    """Read the binary version of CIFAR-10 or CIFAR-100, straight from its archive.

    A record is one label byte (CIFAR-100: superclass, then class) and 3,072 bytes of pixels, first
    all red ones. Nothing is unpacked to disk.

    Args:
        source: The data set.
        path: The `.tar.gz` archive.
        coarse: Take CIFAR-100's superclasses as labels.

    Returns:
        The training and the test split; images uint8 `(images, 32, 32, 3)`.

    Raises:
        DataError: The archive is damaged or lacks a part.
    """
    import numpy as np

    labels = 2 if source.coarse_names else 1
    parts = _cifar_parts(source)
    record = labels + 3 * 32 * 32
    contents: dict[str, bytes] = {}
    try:
        with open_plain(path) as packed, gzip.open(packed) as unpacked:
            limited = _Limited(unpacked, sum(parts.values()) * record + _MARGIN)
            stream = cast("IO[bytes]", limited)
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member) as archive:
                for number, member in enumerate(archive):
                    if number >= _MOST_ENTRIES or len(member.name) > _LONGEST_PATH:
                        raise tarfile.ReadError("it has far more entries than what was published")
                    # The safe filter refuses what would lead out, although nothing is unpacked.
                    tarfile.data_filter(member, str(path.parent))
                    limited.refuse(member.size)
                    name = PurePosixPath(member.name).name
                    if name in parts and member.size == parts[name] * record:
                        file = archive.extractfile(member)
                        contents[name] = file.read() if file else b""
            while limited.read(1 << 20):
                pass  # to the end: there gzip compares its checksum, which tarfile does not
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(
            f"{path} is damaged: {reason(error)}", hint=_FIX.format(name=source.name)
        ) from error
    if missing := [name for name in parts if len(contents.get(name, b"")) != parts[name] * record]:
        raise DataError(
            f"{path} is not {source.name}'s: {missing[0]} is missing or not of its size",
            hint=_FIX.format(name=source.name),
        )

    def split(names: list[str]) -> Split:
        count = sum(parts[name] for name in names)
        x, y = empty((count, 32, 32, 3), np.uint8), np.empty(count, np.int64)
        start = 0
        for name in names:
            records = np.frombuffer(contents[name], np.uint8).reshape(-1, record)
            stop = start + len(records)
            y[start:stop] = records[:, 0 if coarse or labels == 1 else 1]
            x[start:stop] = records[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            start = stop
        return Split(x, y)

    *training, test = parts
    return split(training), split([test])


class _Limited:
    """A stream that gives only so many bytes, however many an archive unpacks to."""

    def __init__(self, file: gzip.GzipFile, limit: int) -> None:
        self._file = file
        self._left = limit

    def read(self, size: int) -> bytes:
        block = self._file.read(min(size, self._left + 1))
        self.refuse(len(block))
        self._left -= len(block)
        return block

    def refuse(self, size: int) -> None:
        """Refuse that so many bytes more are read, if they are too many."""
        if size > self._left:
            raise tarfile.ReadError("it unpacks to far more than what was published")


class _Member(tarfile.TarInfo):
    """An entry that is a plain file or a folder; one that only describes the next is short, since
    `tarfile` reads it whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        """Take an entry from its header; refuse a link, a device or a pipe."""
        member = super().frombuf(buf, encoding, errors)
        if member.islnk() or member.issym() or member.isdev():
            raise tarfile.ReadError(f"its entry {shortened(repr(member.name))} is no plain file")
        if not (member.isfile() or member.isdir()) and member.size > _LONGEST_NAME:
            raise tarfile.ReadError("it has a name that is far too long")
        return member


def _cifar_parts(source: Source) -> dict[str, int]:
    """Return the files of the archive with their numbers of records, the test file last."""
    if source.coarse_names:
        return {"train.bin": source.train, "test.bin": source.test}
    batches = {f"data_batch_{i}.bin": source.train // 5 for i in range(1, 6)}
    return batches | {"test_batch.bin": source.test}


def is_published(source: Source, train: Split, test: Split) -> bool | None:
    """Tell whether these are the published images and labels, in their order.

    Args:
        source: The data set.
        train: The training split.
        test: The test split.

    Returns:
        None where no sum of the published ones is known.
    """
    if source.test_sha256 is None:
        return None
    return (
        split_sha256(source, test) == source.test_sha256
        and split_sha256(source, train) == source.train_sha256
    )


def split_sha256(source: Source, split: Split) -> str:
    """Return the SHA-256 of a split as its publisher lays it out.

    MNIST and Fashion-MNIST: all pixels, then all labels. CIFAR: the records of its binary version.
    """
    import numpy as np

    digest = hashlib.sha256()
    labels = split.y.astype(np.uint8)
    if source.layout == "cifar":
        for start in range(0, len(split), 10_000):
            pixels = split.x[start : start + 10_000].transpose(0, 3, 1, 2)
            rows = pixels.reshape(len(pixels), -1)
            digest.update(np.column_stack((labels[start : start + 10_000], rows)).data)
    else:
        digest.update(np.ascontiguousarray(split.x).data)
        digest.update(labels.data)
    return digest.hexdigest()
