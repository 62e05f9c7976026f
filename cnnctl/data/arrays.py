"""From any array that a file holds to the few kinds that a data set has."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from cnnctl.errors import DataError

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


def as_pictures(x: np.ndarray, *, field: str) -> np.ndarray:
    """Return pictures as uint8 (as they are) or float32 (every other number).

    Args:
        x: `(pictures, …)`.
        field: The array's name, for messages.

    Raises:
        DataError: The array holds no numbers, or is a single value.
    """
    import numpy as np

    if x.dtype.kind not in "buif":
        raise DataError(f"{field} holds {_kind(x)}; pictures are numbers, best uint8 from 0 to 255")
    if x.ndim < 2:
        raise DataError(
            f"{field} has shape {x.shape}; expected (pictures, height, width, channels), "
            "(pictures, height, width) or (pictures, features)"
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is reported
        return np.ascontiguousarray(x if x.dtype == np.uint8 else x.astype(np.float32, copy=False))


def as_targets(y: np.ndarray, *, field: str) -> np.ndarray:
    """Return labels as int64 `(pictures,)`, or numeric targets as float32; `(n, 1)` is squeezed.

    Args:
        y: Labels or targets.
        field: The array's name, for messages.

    Raises:
        DataError: The array holds no numbers, or integers in a table.
    """
    import numpy as np

    if y.dtype.kind not in "buif":
        raise DataError(
            f"{field} holds {_kind(y)}; labels are class numbers from 0, numeric targets are floats"
        )
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "f":
        if y.ndim not in (1, 2):
            raise DataError(f"{field} has shape {y.shape}; expected (pictures,)")
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(y.astype(np.float32, copy=False))
    if y.ndim != 1:
        raise DataError(
            f"{field} has shape {y.shape}; expected class numbers (pictures,)",
            hint="for one-hot labels write the class numbers, y.argmax(axis=1), and "
            "`label_mode: categorical`",
        )
    if y.dtype.kind == "u" and y.size and y.max() > np.iinfo(np.int64).max:
        raise DataError(f"{field} holds {y.max()}, which is no class number")
    return y.astype(np.int64)


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
            f"{what} would take {size / 2**30:,.1f} GiB of memory; this machine has "
            f"{memory / 2**30:,.1f} GiB"
        )


def _kind(array: np.ndarray) -> str:
    return {"O": "Python objects", "U": "text", "S": "text", "c": "complex numbers"}.get(
        array.dtype.kind, f"values of type {array.dtype}"
    )
