"""Pictures decoded to bytes, one by one or many in threads."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from cnnctl.data.chunks import CHUNK
from cnnctl.data.shown import as_shown
from cnnctl.errors import DataError
from cnnctl.untrusted import is_bomb, open_plain

if TYPE_CHECKING:
    import numpy as np

LARGEST = 50_000_000
"""The most pixels that a picture may have."""

_LARGEST_FILE = 4 * LARGEST
_MOST_READS = 1_000_000
_MOST_AT_ONCE = 200
_LOCKED_SECONDS = 40e-6  # of the 67 µs that a PNG file of 32×32 takes on an AMD EPYC


@dataclass(frozen=True, slots=True)
class Format:
    """What each picture is decoded to.

    Args:
        size: (height, width); None for that of the first picture.
        mode: Pillow's name, `RGB` or `L`.
        resize: Whether pictures of another size are resized.
        model: The picture that has `size`, for messages; None where the spec says it.
    """

    size: tuple[int, int] | None
    mode: str
    resize: bool
    model: str | None = None

    @property
    def channels(self) -> int:
        """How many channels a picture has."""
        return {"RGB": 3, "L": 1}[self.mode]


def decode_all(
    paths: Sequence[str],
    wanted: Format,
    put: Callable[[np.ndarray], None],
    *,
    threads: int,
    progress: Callable[[int], None],
) -> None:
    """Decode pictures in threads (Pillow decodes outside the interpreter's lock), in order.

    Args:
        paths: The files.
        wanted: What they are decoded to; its size is known.
        put: Gets the pictures in the order of `paths`, some at a time: uint8
            `(some, height, width, channels)`.
        threads: How many decode.
        progress: Told after every `put` how many are done.

    Raises:
        DataError: A picture cannot be read or is of another size; the first such one is named.
    """
    import numpy as np

    assert wanted.size is not None
    shape = (*wanted.size, wanted.channels)
    rows = max(1, min(_MOST_AT_ONCE, CHUNK // (shape[0] * shape[1] * shape[2])))

    def read(start: int) -> np.ndarray:
        some = paths[start : start + rows]
        x = np.empty((len(some), *shape), np.uint8)
        for index, path in enumerate(some):
            x[index] = decode(Path(path), wanted)
        return x

    done = 0
    waiting: deque[Future[np.ndarray]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for start in range(0, len(paths), rows):
                waiting.append(pool.submit(read, start))
                # No more is decoded ahead than the threads need, however slowly it is taken.
                last = start + rows >= len(paths)
                while waiting and (last or len(waiting) > threads + 1):
                    x = waiting.popleft().result()
                    put(x)
                    done += len(x)
                    progress(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def useful_threads(path: Path, wanted: Format, cpus: int) -> int:
    """How many threads to decode pictures like this one with, at most one for each processor.

    For part of the time that a picture takes a thread needs the interpreter's lock, for which the
    others wait: with eight threads, pictures of 32×32 take longer than with two.

    Args:
        path: A picture, which was decoded before.
        wanted: What it is decoded to.
        cpus: How many processors there are.
    """
    if cpus <= 2:
        return cpus
    quickest = math.inf
    for _ in range(3):
        began = time.perf_counter()
        decode(path, wanted)
        quickest = min(quickest, time.perf_counter() - began)
        if quickest >= cpus * _LOCKED_SECONDS:
            return cpus
    return min(cpus, max(2, int(quickest / _LOCKED_SECONDS)))


def decode(path: Path, wanted: Format) -> np.ndarray:
    """Decode one picture, as it is shown: upright by its EXIF data, on white where transparent.

    Args:
        path: A PNG or JPEG file.
        wanted: What it is decoded to.

    Returns:
        uint8 `(height, width, channels)`.

    Raises:
        DataError: It cannot be read, is too large, or is of another size and not to be resized.
    """
    import numpy as np
    from PIL import Image

    try:
        with open_plain(path) as opened:
            file = _Picture(opened, path)
            image = Image.open(cast("IO[bytes]", file), formats=("PNG", "JPEG"))
            width, height = image.size
            if width * height > LARGEST:
                raise DataError(
                    f"{path} is {height}x{width}: more than {LARGEST // 1_000_000} million pixels"
                )
            if is_bomb(width * height * len(image.getbands()), file.size):
                raise DataError(f"{path} is {height}x{width}, in {file.size:,} bytes: no picture")
            if image.mode.startswith(("I", "F")):
                raise DataError(f"{path} has 16 bits a pixel", hint="save it with 8 bits a channel")
            shown, _ = as_shown(image)
            width, height = shown.size
            if wanted.size and not wanted.resize and (height, width) != wanted.size:
                reason = "others are" if wanted.model else "image_size says"
                raise DataError(
                    f"pictures differ in size: {path} is {height}x{width}, {reason} "
                    f"{wanted.size[0]}x{wanted.size[1]}"
                    + (f" ({wanted.model})" if wanted.model else ""),
                    hint="write `image_size: [height, width]` and `resize: true` to resize them",
                )
            picture = shown if shown.mode == wanted.mode else shown.convert(wanted.mode)
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
