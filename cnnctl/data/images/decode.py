"""Decode one image to an array."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cnnctl.data.images import bit_depth
from cnnctl.data.images.open_image import DamagedImage, has_more, open_image, reason_of
from cnnctl.data.images.orientation import as_shown
from cnnctl.errors import DataError
from cnnctl.io.untrusted import open_plain

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


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
    image = shown if shown.mode == first else converted(shown, first)
    if other:
        image = image.resize(other[::-1], Image.Resampling.BILINEAR)
    image = image if image.mode == wanted.mode else converted(image, wanted.mode)
    pixels = np.asarray(image)
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
