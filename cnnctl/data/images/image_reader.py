"""The images of a folder as arrays: decoded once, and kept in memory or on the disk."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.data.arrays import empty
from cnnctl.data.chunks import chunks, mapping
from cnnctl.data.images.cache import DecodedCopy
from cnnctl.data.images.damaged_images import NAMED, Damage, DamagedSplit, damage_error, named
from cnnctl.data.images.decode import Format, decode
from cnnctl.data.images.decode_many import Findings, decode_all, useful_threads
from cnnctl.data.images.open_image import DamagedImage
from cnnctl.data.named.download import Progress
from cnnctl.data.named.places import decoded_folder
from cnnctl.errors import DataError
from cnnctl.io import text
from cnnctl.io.machine import free_disk, free_memory, usable_cpus

if TYPE_CHECKING:
    import numpy as np


SHARE = 4
"""Images are held in memory if they take at most one part in so many of what is free: a trainer
needs room for a copy, its batches and the network."""

WORTH_SECONDS = 1.0
"""A decoded copy is kept if decoding a folder takes longer than this."""

_FIX = (
    "free some space there, name another folder with the environment variable KERAS_HOME, or make "
    "the pictures smaller: `image_size: [height, width]` and `resize: true`"
)


@dataclass(frozen=True, slots=True)
class Read:
    """The images of one split.

    Args:
        x: uint8 or uint16 `(images, height, width, channels)`: an array in memory, or a read-only
            one in a mapped file (see `cnnctl.data.dataset.on_disk`).
        kept: Their places among the files.
    """

    x: np.ndarray
    kept: list[int]


class ImageReader:
    """Reads the splits of one folder of images.

    Args:
        skip: Whether damaged images are left out; otherwise `refuse_damaged` names them all.
        progress: Told how many images are read.

    Attributes:
        notes: What was chosen for splits that took a while: decoded, read from a copy, held on
            the disk; which images were left out, or have further frames or pages.
        damaged: The images that cannot be read, of all splits.
    """

    def __init__(self, progress: Progress | None = None, *, skip: bool = False) -> None:
        self.notes: list[str] = []
        self.damaged: list[Damage] = []
        self._skip = skip
        self._tell = progress
        self._free = free_memory()
        self._room = self._free // SHARE
        self._seconds = 0.0
        self._copied = False
        self._count = 0

    def read(
        self, name: str, folder: Path, paths: Sequence[str], wanted: Format, *, part: str = ""
    ) -> Read | None:
        """Return the images of one split; None if there are damaged ones, or no others.

        Args:
            name: The split's.
            folder: The split's folder.
            paths: Its images, in order, at least one.
            wanted: What they are decoded to.
            part: Which part of the folder the split is, where several splits lie in one folder.

        Raises:
            DataError: An image is of another size or depth (the first such one is named), or the
                images fit neither into memory nor on the disk.
        """
        copy = _copy(folder, paths, wanted, part)
        task = _Task(f"{len(paths):,} {name} pictures", paths, wanted, copy)
        self._count += len(paths)
        x, findings = self._read_copy(task, f"{name} pictures") or self._decode(
            task, f"{name} pictures"
        )
        damaged = [Damage(paths[place], why) for place, why in findings.damaged.items()]
        self.damaged += damaged
        if self._skip and x is None:
            raise damage_error(damaged, len(paths), f"no image of {folder} can be read")
        if x is None or (damaged and not self._skip):
            return None
        if mapping(x) is None:
            self._room -= x.nbytes
        kept = [place for place in range(len(paths)) if place not in findings.damaged]
        if several := [paths[place] for place in findings.several]:
            self.notes.append(
                f"{folder}: only the first frame or page is read of {named(several)}, which have "
                "several"
            )
        if damaged:
            left_out = map(str, damaged[:NAMED])
            more = f"; and {len(damaged) - NAMED:,} more" if len(damaged) > NAMED else ""
            self.notes.append(
                f"{folder}: `on_error: skip` left out {len(damaged):,} of {len(paths):,} images, "
                f"which cannot be read: {'; '.join(left_out)}{more}"
            )
        return Read(x, kept)

    def refuse_damaged(self) -> None:
        """Name the images that cannot be read, of all splits.

        Raises:
            DataError: There are some, and they are not to be left out.
        """
        if self.damaged and not self._skip:
            fix = "write `on_error: skip` in `image_folder` to train without them"
            raise damage_error(self.damaged, self._count, f"replace or remove them, or {fix}")

    def _read_copy(self, task: _Task, label: str) -> tuple[np.ndarray, Findings] | None:
        if task.copy is None:
            return None
        found = task.copy.read(self._room, lambda done: self._told(label, done, len(task.paths)))
        if found is None:
            task.copy.clear()
            return None
        self._copied = True
        x = found[0]
        source = f"read from the decoded copy ({text.size(x.nbytes)}) in {task.copy.path.parent}"
        self.notes.append(f"{task.what}: {source}{self._where(x)}")
        return found

    def _decode(self, task: _Task, label: str) -> tuple[np.ndarray | None, Findings]:
        began = time.monotonic()
        with warnings.catch_warnings():
            # What Pillow warns of is an error here, or nothing to a training.
            warnings.simplefilter("ignore")
            first, broken = _first(task)
            if first is None:
                return None, Findings(broken)
            path, pixels = first
            threads = useful_threads(Path(path), task.wanted, usable_cpus())
            wanted = replace(
                task.wanted,
                size=pixels.shape[:2],
                bits=8 * pixels.itemsize,
                model=task.wanted.model or path,
            )

            def decode_to(put: Callable[[np.ndarray], None]) -> Findings:
                return decode_all(task.paths, wanted, put, threads=threads, progress=tell)

            def tell(done: int) -> None:
                self._told(label, done, len(task.paths))

            whole = (len(task.paths), *pixels.shape)
            try:
                if math.prod(whole) * pixels.itemsize <= self._room:
                    x = empty(whole, pixels.dtype)
                    filler = _Filler(x)
                    findings = decode_to(filler.put)
                    self._refuse(findings)
                    x = x[: filler.count]
                else:
                    x, findings = self._decode_to_disk(task, whole, pixels.dtype, decode_to)
            except DamagedSplit as error:
                return None, error.findings
        seconds = time.monotonic() - began
        self._seconds += seconds
        note = f"{task.what}: decoded in {seconds:.1f} s by {text.counted(threads, 'thread')}"
        if mapping(x) is not None:
            assert task.copy is not None
            kept = f"the decoded copy ({text.size(x.nbytes)}) is kept in {task.copy.path.parent}"
            self.notes.append(f"{note}; {kept}{self._where(x)}")
        elif self._copied or self._seconds >= WORTH_SECONDS:
            self.notes.append(f"{note}; {self._keep(x, findings, task.copy)}")
        return x, findings

    def _refuse(self, findings: Findings) -> None:
        """Give up on a split of which nothing is kept, as it has damaged images.

        Raises:
            DamagedSplit: It has some, and they are not to be left out.
        """
        if findings.damaged and not self._skip:
            raise DamagedSplit(findings)

    def _decode_to_disk(
        self,
        task: _Task,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        decode_to: Callable[[Callable[[np.ndarray], None]], Findings],
    ) -> tuple[np.ndarray, Findings]:
        """Decode straight into the copy's file, and map it."""
        size = math.prod(shape) * dtype.itemsize
        need = f"{task.what} take {text.size(size)} decoded; {self._limit()}"
        if task.copy is None:
            raise DataError(f"{need}, and there is no home folder to keep them in", hint=_FIX)
        folder = task.copy.path.parent
        try:
            if (space := free_disk(folder)) < size:
                raise DataError(f"{need}, and {folder} has room for {text.size(space)}", hint=_FIX)
            with task.copy.writing(shape[1:], dtype.name) as writer:
                writer.findings = decode_to(writer.put)
                self._refuse(writer.findings)
            return task.copy.mapped((writer.count, *shape[1:]), dtype.name), writer.findings
        except OSError as error:
            raise DataError(
                f"{need}, and they cannot be written to {folder}: {error.strerror or error}",
                hint=_FIX,
            ) from error

    def _keep(self, x: np.ndarray, findings: Findings, copy: DecodedCopy | None) -> str:
        """Write a copy of images in memory, if that is possible, and say what came of it."""
        if copy is None:
            return "no decoded copy is kept, as there is no home folder"
        folder = copy.path.parent
        try:
            if (space := free_disk(folder)) < 2 * x.nbytes:
                return f"no decoded copy is kept: {folder} has room for only {text.size(space)}"
            with copy.writing(x.shape[1:], x.dtype.name) as writer:
                writer.findings = findings
                for _, rows in chunks(x):
                    writer.put(rows)
        except OSError as error:
            return f"no decoded copy is kept: {folder}: {error.strerror or error}"
        return f"the decoded copy ({text.size(x.nbytes)}) is kept in {folder}"

    def _where(self, x: np.ndarray) -> str:
        return f"; held on disk, since {self._limit()}" if mapping(x) is not None else ""

    def _limit(self) -> str:
        taken = self._free // SHARE - self._room
        beside = f", and other splits take {text.size(taken)}" if taken else ""
        return f"pictures get a quarter of the {text.size(self._free)} of free memory{beside}"

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


def _first(task: _Task) -> tuple[tuple[str, np.ndarray] | None, dict[int, str]]:
    """The first image that can be read, with its file; and why those before it cannot."""
    broken: dict[int, str] = {}
    for place, path in enumerate(task.paths):
        try:
            return (path, decode(Path(path), task.wanted).pixels), broken
        except DamagedImage as error:
            broken[place] = error.reason
    return None, broken


class _Filler:
    """Puts rows into an array, after those that it has put there before."""

    def __init__(self, x: np.ndarray) -> None:
        self.count = 0
        self._x = x

    def put(self, rows: np.ndarray) -> None:
        """Put the next rows."""
        self._x[self.count : self.count + len(rows)] = rows
        self.count += len(rows)
