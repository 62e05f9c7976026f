"""Open an image file of any format that is read, without decoding it, whoever wrote it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, BinaryIO, cast

from cnnctl.data.images import bit_depth
from cnnctl.data.images.content import START, what_it_is
from cnnctl.data.images.formats import PILLOW_FORMATS
from cnnctl.errors import DataError
from cnnctl.io.untrusted import is_bomb

if TYPE_CHECKING:
    from PIL.Image import Image


LARGEST = 50_000_000
"""The most pixels that an image may have."""

_LONGEST_SIDE = 65_535
"""The most that JPEG and GIF can have. What resizes an image computes with each pixel of a side."""

_LARGEST_FILE = 4 * LARGEST
_MOST_READS = 300_000
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
