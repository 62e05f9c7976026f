"""What `cnnctl data` tells: which data sets there are, where they lie, what one holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnnctl import plugins
from cnnctl.catalog import load as load_catalog
from cnnctl.data.named.download import Progress
from cnnctl.data.named.places import find
from cnnctl.data.named.sample import sample_file
from cnnctl.data.named.sources import SOURCES, Source
from cnnctl.data.open_dataset import open_dataset, registered_names

if TYPE_CHECKING:
    from cnnctl.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Entry:
    """A named data set, as listed.

    Args:
        name: As written in a spec.
        title: For people.
        train: Training images.
        test: Test images.
        shape: Of one image.
        classes: How many.
        size: Bytes to download.
        path: The file or folder that it lies in on this machine; None if it is not here.
        place: Why it was looked for there: `--data-dir`, `Keras's cache`, …
        sample: Whether a small sample would stand in for it without a network.
    """

    name: str
    title: str
    train: int
    test: int
    shape: tuple[int, ...]
    classes: int
    size: int
    path: Path | None
    place: str | None
    sample: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """A data set of a plug-in, as listed.

    Args:
        name: As written in a spec.
        title: For people.
        source: The plug-in's file or package.
        shape: Of one image; None if it is not declared.
        classes: How many; None if they are not declared.
    """

    name: str
    title: str
    source: str
    shape: tuple[int, ...] | None
    classes: int | None


@dataclass(frozen=True, slots=True)
class SplitInfo:
    """One split, described.

    Args:
        name: `train`, `validation` or `test`.
        count: How many images.
        shape: Of one image.
        dtype: Of the pixels.
        balance: Images by class number; empty for numeric targets.
    """

    name: str
    count: int
    shape: tuple[int, ...]
    dtype: str
    balance: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Info:
    """A data set, described.

    Args:
        name: As it would be recorded.
        origin: Where it came from.
        splits: What it holds.
        class_names: By class number.
        pixel_range: Smallest and largest possible pixel; None if not known.
        fingerprint: SHA-256 over all arrays.
        notes: What people should be told.
    """

    name: str
    origin: str
    splits: tuple[SplitInfo, ...]
    class_names: tuple[str, ...]
    pixel_range: tuple[float, float] | None
    fingerprint: str
    notes: tuple[str, ...]


def list_datasets(data_dir: Path | None = None) -> tuple[Entry, ...]:
    """List the named data sets. Opens none of them and imports neither NumPy nor TensorFlow.

    Args:
        data_dir: Where to look first.

    Raises:
        DataError: `data_dir` is not a folder.
    """
    return tuple(_entry(source, data_dir) for source in SOURCES.values())


def list_registered() -> tuple[Registered, ...]:
    """List the data sets of the plug-ins that are loaded. Loads none of them."""
    found = []
    for name in registered_names():
        entry = load_catalog().find("dataset", name)
        assert entry is not None
        is_class = isinstance(entry.registered, type)
        known = plugins.Declared() if is_class else plugins.declared(name)
        classes = len(known.class_names) or None
        found.append(Registered(name, entry.summary, entry.source, known.input_shape, classes))
    return tuple(found)


def _entry(source: Source, data_dir: Path | None) -> Entry:
    found = find(source, data_dir)
    path = None
    if found is not None:
        path = found.paths[0] if len(found.paths) == 1 else found.paths[0].parent
    return Entry(
        name=source.name,
        title=source.title,
        train=source.train,
        test=source.test,
        shape=source.shape,
        classes=len(source.class_names),
        size=source.size,
        path=path,
        place=found.place.label if found else None,
        sample=source.name == "mnist" and found is None and sample_file() is not None,
    )


def describe(name: str, *, data_dir: Path | None = None, progress: Progress | None = None) -> Info:
    """Load a data set and describe it.

    Args:
        name, data_dir, progress: As in `open_dataset`.

    Raises:
        UsageError, DataError: As `open_dataset`.
    """
    dataset = open_dataset(name, data_dir=data_dir, progress=progress)
    return describe_dataset(dataset)


def describe_dataset(dataset: Dataset) -> Info:
    """Describe a data set that is loaded."""
    import numpy as np

    classes = len(dataset.class_names)
    return Info(
        name=dataset.name,
        origin=dataset.origin,
        splits=tuple(
            SplitInfo(
                key,
                len(split),
                tuple(split.x.shape[1:]),
                dataset.stored.get(key, str(split.x.dtype)),
                tuple(np.bincount(split.y, minlength=classes).tolist()) if classes else (),
            )
            for key, split in dataset.splits()
        ),
        class_names=dataset.class_names,
        pixel_range=dataset.pixel_range,
        fingerprint=dataset.fingerprint,
        notes=dataset.notes,
    )
