"""Pictures in folders: `train/<class>/*.png`, `*.jpg`, …, optional `validation/` and `test/`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.data.decoding import LARGEST, Format
from cnnctl.data.download import Progress
from cnnctl.data.formats import FORMATS, is_readable
from cnnctl.data.pictures import PictureReader
from cnnctl.errors import DataError

if TYPE_CHECKING:
    import numpy as np


def load_image_folder(
    folder: Path,
    *,
    image_size: tuple[int, int] | None = None,
    color_mode: str = "rgb",
    resize: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Read a folder of pictures; the classes are the folders in `train/`, in sorted order.

    Pictures come sorted by name within their class, and classes alternate: any stretch of them,
    such as one held out for validation, has about as large a part of every class.

    Hidden files are ignored; other files that are not images (`formats.py`) are counted in a note.
    Colours are converted to `color_mode`; pictures are turned as their EXIF data says, and laid on
    white where they are transparent.

    Every picture is decoded once. Pictures that take more than a quarter of the free memory are
    held on the disk and only mapped; where decoding takes long, a decoded copy is kept for the next
    time (`decoded_folder` of `cnnctl.data.places`). Notes say which.

    Args:
        folder: The folder that has `train/`.
        image_size: (height, width); None for the size that all pictures have.
        color_mode: `rgb` (3 channels) or `grayscale` (1 channel).
        resize: Resize every picture to `image_size` (bilinear, antialiased; the aspect ratio is
            not kept).
        progress: Told how many pictures are read.

    Returns:
        Pictures uint8 `(pictures, height, width, channels)`, in memory or in a mapped file.

    Raises:
        DataError: The folder is not laid out so, a picture cannot be read or is too large, sizes
            differ, a class has a name that is no UTF-8, a split has a class that `train` lacks, or
            there is room for the pictures neither in memory nor on the disk.
    """
    if color_mode not in ("rgb", "grayscale"):
        raise DataError(f"color_mode is rgb or grayscale. Received: {color_mode}")
    if resize and image_size is None:
        raise DataError("`resize: true` needs `image_size: [height, width]`")
    if image_size and (min(image_size) < 1 or image_size[0] * image_size[1] > LARGEST):
        raise DataError(f"image_size is [height, width] in pixels. Received: {list(image_size)}")
    if not (folder / "train").is_dir():
        state = "has no folder train" if folder.is_dir() else "is not a folder"
        raise DataError(
            f"{folder} {state}",
            hint="expected train/<class>/*.png or *.jpg, and optionally test/ and validation/ "
            "with the same classes",
        )
    classes = tuple(path.name for path in class_folders(folder / "train"))
    if not classes:
        raise DataError(
            f"{folder / 'train'} has no folders", hint="expected one for each class, with pictures"
        )
    for name in classes:
        if any("\udc80" <= letter <= "\udcff" for letter in name):
            raise DataError(
                f"{folder / 'train'} has a class folder whose name is no UTF-8: "
                f"{os.fsencode(name)!r}",
                hint="rename the folder",
            )
    wanted = Format(image_size, {"rgb": "RGB", "grayscale": "L"}[color_mode], resize)
    splits: dict[str, Split | None] = {"train": None, "validation": None, "test": None}
    notes: list[str] = []
    reader = PictureReader(progress)
    for name in splits:
        if (folder / name).is_dir():
            try:
                files = _list_split(folder / name, classes, notes)
            except OSError as error:
                raise DataError(f"cannot read {error.filename}: {error.strerror}") from error
            paths = [path for path, _ in files]
            x = reader.read(name, folder / name, paths, wanted)
            splits[name] = Split(x, _labels(files))
            if wanted.size is None:
                wanted = replace(wanted, size=(x.shape[1], x.shape[2]), model=paths[0])
    train = splits["train"]
    assert train is not None
    return make_dataset(
        folder.name,
        str(folder),
        train,
        validation=splits["validation"],
        test=splits["test"],
        class_names=classes,
        notes=(*notes, *reader.notes),
    )


def class_folders(folder: Path) -> list[Path]:
    """The folders of a split, which are named like its classes, sorted by name."""
    visible = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted((path for path in visible if path.is_dir()), key=lambda path: path.name)


def _labels(files: list[tuple[str, int]]) -> np.ndarray:
    import numpy as np

    return np.array([label for _, label in files], np.int64)


def _list_split(folder: Path, classes: tuple[str, ...], notes: list[str]) -> list[tuple[str, int]]:
    """List a split's pictures with their labels, classes alternating in proportion."""
    foreign = [path.name for path in class_folders(folder) if path.name not in classes]
    if foreign:
        raise DataError(
            f"{folder / foreign[0]} is a class that train does not have",
            hint=f"train has {', '.join(classes[:20])}{', …' if len(classes) > 20 else ''}",
        )
    files: list[tuple[float, int, str]] = []  # each by its relative place within its class
    others: list[str] = [entry.path for entry in _entries(folder) if not entry.is_dir()]
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            continue  # a test set may lack a class
        paths: list[str] = []
        for entry in _entries(folder / name):
            is_picture = is_readable(entry.name) and entry.is_file()
            (paths if is_picture else others).append(entry.path)
        files += (((rank + 0.5) / len(paths), label, path) for rank, path in enumerate(paths))
        if not paths:
            raise DataError(f"{folder / name} has no images ({FORMATS})")
    if not files:
        raise DataError(f"{folder} has no images in folders of classes ({FORMATS})")
    if others:
        notes.append(
            f"{folder}: {len(others):,} other files or folders were not read, {others[0]} first"
        )
    return [(path, label) for _, label, path in sorted(files)]


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from sorted(
            (entry for entry in entries if not entry.name.startswith(".")),
            key=lambda entry: entry.name,
        )
