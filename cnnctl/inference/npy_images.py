"""Convert the arrays of `.npy` files to a network's input, and report every conversion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cnnctl.data.arrays import as_float32
from cnnctl.data.images import bit_depth
from cnnctl.data.npz import read_array
from cnnctl.data.pixels import BYTES, DEEP, UNIT, Range
from cnnctl.errors import DataError
from cnnctl.inference.image_files import ImageFile
from cnnctl.inference.image_style import Look

if TYPE_CHECKING:
    import numpy as np


def read_npy(file: ImageFile, look: Look) -> tuple[np.ndarray, list[str]]:
    """Read the images of an `.npy` file, one or several.

    Returns:
        They, (images, *look.shape), and what was done to them.
    """
    import numpy as np

    array = read_array(file.file, file.size, file.name)
    images, reshaped = _as_images(array, look.shape, file.name)
    steps = [reshaped] if reshaped else []
    if images.dtype != np.uint8 or look.pixels not in (None, BYTES):
        images = _numbers(images, look.pixels, file.name, steps)
    return images, steps


def _numbers(x: np.ndarray, known: Range | None, name: str, steps: list[str]) -> np.ndarray:
    """Pixels of any type as those that a network knows, as far as that can be told."""
    import numpy as np

    whole = x.dtype.kind != "f"
    if known == DEEP and x.dtype == np.uint8:
        steps.append(f"made 16 bits per channel (times {bit_depth.STEP})")
        return bit_depth.from_bytes(x)
    if not whole:
        x = as_float32(x, name)
        if not np.isfinite(x).all():
            raise DataError(
                f"{name} holds values that are not finite",
                hint="look for a division by 0 or missing values where the array was made",
            )
    least, most = float(x.min()), float(x.max())
    if known == BYTES:
        if not 0 <= least <= most <= 255:
            raise DataError(
                f"{name} has {range_words((least, most))}; the network was trained on 0 to 255"
            )
        if not whole and most <= 1:
            steps.append("values from 0 to 1 taken times 255")
            return x * np.float32(255)
        return x.astype(np.uint8) if whole else x
    if known == UNIT and whole and least >= 0 and 1 < most <= 255:
        return divide_by_255(x, steps)
    if known is not None:
        near = (known[1] - known[0]) / 2
        if least < known[0] - near or most > known[1] + near:
            steps.append(
                f"it has {range_words((least, most))}, "
                f"and the network was trained on {range_words(known)}"
            )
    return x.astype(np.float32)


def divide_by_255(x: np.ndarray, steps: list[str]) -> np.ndarray:
    """Pixels from 0 to 255 as numbers from 0 to 1."""
    import numpy as np

    steps.append("divided by 255, since the network knows values from 0 to 1")
    return x.astype(np.float32) / np.float32(255)


def range_words(found: Range) -> str:
    """A range of values, for people."""
    return f"values from {found[0]:.6g} to {found[1]:.6g}"


def _as_images(array: Any, shape: tuple[int, ...], name: str) -> tuple[np.ndarray, str | None]:
    """An array as (images, *shape), and what was done to it."""
    whole = array.shape
    if array.size == 0:
        raise DataError(f"{name} is empty: its shape is {'×'.join(map(str, whole)) or '()'}")
    for candidate, step in ((whole, None), ((*whole, 1), "a channel added")):
        for images in (candidate, (1, *candidate)):
            if images[1:] == shape and math.prod(images) == array.size:
                return array.reshape(images), step
    if whole[-1:] == (1,) and whole[:-1] in (shape, (*whole[:1], *shape)):
        return array.reshape(-1, *shape), "the channel taken away"
    came, wanted = ("×".join(map(str, each)) for each in (whole, shape))
    raise DataError(f"{name} has the shape {came}; the network takes {wanted}")
