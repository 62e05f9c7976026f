"""From any array that a file holds to the few kinds that a data set has."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnctl.data.chunks import chunks
from cnnctl.data.pixels import BYTES, DEEP, UNIT, Range
from cnnctl.errors import DataError
from cnnctl.io.text import memory_size

if TYPE_CHECKING:
    import numpy as np

ALIGNMENT = 64
"""Bytes; TensorFlow takes memory that begins at a multiple of it as it is."""


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array whose values are not set, in memory that TensorFlow need not copy.

    Raises:
        ValueError: NumPy has no array of so many dimensions.
    """
    import numpy as np

    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    array: np.ndarray = memory[start : start + size].view(dtype).reshape(shape)
    return array


def as_images(x: np.ndarray, *, field: str) -> np.ndarray:
    """Return images as uint8 (as they are) or float32 (every other number).

    Args:
        x: `(images, …)`.
        field: The array's name, for messages.

    Raises:
        DataError: The array holds no numbers, is a single value, or has values beyond float32.
    """
    import numpy as np

    if x.dtype.kind not in "buif":
        raise DataError(
            f"{field} holds {_kind(x)}; pictures are numbers, best uint8 from 0 to 255",
            hint=numbers_from(x.dtype),
        )
    if x.ndim < 2:
        raise DataError(
            f"{field} has shape {x.shape}; expected (pictures, height, width, channels), "
            "(pictures, height, width) or (pictures, features)"
        )
    refuse_no_pixels(x.shape, field)
    return np.ascontiguousarray(x if x.dtype == np.uint8 else as_float32(x, field))


def as_float32(x: np.ndarray, field: str) -> np.ndarray:
    """Return numbers as float32, in which networks compute.

    Args:
        x: (images, …).
        field: The array's name, for messages.

    Raises:
        DataError: A finite value is beyond what float32 can hold.
    """
    import numpy as np

    try:
        with np.errstate(over="raise"):
            return x.astype(np.float32, copy=False)
    except FloatingPointError:
        with np.errstate(over="ignore"):
            first = tuple(np.argwhere(np.isfinite(x) & np.isinf(x.astype(np.float32)))[0])
        raise DataError(
            f"{field}: image {first[0]} (counted from 0) has the value {x[first]:.6g}, which is "
            f"beyond float32 (up to {np.finfo(np.float32).max:.3g}), in which networks compute",
            hint="scale the values, for example to 0 to 1: x / np.abs(x).max()",
        ) from None


def refuse_no_pixels(shape: tuple[int, ...], field: str) -> None:
    """Refuse images of which a dimension is 0: TensorFlow's kernels end the process on some.

    Args:
        shape: (images, …).
        field: The array's name, for messages.

    Raises:
        DataError: There are such images.
    """
    if 0 in shape[1:]:
        each = "×".join(map(str, shape[1:]))
        raise DataError(
            f"{field} has images of shape {each}, which have no pixels",
            hint="every dimension is at least 1: look at how the array was made",
        )


def refuse_not_finite(x: np.ndarray, field: str, noun: str) -> None:
    """Refuse floats that are NaN or infinite; the first one is named.

    Args:
        x: The array, with a row for each image.
        field: Its name, for messages.
        noun: What a row is.
    """
    import numpy as np

    if x.dtype.kind != "f":
        return
    first, affected = "", 0
    for start, some in chunks(x):
        rows = some.reshape(len(some), -1)
        finite = np.isfinite(rows)
        if not finite.all():
            row, column = (int(number) for number in np.argwhere(~finite)[0])
            first = first or (
                f"{noun} {start + row} (counted from 0) has the value {rows[row, column]}"
            )
            affected += int((~finite.all(1)).sum())
    if affected:
        raise DataError(
            f"{field} is not finite: {first}; images affected: {affected:,} of {len(x):,}",
            hint="look for a division by 0 or missing values where the array was made, or leave "
            "these images out: np.isfinite tells which",
        )


def pixel_facts(arrays: Mapping[str, np.ndarray]) -> tuple[Range | None, dict[str, str]]:
    """The range of the pixels of a data set, and each split's type as stored.

    Bytes and 16-bit numbers have the range of their type, true and false are 0 and 1; other
    integers are bytes in a larger type where their values are such. Of floats, and of integers of
    which no value is above 1, nothing is known.

    Args:
        arrays: The images of each split, as stored.
    """
    stored = {name: array.dtype.name for name, array in arrays.items()}
    if arrays["train"].dtype.kind == "f":
        return None, stored
    known = _range_of_integers([x for x in arrays.values() if x.dtype.kind in "bui"])
    floats = [x for x in arrays.values() if x.dtype.kind == "f" and x.size]
    # Beside bytes, floats up to 1 are bytes that were divided already.
    if known and not all(x.min() >= 0 and 1 < x.max() <= known[1] for x in floats):
        known = None
    return known, stored


def _range_of_integers(arrays: Sequence[np.ndarray]) -> Range | None:
    types = {f"{array.dtype.kind}{array.dtype.itemsize}" for array in arrays}
    if len(types) == 1 and (known := {"b1": UNIT, "u1": BYTES, "u2": DEEP}.get(next(iter(types)))):
        return known
    full = [array for array in arrays if array.size]
    if "b1" not in types and full:
        least, most = min(int(x.min()) for x in full), max(int(x.max()) for x in full)
        if least >= 0 and 1 < most <= BYTES[1]:
            return BYTES
    return None


def as_targets(y: np.ndarray, *, field: str) -> np.ndarray:
    """Return labels as int64 `(images,)` or `(images, targets)`, or numeric targets as float32;
    `(n, 1)` is squeezed.

    Args:
        y: Labels or targets.
        field: The array's name, for messages.

    Raises:
        DataError: The array holds no numbers, has another number of dimensions, or values beyond
            float32.
    """
    import numpy as np

    if y.dtype.kind not in "buif":
        raise DataError(
            f"{field} holds {_kind(y)}; labels are class numbers from 0, numeric targets are "
            "floats",
            hint=numbers_from(y.dtype),
        )
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim not in (1, 2) or (y.ndim == 2 and y.shape[1] == 0):
        raise DataError(
            f"{field} has shape {y.shape}; expected class numbers (pictures,), or targets "
            "(pictures,) or (pictures, targets)"
        )
    if y.dtype.kind == "f":
        return np.ascontiguousarray(as_float32(y, field))
    if y.dtype.kind == "u" and y.size and y.max() > np.iinfo(np.int64).max:
        raise DataError(f"{field} holds {y.max()}, which is no class number")
    return np.ascontiguousarray(y.astype(np.int64))


def refuse_if_too_large(size: int, what: str) -> None:
    """Raise before memory is taken that this machine does not have.

    Args:
        size: In bytes.
        what: What would take it.

    Raises:
        DataError: It is more than the machine's whole memory (64 GiB where that is not known).
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = 64 << 30
    if size > memory:
        raise DataError(
            f"{what} would take {memory_size(size)} of memory; this machine has "
            f"{memory_size(memory)}"
        )


def numbers_from(dtype: np.dtype[Any]) -> str | None:
    """A fix for an array of something other than numbers."""
    if dtype.kind in "US":
        return "np.unique(y, return_inverse=True)[1] makes class numbers of names"
    if dtype.kind == "O":
        return "np.stack(list(x)) makes one array of images of the same shape"
    return None


def _kind(array: np.ndarray) -> str:
    return {"O": "Python objects", "U": "text", "S": "text", "c": "complex numbers"}.get(
        array.dtype.kind, f"values of type {array.dtype}"
    )
