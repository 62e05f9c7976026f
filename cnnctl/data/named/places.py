"""Where data may lie on this machine, in the order in which one looks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cnnctl.data.named.sources import Source
from cnnctl.errors import DataError

SYSTEM_FOLDER = Path("/usr/share/datasets")
"""Where Debian's packages of data sets (`dataset-fashion-mnist`) put their files."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to look in.

    Args:
        label: Why this folder: `--data-dir`, `CNNCTL_DATA_DIR`, …
        folder: The folder, which need not exist.
    """

    label: str
    folder: Path

    def __str__(self) -> str:
        missing = "" if self.folder.is_dir() else ", no such folder"
        return f"{self.folder} ({self.label}{missing})"


@dataclass(frozen=True, slots=True)
class Found:
    """Data that lies on this machine.

    Args:
        place: Where.
        layout: `npz`, `idx` or `cifar`.
        paths: The files; for `idx` training images, training labels, test images, test labels.
    """

    place: Place
    layout: str
    paths: tuple[Path, ...]


def keras_datasets_folder() -> Path:
    """Return the folder that Keras keeps data sets in; cnnctl's downloads go there as well.

    So there is one copy on a machine, which `keras.datasets.mnist.load_data()` finds too.
    """
    home = os.environ.get("KERAS_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".keras") / "datasets"


def decoded_folder() -> Path:
    """Return the folder that decoded copies of folders of images are kept in.

    Raises:
        RuntimeError: This user has no home folder.
    """
    return keras_datasets_folder() / "cnnctl-decoded"


def places(data_dir: Path | None = None) -> tuple[Place, ...]:
    """Return the folders to look in, first one first.

    Args:
        data_dir: The folder that the user named on the command line.

    Raises:
        DataError: `data_dir` is not a folder.
    """
    listed = []
    if data_dir is not None:
        if not data_dir.is_dir():
            raise DataError(
                f"--data-dir {data_dir} is not a folder",
                hint="make it, or name the folder that has the files, such as mnist.npz",
            )
        listed.append(Place("--data-dir", data_dir))
    if variable := os.environ.get("CNNCTL_DATA_DIR"):
        listed.append(Place("CNNCTL_DATA_DIR", Path(variable).expanduser()))
    listed.append(Place("Keras's cache", keras_datasets_folder()))
    listed.append(Place("packages of the system", SYSTEM_FOLDER))
    return tuple(listed)


def find(source: Source, data_dir: Path | None = None) -> Found | None:
    """Look for a named data set; the first place that has all of its files wins.

    In each place the published files are looked for first, then one `.npz` in Keras's layout.

    Args:
        source: The data set.
        data_dir: The folder that the user named on the command line.

    Returns:
        Where it lies, or None.

    Raises:
        DataError: `data_dir` is not a folder.
    """
    for place in places(data_dir):
        published = tuple(place.folder / file.path for file in source.files)
        if all(map(_is_file, published)):
            return Found(place, source.layout, published)
        npz = place.folder / source.npz
        if _is_file(npz):
            return Found(place, "npz", (npz,))
    return None


def pickled_copy(source: Source) -> Path | None:
    """Return Keras's own copy of CIFAR if it is here: a pickle, which cnnctl does not open."""
    names = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}
    if source.name in names:
        for path in sorted(keras_datasets_folder().glob(names[source.name] + "*")):
            return path
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:  # a folder that this user may not look into holds nothing for them
        return False
