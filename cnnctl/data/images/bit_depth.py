"""Images with 16 bits per channel, as a viewer shows them; and which images have so many.

Pillow holds 16 bits of one channel only, and cuts colors to their high byte. Its decoder for PNG
takes the bytes in either order, so the low bytes are read as high ones, and both put together.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, BinaryIO

from cnnctl.data.images.orientation import turn

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

MOST = 65535
"""White, with 16 bits."""

STEP = 257
"""What one step of 8 bits is in 16: 255 becomes 65535."""

_CONVERT = "save it with 8 bits per channel"
_PHOTOMETRIC, _BITS, _EXTRA, _FORMAT = 262, 258, 338, 339
_WHITE_IS_ZERO = 0


class Unsupported(ValueError):
    """An image whose pixels are not whole numbers of 8 or 16 bits, gray or RGB."""


def bits_of(image: Image, file: BinaryIO) -> int:
    """How many bits a channel has: 8 (or fewer, which are scaled to 8), or 16.

    Args:
        image: As Pillow opens it; not loaded yet.
        file: What it was opened from.

    Raises:
        Unsupported: Other numbers, or channels that are neither color nor transparency.
    """
    if image.format == "PNG":
        # The order of the bytes that its decoder is to read: `RGB;16B`, say.
        return 16 if any("16" in str(tile[3]) for tile in image.tile) else 8  # type: ignore[attr-defined]
    if image.format == "TIFF":
        return _bits_of_tiff(image)
    if image.format == "PPM" and _largest_of_ppm(_at(file, 0, 1024)) > 255:
        raise Unsupported(f"it has 16 bits per channel: save it as PNG, or {_CONVERT}")
    if image.mode.startswith(("I", "F")):
        raise Unsupported(f"its pixels are floats or have 32 bits: {_CONVERT}")
    return 8


def _bits_of_tiff(image: Image) -> int:
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits = tuple(tags.get(_BITS, (1,)))
    kinds = tuple(tags.get(_FORMAT, (1,)))
    if any(kind not in (1, 4) for kind in kinds) or max(bits) > 16:
        words = {2: "signed numbers", 3: "floats"}.get(max(kinds), f"numbers of {max(bits)} bits")
        raise Unsupported(f"its pixels are {words}: {_CONVERT}")
    if 0 in tuple(tags.get(_EXTRA, ())):
        raise Unsupported(
            f"it has {len(bits)} channels, some of which are neither color nor transparency: save "
            "it as RGB, or its channels as an .npz file"
        )
    if max(bits) <= 8:
        return 8
    if bits != (16,):
        where = "in color " if len(bits) > 1 else ""
        raise Unsupported(f"it has {max(bits)} bits per channel {where}in a TIFF file: save it as "
                          f"PNG, or {_CONVERT}")  # fmt: skip
    return 16


def _largest_of_ppm(start: bytes) -> int:
    """The value of white that a PPM or PGM file declares; 1 for PBM."""
    kind, *words = re.sub(rb"#[^\r\n]*", b"", start).split(maxsplit=4)
    if kind in (b"P1", b"P4"):
        return 1
    return int(words[2]) if len(words) > 2 and words[2].isdigit() else 0


def as_shown(image: Image, file: BinaryIO) -> tuple[np.ndarray, list[str]]:
    """Decode an image of 16 bits: upright, and on white where it is transparent.

    Args:
        image: As Pillow opens it; `bits_of` says 16.
        file: What it was opened from.

    Returns:
        uint16 (height, width, 1 or 3); and what was done to it, in words.
    """
    import numpy as np

    steps = []
    orientation = turn(image)  # loads it, and so finds what is damaged
    x = _channels(image, file)
    if orientation:
        x = _TURNS[orientation](x)
        steps.append("turned as its EXIF data says")
    if x.shape[2] in (2, 4):
        alpha = x[..., -1:].astype(np.uint32)
        # Fits: color * alpha + white * (white - alpha) is at most white * white.
        mixed = x[..., :-1] * alpha + np.uint32(MOST) * (np.uint32(MOST) - alpha)
        x = ((mixed + np.uint32(MOST // 2)) // np.uint32(MOST)).astype(np.uint16)
        if (alpha != MOST).any():
            steps.append("laid on white where it is transparent")
    elif (clear := image.info.get("transparency")) is not None and image.format == "PNG":
        is_clear = (x == np.asarray(clear)).all(-1)
        x = np.where(is_clear[..., None], np.uint16(MOST), x)
        if is_clear.any():
            steps.append("laid on white where it is transparent")
    return np.ascontiguousarray(x), steps


_TURNS = {
    "FLIP_LEFT_RIGHT": lambda x: x[:, ::-1],
    "ROTATE_180": lambda x: x[::-1, ::-1],
    "FLIP_TOP_BOTTOM": lambda x: x[::-1],
    "TRANSPOSE": lambda x: x.swapaxes(0, 1),
    "ROTATE_270": lambda x: x[::-1].swapaxes(0, 1),
    "TRANSVERSE": lambda x: x[::-1, ::-1].swapaxes(0, 1),
    "ROTATE_90": lambda x: x[:, ::-1].swapaxes(0, 1),
}


def _channels(image: Image, file: BinaryIO) -> np.ndarray:
    """uint16 (height, width, channels), as stored."""
    import numpy as np

    if image.mode.startswith("I;16"):
        gray = np.asarray(image).astype(np.uint16)[..., None]
        inverted = image.format == "TIFF" and (
            image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO  # type: ignore[attr-defined]
        )
        return MOST - gray if inverted else gray
    from PIL.Image import frombytes

    data, color = _idat(file), _at(file, 25, 1)[0]
    interlaced = int(bool(image.info.get("interlace")))

    def bytes_of(mode: str, order: str) -> np.ndarray:
        made = frombytes(mode, image.size, data, "zip", order, interlaced)
        return np.asarray(made).astype(np.uint16)

    if color == 4:  # gray and alpha, of two bytes each: as many as RGBA has
        both = bytes_of("RGBA", "RGBA")
        high, low = both[..., ::2], both[..., 1::2]
    else:
        mode = {2: "RGB", 6: "RGBA"}[color]
        high, low = bytes_of(mode, f"{mode};16B"), bytes_of(mode, f"{mode};16L")
    whole: np.ndarray = high << 8 | low
    return whole


def _idat(file: BinaryIO) -> bytes:
    """The compressed pixels of a PNG file, which Pillow has found to be sound."""
    file.seek(8)
    parts = []
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            parts.append(file.read(length))
        elif parts:
            break
        else:
            file.seek(length, 1)
        file.seek(4, 1)
    return b"".join(parts)


def _at(file: BinaryIO, start: int, count: int) -> bytes:
    """Some bytes of a file, whose position stays."""
    before = file.tell()
    file.seek(start)
    found = file.read(count)
    file.seek(before)
    return found


def with_channels(x: np.ndarray, channels: int) -> np.ndarray:
    """uint16 (height, width, 1 or 3) as gray or RGB, by the weights that Pillow has for 8 bits."""
    import numpy as np

    if x.shape[2] == channels:
        return x
    if channels == 3:
        return np.repeat(x, 3, 2)
    red, green, blue = np.moveaxis(x.astype(np.uint32), 2, 0)
    # ITU-R 601, times 65536
    gray: np.ndarray = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return gray.astype(np.uint16)[..., None]


def resized(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint16 (height, width, channels) in another (height, width): bilinear, antialiased."""
    import numpy as np
    from PIL import Image

    planes = [
        Image.fromarray(plane.astype(np.float32)).resize(size[::-1], Image.Resampling.BILINEAR)
        for plane in np.moveaxis(x, 2, 0)
    ]
    made: np.ndarray = np.rint(np.stack([np.asarray(plane) for plane in planes], 2))
    return made.astype(np.uint16)


def to_bytes(x: np.ndarray) -> np.ndarray:
    """uint16 as uint8: 65535 becomes 255, and a dark image stays one."""
    import numpy as np

    made: np.ndarray = np.round(x / STEP)
    return made.astype(np.uint8)


def from_bytes(x: np.ndarray) -> np.ndarray:
    """uint8 as uint16: 255 becomes 65535."""
    import numpy as np

    return x.astype(np.uint16) * np.uint16(STEP)
