"""The pictures of a folder as arrays: decoded once, and kept in memory or on the disk."""

from __future__ import annotations

import math
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnctl.data.arrays import empty
from cnnctl.data.chunks import chunks, mapping
from cnnctl.data.decoded_copy import DecodedCopy
from cnnctl.data.decoding import Format, decode, decode_all, useful_threads
from cnnctl.data.download import Progress
from cnnctl.data.places import decoded_folder
from cnnctl.errors import DataError
from cnnctl.machine import free_memory, usable_cpus

if TYPE_CHECKING:
    import numpy as np

SHARE = 4
"""Pictures are held in memory if they take at most one part in so many of what is free: a trainer
needs room for a copy, its batches and the network."""

WORTH_SECONDS = 1.0
"""A decoded copy is kept if decoding a folder takes longer than this."""

_MEND = (
    "free some space there, name another folder with the environment variable KERAS_HOME, or make "
    "the pictures smaller: `image_size: [height, width]` and `resize: true`"
)


class PictureReader:
    """Reads the splits of one folder of pictures.

    Args:
        progress: Told how many pictures are read.

    Attributes:
        notes: What was chosen for splits that took a while: decoded, read from a copy, held on
            the disk.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.notes: list[str] = []
        self._tell = progress
        self._free = free_memory()
        self._room = self._free // SHARE
        self._seconds = 0.0
        self._copied = False

    def read(
        self, name: str, folder: Path, paths: Sequence[str], wanted: Format, *, part: str = ""
    ) -> np.ndarray:
        """Return the pictures of one split.

        Args:
            name: The split's.
            folder: The split's folder.
            paths: Its pictures, in order, at least one.
            wanted: What they are decoded to.
            part: Which part of the folder the split is, where several splits lie in one folder.

        Returns:
            uint8 `(pictures, height, width, channels)`: an array in memory, or a read-only one in a
            mapped file (see `cnnctl.data.dataset.on_disk`).

        Raises:
            DataError: A picture cannot be read or is of another size (the first such one is named),
                or the pictures fit neither into memory nor on the disk.
        """
        copy = _copy(folder, paths, wanted, part)
        task = _Task(f"{len(paths):,} {name} pictures", paths, wanted, copy)
        x = self._read_copy(task, f"{name} pictures")
        if x is None:
            x = self._decode(task, f"{name} pictures")
        if mapping(x) is None:
            self._room -= x.nbytes
        return x

    def _read_copy(self, task: _Task, label: str) -> np.ndarray | None:
        if task.copy is None:
            return None
        x = task.copy.read(self._room, lambda done: self._told(label, done, len(task.paths)))
        if x is None:
            task.copy.clear()
            return None
        self._copied = True
        source = f"read from the decoded copy ({_size(x.nbytes)}) in {task.copy.path.parent}"
        self.notes.append(f"{task.what}: {source}{self._where(x)}")
        return x

    def _decode(self, task: _Task, label: str) -> np.ndarray:
        import numpy as np
        from PIL import Image

        began = time.monotonic()
        with warnings.catch_warnings():
            # Pillow's own limit is above ours, which is an error and no warning.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            first = decode(Path(task.paths[0]), task.wanted)
            threads = useful_threads(Path(task.paths[0]), task.wanted, usable_cpus())
            size = (first.shape[0], first.shape[1])
            wanted = replace(task.wanted, size=size, model=task.wanted.model or task.paths[0])
            shape = (len(task.paths), *first.shape)

            def decode_to(put: Callable[[np.ndarray], None]) -> None:
                decode_all(task.paths, wanted, put, threads=threads, progress=tell)

            def tell(done: int) -> None:
                self._told(label, done, len(task.paths))

            if math.prod(shape) <= self._room:
                x = empty(shape, np.uint8)
                decode_to(_filler(x))
            else:
                x = self._decode_to_disk(task, shape, decode_to)
        seconds = time.monotonic() - began
        self._seconds += seconds
        by = f"{threads} thread{'s' * (threads != 1)}"
        note = f"{task.what}: decoded in {seconds:.1f} s by {by}"
        if mapping(x) is not None:
            assert task.copy is not None
            kept = f"the decoded copy ({_size(x.nbytes)}) is kept in {task.copy.path.parent}"
            self.notes.append(f"{note}; {kept}{self._where(x)}")
        elif self._copied or self._seconds >= WORTH_SECONDS:
            self.notes.append(f"{note}; {self._keep(x, task.copy)}")
        return x

    def _decode_to_disk(
        self,
        task: _Task,
        shape: tuple[int, ...],
        decode_to: Callable[[Callable[[np.ndarray], None]], None],
    ) -> np.ndarray:
        """Decode straight into the copy's file, and map it."""
        size = math.prod(shape)
        need = f"{task.what} take {_size(size)} decoded; {self._limit()}"
        if task.copy is None:
            raise DataError(f"{need}, and there is no home folder to keep them in", hint=_MEND)
        folder = task.copy.path.parent
        try:
            if (space := _space(folder)) < size:
                raise DataError(f"{need}, and {folder} has room for {_size(space)}", hint=_MEND)
            with task.copy.writing(shape) as put:
                decode_to(put)
            return task.copy.mapped(shape)
        except OSError as error:
            raise DataError(
                f"{need}, and they cannot be written to {folder}: {error.strerror or error}",
                hint=_MEND,
            ) from error

    def _keep(self, x: np.ndarray, copy: DecodedCopy | None) -> str:
        """Write a copy of pictures in memory, if that is possible, and say what came of it."""
        if copy is None:
            return "no decoded copy is kept, as there is no home folder"
        folder = copy.path.parent
        try:
            if (space := _space(folder)) < 2 * x.nbytes:
                return f"no decoded copy is kept: {folder} has room for only {_size(space)}"
            with copy.writing(x.shape) as put:
                for _, rows in chunks(x):
                    put(rows)
        except OSError as error:
            return f"no decoded copy is kept: {folder}: {error.strerror or error}"
        return f"the decoded copy ({_size(x.nbytes)}) is kept in {folder}"

    def _where(self, x: np.ndarray) -> str:
        return f"; held on disk, since {self._limit()}" if mapping(x) is not None else ""

    def _limit(self) -> str:
        taken = self._free // SHARE - self._room
        beside = f", and other splits take {_size(taken)}" if taken else ""
        return f"pictures get a quarter of the {_size(self._free)} of free memory{beside}"

    def _told(self, label: str, done: int, count: int) -> None:
        if self._tell is not None:
            self._tell(label, done, count)


@dataclass(frozen=True, slots=True)
class _Task:
    what: str
    paths: Sequence[str]
    wanted: Format
    copy: DecodedCopy | None


def _copy(folder: Path, paths: Sequence[str], wanted: Format, part: str) -> DecodedCopy | None:
    try:
        return DecodedCopy(decoded_folder(), folder, paths, wanted, part)
    except RuntimeError:  # no home folder
        return None


def _filler(x: np.ndarray) -> Callable[[np.ndarray], None]:
    """A function that puts rows into an array, after those it has put there before."""
    position = 0

    def put(rows: np.ndarray) -> None:
        nonlocal position
        x[position : position + len(rows)] = rows
        position += len(rows)

    return put


def _space(folder: Path) -> int:
    """How many bytes can be written to a folder, which need not exist yet.

    Raises:
        OSError: That cannot be found out.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _size(count: int) -> str:
    unit, divisor = ("GB", 1e9) if count >= 1e9 else ("MB", 1e6)
    return f"{count / divisor:,.{1 if count < 10 * divisor else 0}f} {unit}"
