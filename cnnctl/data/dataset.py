"""What a data set is: arrays with a name, an origin and a fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnctl.data.chunks import chunks, mapping
from cnnctl.data.names import SPLITS, canonical
from cnnctl.data.pixels import Range, range_of
from cnnctl.errors import DataError
from cnnctl.io.arguments import as_choice

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False, slots=True)
class Split:
    """Images and what they show.

    Args:
        x: The images, `(images, …)`, channels last, as stored: uint8, uint16 or float32, not
            yet normalized.
        y: Class numbers `(images,)` as int64, or numeric targets as float32, `(images,)` or
            `(images, targets)`; those that are integers in the file are int64 as well.
    """

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False, slots=True)
class Dataset:
    """A data set in memory, or in a file of which only what is read is in memory.

    Args:
        name: As recorded with every figure: `mnist`, `mnist (5,000-image sample)`.
        origin: The file or place that it came from, for people.
        train: What the network learns from.
        validation: What it is judged on between epochs; None if nothing is held out (yet).
        test: What it is judged on at the end; None if there is none.
        class_names: By class number; empty for numeric targets.
        pixel_range: The smallest and largest value that a pixel can have, `(0, 255)` for uint8,
            `(0, 65535)` for uint16; None where that is not known.
        fingerprint: SHA-256 over the arrays as loaded, in hexadecimal. Holding out or reshaping
            images later does not change it.
        notes: What people should be told about this data.
        layout: Where the splits of a folder come from, as recorded with a run; empty otherwise.
        stored: The type of a split's pixels in the file, by the split's name: `int64`; empty where
            it is that of `x`.
        skipped: The images that were left out, and why: (file, reason).
    """

    name: str
    origin: str
    train: Split
    validation: Split | None
    test: Split | None
    class_names: tuple[str, ...]
    pixel_range: Range | None
    fingerprint: str
    notes: tuple[str, ...] = ()
    layout: dict[str, Any] = field(default_factory=dict)
    stored: dict[str, str] = field(default_factory=dict)
    skipped: tuple[tuple[str, str], ...] = ()

    def split(self, name: str) -> Split:
        """The images of a split.

        Args:
            name: `train`, `validation` or `test`.

        Raises:
            UsageError: There is no split of this name.
            DataError: There are none.
        """
        as_choice(name, "split", SPLITS)
        found: Split | None = getattr(self, name)
        if found is None:
            there = " or ".join(f"--split {each}" for each, _ in self.splits())
            how = {
                "validation": "hold some out by `data.validation`",
                "test": "add test images to the data set",
            }[name]
            raise DataError(f"{self.name} has no {name} split", hint=f"{there}; or {how}")
        return found

    def splits(self) -> Iterator[tuple[str, Split]]:
        """Yield the splits that exist, as (`train`, …), (`validation`, …), (`test`, …)."""
        for name in SPLITS:
            split: Split | None = getattr(self, name)
            if split is not None:
                yield name, split


def make_dataset(
    name: str,
    origin: str,
    train: Split,
    *,
    validation: Split | None = None,
    test: Split | None = None,
    class_names: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    layout: dict[str, Any] | None = None,
    pixel_range: Range | None = None,
    stored: dict[str, str] | None = None,
    skipped: tuple[tuple[str, str], ...] = (),
) -> Dataset:
    """Put splits together: the pixel range follows from the dtype, the fingerprint from the arrays.

    Integer labels without names are named by their numbers, `0` to the largest one.

    Args:
        name: The data set's name, as recorded.
        origin: Where it came from, for people.
        train: The training split.
        validation: The validation split, if the data set brings one.
        test: The test split, if there is one.
        class_names: By class number.
        notes: What people should be told.
        layout: Where the splits of a folder come from.
        pixel_range: Where the type of the arrays does not say it.
        stored, skipped: As in `Dataset`.

    Returns:
        The data set.
    """
    splits = {"train": train, "validation": validation, "test": test}
    present = {key: split for key, split in splits.items() if split is not None}
    ranges = {range_of(split.x.dtype) for split in present.values()}
    return Dataset(
        name=name,
        origin=origin,
        train=train,
        validation=validation,
        test=test,
        class_names=tuple(map(canonical, class_names)) or numbers_as_names(list(present.values())),
        pixel_range=pixel_range or (ranges.pop() if len(ranges) == 1 else None),
        fingerprint=fingerprint(present),
        notes=notes,
        layout=layout or {},
        stored=stored or {},
        skipped=skipped,
    )


def fingerprint(splits: dict[str, Split]) -> str:
    """Return the SHA-256 over names, dtypes, shapes and bytes of all arrays, in hexadecimal.

    About 0.1 s for CIFAR-10 (184 MB) on a processor with SHA instructions.

    Args:
        splits: By name; the order counts.
    """
    import hashlib

    import numpy as np

    digest = hashlib.sha256()
    for name, split in splits.items():
        for key, array in (("x", split.x), ("y", split.y)):
            digest.update(f"{name}.{key} {array.dtype.str} {array.shape}\n".encode())
            for _, rows in chunks(array):
                digest.update(np.ascontiguousarray(rows).reshape(-1).view("uint8").data)
    return digest.hexdigest()


def on_disk(x: np.ndarray) -> bool:
    """Whether an array lies in a memory-mapped file, so that only what is read is in memory.

    Args:
        x: Any array: a `np.memmap`, or a view of one. A copy of one is in memory.
    """
    return mapping(x) is not None


def numbers_as_names(splits: list[Split]) -> tuple[str, ...]:
    """Return `0` to the largest label; nothing for targets, or where the labels are not sane."""
    labels = [
        split.y for split in splits
        if split.y.dtype.kind in "iu" and split.y.ndim == 1 and split.y.size
    ]  # fmt: skip
    if len(labels) != len(splits) or min(int(y.min()) for y in labels) < 0:
        return ()
    largest = max(int(y.max()) for y in labels)
    return tuple(map(str, range(largest + 1))) if largest < 10_000 else ()
