"""Pictures in folders: `train/<class>/*.png` or `*.jpg`, optional `validation/` and `test/`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from cnnctl.data.arrays import refuse_if_too_large
from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.data.download import Progress
from cnnctl.errors import DataError
from cnnctl.untrusted import is_bomb, open_plain

if TYPE_CHECKING:
    import numpy as np

_SUFFIXES = {".png", ".jpg", ".jpeg"}
_LARGEST = 50_000_000
_LARGEST_FILE = 4 * _LARGEST
_MOST_READS = 1_000_000
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class _Format:
    """What each picture is decoded to."""

    size: tuple[int, int] | None
    mode: str
    resize: bool


def load_image_folder(
    folder: Path,
    *,
    image_size: tuple[int, int] | None = None,
    color_mode: str = "rgb",
    resize: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Read a folder of pictures; the classes are the folders in `train/`, in sorted order.

    Hidden files are ignored; other files that are no PNG or JPEG are counted in a note. Colours
    are converted to `color_mode`; transparency is dropped, EXIF rotation is not applied.

    Args:
        folder: The folder that has `train/`.
        image_size: (height, width); None for the size that all pictures have.
        color_mode: `rgb` (3 channels) or `grayscale` (1 channel).
        resize: Resize every picture to `image_size` (bilinear, antialiased; the aspect ratio is
            not kept).
        progress: Told how many pictures are read.

    Returns:
        Pictures uint8 `(pictures, height, width, channels)`.

    Raises:
        DataError: The folder is not laid out so, a picture cannot be read or is too large, sizes
            differ, or a split has a class that `train` lacks.
    """
    from PIL import Image

    if color_mode not in ("rgb", "grayscale"):
        raise DataError(f"color_mode is rgb or grayscale. Received: {color_mode}")
    if resize and image_size is None:
        raise DataError("`resize: true` needs `image_size: [height, width]`")
    if image_size and (min(image_size) < 1 or image_size[0] * image_size[1] > _LARGEST):
        raise DataError(f"image_size is [height, width] in pixels. Received: {list(image_size)}")
    if not (folder / "train").is_dir():
        state = "has no folder train" if folder.is_dir() else "is not a folder"
        raise DataError(
            f"{folder} {state}",
            hint="expected train/<class>/*.png or *.jpg, and optionally test/ and validation/ "
            "with the same classes",
        )
    classes = tuple(path.name for path in _folders(folder / "train"))
    if not classes:
        raise DataError(
            f"{folder / 'train'} has no folders", hint="expected one for each class, with pictures"
        )
    wanted = _Format(image_size, {"rgb": "RGB", "grayscale": "L"}[color_mode], resize)
    splits: dict[str, Split | None] = {"train": None, "validation": None, "test": None}
    notes: list[str] = []
    for name in splits:
        if (folder / name).is_dir():
            try:
                files = _list_split(folder / name, classes, notes)
            except OSError as error:
                raise DataError(f"cannot read {error.filename}: {error.strerror}") from error
            with warnings.catch_warnings():
                # Pillow's own limit is above this one, which is an error and no warning.
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                paths = [path for path, _ in files]
                x = _read_pictures(paths, wanted, f"{name} pictures", progress)
            splits[name] = Split(x, _labels(files))
            wanted = _Format((x.shape[1], x.shape[2]), wanted.mode, resize)
    train = splits["train"]
    assert train is not None
    return make_dataset(
        folder.name,
        str(folder),
        train,
        validation=splits["validation"],
        test=splits["test"],
        class_names=classes,
        notes=tuple(notes),
    )


def _folders(folder: Path) -> list[Path]:
    visible = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted((path for path in visible if path.is_dir()), key=lambda path: path.name)


def _labels(files: list[tuple[Path, int]]) -> np.ndarray:
    import numpy as np

    return np.array([label for _, label in files], np.int64)


