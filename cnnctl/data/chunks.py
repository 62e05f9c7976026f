"""Reading an array that may lie on the disk, without ever having all of it in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap

    import numpy as np

CHUNK = 1 << 20
"""About how many bytes are looked at at once."""


def chunks(x: np.ndarray, rows: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (number of the first row, rows as a view); at least one row, about `CHUNK` bytes.

    Pages of a file that a chunk has brought into this process's memory leave it with the chunk.

    Args:
        x: (rows, …).
        rows: How many at once, instead.
    """
    # What was written to a private copy of a page would be lost with it.
    mapped = None if x.flags.writeable else mapping(x)
    rows = rows or (max(1, CHUNK * len(x) // x.nbytes) if x.nbytes else 1)
    for start in range(0, len(x), rows):
        yield start, x[start : start + rows]
        if mapped is not None:
            forget(mapped)


def mapping(x: np.ndarray) -> mmap.mmap | None:
    """The memory-mapped file that an array, or what it is a view of, lies in; None in memory."""
    import mmap

    import numpy as np

    base: object = x
    while isinstance(base, np.ndarray):
        # A copy of a `np.memmap` is of that type as well, so what counts is the end of the chain.
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def forget(mapped: mmap.mmap) -> None:
    """Take a file's pages out of this process's memory; they come back when they are read."""
    import mmap

    if hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def read_at_random(x: np.ndarray) -> None:
    """Tell the system that rows of an array on the disk are read in any order from now on.

    Else it reads ahead behind each of them: up to megabytes, which are thrown away where the array
    does not fit in memory.
    """
    import mmap

    mapped = mapping(x)
    if mapped is not None and hasattr(mmap, "MADV_RANDOM"):
        mapped.madvise(mmap.MADV_RANDOM)


def rows_of(x: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Rows of an array as an array in memory; the disk is asked for all before the first is
    waited for.

    Args:
        x: (rows, …), contiguous.
        numbers: Of the rows, in any order.
    """
    import mmap

    import numpy as np

    mapped = mapping(x)
    if mapped is not None and hasattr(mmap, "MADV_WILLNEED") and len(numbers):
        start = x.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data
        size = x.nbytes // len(x)
        for number in numbers.tolist():
            first = start + number * size
            page = first - first % mmap.PAGESIZE
            mapped.madvise(mmap.MADV_WILLNEED, page, first + size - page)
    return np.ascontiguousarray(x[numbers])
