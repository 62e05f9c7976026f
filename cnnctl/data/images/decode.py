"""Images decoded to arrays, one by one or many in threads."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from cnnctl.data.chunks import CHUNK
from cnnctl.data.images import bit_depth
from cnnctl.data.images.content import START, what_it_is
from cnnctl.data.images.formats import PILLOW_FORMATS
from cnnctl.data.images.orientation import as_shown
from cnnctl.errors import DataError
from cnnctl.io.untrusted import is_bomb, open_plain

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

LARGEST = 50_000_000
"""The most pixels that a picture may have."""

_LONGEST_SIDE = 65_535
"""The most that JPEG and GIF can have. What resizes an image computes with each pixel of a side."""

_LARGEST_FILE = 4 * LARGEST
_MOST_READS = 300_000
_MOST_AT_ONCE = 200
_LOCKED_SECONDS = 40e-6  # of the 67 µs that a PNG file of 32×32 takes on an AMD EPYC
_LONGEST_REASON = 200


class DamagedImage(DataError):
    """An image that cannot be read.

    Args:
        name: The file.
        reason: Why, in words.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cannot read the image {name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Format:
    """What each image is decoded to.

    Args:
        size: (height, width); None for that of the first image.
        mode: Pillow's name, `RGB` or `L`.
        resize: Whether images of another size are resized.
        bits: Per channel, 8 or 16; None for those of the first image.
        model: The image that has `size` and `bits`, for messages; None where the spec says it.
    """

    size: tuple[int, int] | None
    mode: str
    resize: bool
    bits: int | None = None
    model: str | None = None

    @property
    def channels(self) -> int:
        """How many channels an image has."""
        return {"RGB": 3, "L": 1}[self.mode]


@dataclass(frozen=True, slots=True)
class Decoded:
    """One image.

    Args:
        pixels: uint8 or uint16 (height, width, channels).
        has_more: Whether the file has further frames or pages, which are not read.
    """

    pixels: np.ndarray
    has_more: bool


@dataclass(slots=True)
class Findings:
    """What was found in many images.

    Args:
        damaged: Why an image cannot be read, by its place among the files.
        several: The places of files with further frames or pages.
    """

    damaged: dict[int, str] = field(default_factory=dict)
    several: list[int] = field(default_factory=list)


def decode_all(
    paths: Sequence[str],
    wanted: Format,
    put: Callable[[np.ndarray], None],
    *,
    threads: int,
    progress: Callable[[int], None],
) -> Findings:
    """Decode images in threads (Pillow decodes outside the interpreter's lock), in order.

    Args:
        paths: The files.
        wanted: What they are decoded to; its size and bits are known.
        put: Gets the images in the order of `paths`, some at a time: uint8 or uint16
            `(some, height, width, channels)`; those that cannot be read are left out.
        threads: How many decode.
        progress: Told after every `put` how many are done.

    Raises:
        DataError: An image is of another size or depth; the first such one is named.
    """
    import numpy as np

    assert wanted.size is not None
    assert wanted.bits is not None
    shape = (*wanted.size, wanted.channels)
    rows = max(1, min(_MOST_AT_ONCE, CHUNK // (math.prod(shape) * wanted.bits // 8)))

    def read(start: int) -> tuple[np.ndarray, Findings]:
        some, found, count = paths[start : start + rows], Findings(), 0
        x = np.empty((len(some), *shape), f"uint{wanted.bits}")
        for index, path in enumerate(some, start):
            try:
                decoded = decode(Path(path), wanted)
            except DamagedImage as error:
                found.damaged[index] = error.reason
                continue
            x[count] = decoded.pixels
            count += 1
            if decoded.has_more:
                found.several.append(index)
        return x[:count], found

    all_found = Findings()
    done = 0
    waiting: deque[Future[tuple[np.ndarray, Findings]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for start in range(0, len(paths), rows):
                waiting.append(pool.submit(read, start))
                # No more is decoded ahead than the threads need, however slowly it is taken.
                last = start + rows >= len(paths)
                while waiting and (last or len(waiting) > threads + 1):
                    x, found = waiting.popleft().result()
                    all_found.damaged |= found.damaged
                    all_found.several += found.several
                    put(x)
                    done = min(done + rows, len(paths))
                    progress(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return all_found


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


def decode(path: Path, wanted: Format) -> Decoded:
    """Decode one image, as it is shown: upright by its EXIF data, on white where transparent.

    Args:
        path: An image file, of any format that is read whatever its name is.
        wanted: What it is decoded to.

    Raises:
        DamagedImage: It cannot be read, or is too large.
        DataError: It is of another size or depth than the others, and not to be resized.
    """
    try:
        with open_plain(path) as opened:
            size = os.fstat(opened.fileno()).st_size
            file, image, bits = open_image(opened, size, str(path))
            if wanted.bits not in (None, bits):
                raise DataError(
                    f"images differ in depth: {path} has {bits} bits per channel, others have "
                    f"{wanted.bits}" + (f" ({wanted.model})" if wanted.model else ""),
                    hint="save all with 8 bits per channel, or all with 16",
                )
            pixels = _pixels(file, image, bits, path, wanted)
            return Decoded(pixels, has_more(image))
    except DataError:
        raise
    except Exception as error:  # whatever Pillow makes of foreign bytes: SyntaxError, …
        raise DamagedImage(str(path), reason_of(error)) from error


def open_image(opened: BinaryIO, size: int, name: str) -> tuple[BinaryIO, Image, int]:
    """Open an image of any format that is read, without decoding it.

    Args:
        opened: The file, or bytes in memory.
        size: How many bytes it has.
        name: What messages call it.

    Returns:
        The file to read from on, the image, and how many bits a channel has.

    Raises:
        DamagedImage: It is not an image, or is too large, or its pixels are not supported.
        Exception: Whatever Pillow makes of foreign bytes; see `reason_of`.
    """
    from PIL import Image, UnidentifiedImageError

    file = cast("BinaryIO", _File(opened, size, name))
    try:
        image = Image.open(cast("IO[bytes]", file), formats=PILLOW_FORMATS)
    except UnidentifiedImageError as error:
        opened.seek(0)
        raise DamagedImage(name, what_it_is(opened.read(START))) from error
    width, height = image.size
    if width * height > LARGEST or max(width, height) > _LONGEST_SIDE:
        most = f"more than {LARGEST // 1_000_000} million pixels"
        if width * height <= LARGEST:
            most = f"a side has more than {_LONGEST_SIDE:,} pixels"
        raise DamagedImage(name, f"it is {height}x{width}: {most}, and too large for an image")
    try:
        bits = bit_depth.bits_of(image, file)
    except bit_depth.Unsupported as error:
        raise DamagedImage(name, str(error)) from error
    unpacked = width * height * len(image.getbands()) * bits // 8
    if is_bomb(unpacked, size, width * height * _bytes_per_pixel(image, bits)):
        raise DamagedImage(
            name, f"it is {height}x{width} pixels in {size:,} bytes: too large for an image"
        )
    return file, image, bits


def _bytes_per_pixel(image: Image, bits: int) -> int:
    """About how many bytes per pixel the decoding of an image takes at its peak, as measured."""
    is_gray = image.mode in ("1", "L", "I;16", "I;16B", "I")
    if bits == 16:
        return 24 if is_gray else 80
    if image.format == "WEBP" or image.has_transparency_data:
        return 20
    return 2 if is_gray else {"RGB": 8, "P": 9}.get(image.mode, 12)


def reason_of(error: Exception) -> str:
    """Why an image cannot be read, in one line."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.strerror or str(error)
    first = (str(error).splitlines() or [""])[0][:_LONGEST_REASON]
    return first or f"it is damaged ({type(error).__name__})"


def _pixels(file: BinaryIO, image: Image, bits: int, path: Path, wanted: Format) -> np.ndarray:
    """An open image as an array, in the size and channels that are wanted."""
    import numpy as np
    from PIL import Image

    if wanted.size and not wanted.resize and sorted(image.size) != sorted(wanted.size):
        _other_size(path, image.size[::-1], wanted)  # raises before anything is decoded
    if bits == 16:
        x, _ = bit_depth.as_shown(image, file)
        x = bit_depth.with_channels(x, wanted.channels)
        if other := _other_size(path, (x.shape[0], x.shape[1]), wanted):
            x = bit_depth.resized(x, other)
        return x
    shown, _ = as_shown(image)
    other = _other_size(path, shown.size[::-1], wanted)
    # Gray stays gray until it is resized: the values are the same in a quarter of the memory.
    first = "L" if other and shown.mode in ("1", "L") else wanted.mode
    picture = shown if shown.mode == first else converted(shown, first)
    if other:
        picture = picture.resize(other[::-1], Image.Resampling.BILINEAR)
    picture = picture if picture.mode == wanted.mode else converted(picture, wanted.mode)
    pixels = np.asarray(picture)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def converted(image: Image, mode: str) -> Image:
    """An image of 8 bits per channel in another mode, RGB or L.

    Raises:
        ValueError: Its colors cannot be converted: those of LAB, say.
    """
    try:
        return image.convert(mode)
    except ValueError as error:
        raise ValueError(f"its colors are {image.mode}: save it as RGB") from error


def _other_size(path: Path, size: tuple[int, int], wanted: Format) -> tuple[int, int] | None:
    """The (height, width) to which an image is to be resized, if it is of another size.

    Raises:
        DataError: It is of another size, and not to be resized.
    """
    if wanted.size is None or size == wanted.size:
        return None
    if wanted.resize:
        return wanted.size
    reason = "others are" if wanted.model else "image_size says"
    raise DataError(
        f"images differ in size: {path} is {size[0]}x{size[1]}, {reason} "
        f"{wanted.size[0]}x{wanted.size[1]}" + (f" ({wanted.model})" if wanted.model else ""),
        hint="write `image_size: [height, width]` and `resize: true` to resize them",
    )


def has_more(image: Image) -> bool:
    """Whether a file has further frames or pages; a camera's previews (MPO) are none."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except Exception:  # whatever Pillow makes of a frame that is damaged; the first one is sound
        return True


class _File:
    """The file of an image: not larger than one can be, and not read for ever, byte by byte, by
    whoever looks in it for the next header."""

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        if size > _LARGEST_FILE:
            raise DamagedImage(name, f"it has {size:,} bytes, more than any image")
        self.seek, self.tell = file.seek, file.tell
        self._file = file
        self._name = name
        self._reads = 0

    def __repr__(self) -> str:  # Pillow's messages name the file so
        return repr(self._name)

    def read(self, size: int = -1) -> bytes:
        self._reads += 1
        if self._reads > _MOST_READS:
            raise OSError("its headers have no end")
        return self._file.read(size)