def _list_split(folder: Path, classes: tuple[str, ...], notes: list[str]) -> list[tuple[Path, int]]:
    """List a split's pictures with their labels, sorted by class and name."""
    foreign = [path.name for path in _folders(folder) if path.name not in classes]
    if foreign:
        raise DataError(
            f"{folder / foreign[0]} is a class that train does not have",
            hint=f"train has {', '.join(classes[:20])}{', …' if len(classes) > 20 else ''}",
        )
    files: list[tuple[Path, int]] = []
    others: list[str] = [entry.path for entry in _entries(folder) if not entry.is_dir()]
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            continue  # a test set may lack a class
        before = len(files)
        for entry in _entries(folder / name):
            path = Path(entry.path)
            if path.suffix.lower() in _SUFFIXES and entry.is_file():
                files.append((path, label))
            else:
                others.append(entry.path)
        if len(files) == before:
            raise DataError(f"{folder / name} has no pictures (*.png, *.jpg or *.jpeg)")
    if not files:
        raise DataError(f"{folder} has no pictures (<class>/*.png, *.jpg or *.jpeg)")
    if others:
        notes.append(
            f"{folder}: {len(others):,} other files or folders were not read, {others[0]} first"
        )
    return files


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from sorted(
            (entry for entry in entries if not entry.name.startswith(".")),
            key=lambda entry: entry.name,
        )


def _read_pictures(
    paths: list[Path], wanted: _Format, what: str, progress: Progress | None
) -> np.ndarray:
    """Decode pictures in threads (Pillow decodes outside the interpreter's lock)."""
    import numpy as np

    first = _decode(paths[0], wanted, None)
    x_shape = (len(paths), *first.shape)
    refuse_if_too_large(int(np.prod(x_shape, dtype=object)), f"{len(paths):,} {what}")
    x = np.empty(x_shape, np.uint8)

    def read(start: int) -> int:
        for index in range(start, min(start + _CHUNK, len(paths))):
            x[index] = _decode(paths[index], wanted, (first.shape[0], first.shape[1]), paths[0])
        return min(start + _CHUNK, len(paths))

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        tasks = [threads.submit(read, start) for start in range(0, len(paths), _CHUNK)]
        try:
            for task in tasks:
                done = task.result()
                if progress is not None:
                    progress(what, done, len(paths))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return x


class _Picture:
    """The file of a picture: not larger than one can be, and not read for ever, byte by byte, by
    whoever looks in it for the next header."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.size = os.fstat(file.fileno()).st_size
        if self.size > _LARGEST_FILE:
            raise OSError(f"it has {self.size:,} bytes, more than any picture")
        self.seek, self.tell = file.seek, file.tell
        self._file = file
        self._path = path
        self._reads = 0

    def __repr__(self) -> str:  # Pillow's messages name the file so
        return repr(str(self._path))

    def read(self, size: int = -1) -> bytes:
        self._reads += 1
        if self._reads > _MOST_READS:
            raise OSError("its headers have no end")
        return self._file.read(size)


def _decode(
    path: Path, wanted: _Format, size: tuple[int, int] | None, model: Path | None = None
) -> np.ndarray:
    """Decode one picture to `(height, width, channels)`, which must be of the right size."""
    import numpy as np
    from PIL import Image

    expected = wanted.size or size
    try:
        with open_plain(path) as opened:
            file = _Picture(opened, path)
            image = Image.open(cast("IO[bytes]", file), formats=("PNG", "JPEG"))
            width, height = image.size
            if width * height > _LARGEST:
                raise DataError(
                    f"{path} is {height}x{width}: more than {_LARGEST // 1_000_000} million pixels"
                )
            if is_bomb(width * height * len(image.getbands()), file.size):
                raise DataError(f"{path} is {height}x{width}, in {file.size:,} bytes: no picture")
            if image.mode.startswith(("I", "F")):
                raise DataError(f"{path} has 16 bits a pixel", hint="save it with 8 bits a channel")
            if expected and not wanted.resize and (height, width) != expected:
                reason = "image_size says" if wanted.size and model is None else "others are"
                raise DataError(
                    f"pictures differ in size: {path} is {height}x{width}, {reason} "
                    f"{expected[0]}x{expected[1]}" + (f" ({model})" if model else ""),
                    hint="write `image_size: [height, width]` and `resize: true` to resize them",
                )
            picture = image if image.mode == wanted.mode else image.convert(wanted.mode)
            if wanted.resize and wanted.size and (height, width) != wanted.size:
                picture = picture.resize(wanted.size[::-1], Image.Resampling.BILINEAR)
            pixels = np.asarray(picture)
    except DataError:
        raise
    except Exception as error:  # whatever Pillow makes of foreign bytes: SyntaxError, …
        empty = path.is_file() and path.stat().st_size == 0
        reason = "the file is empty" if empty else str(error)
        raise DataError(f"cannot read the picture {path}: {reason}") from error
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
