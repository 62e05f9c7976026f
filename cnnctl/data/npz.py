"""NumPy's `.npz` files, read without pickle and without trusting the sizes they declare."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from cnnctl.data.arrays import (
    as_images,
    as_targets,
    empty,
    numbers_from,
    pixel_facts,
    refuse_if_too_large,
)
from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.errors import DataError, listed, shortened
from cnnctl.io.path_kinds import refuse_other
from cnnctl.io.untrusted import MAX_READ, open_plain, open_zip, reason

if TYPE_CHECKING:
    import numpy as np

KEYS = {
    "train": ("x_train", "y_train"),
    "validation": ("x_val", "y_val"),
    "test": ("x_test", "y_test"),
}
"""Split → the names of its arrays."""

_LONGEST_HEADER = 10_000
"""Bytes; NumPy's own limit, which it applies only after it has read and decoded the header."""

_EXAMPLE = "np.savez(file, x_train=…, y_train=…, x_test=…, y_test=…)"


def load_npz(path: Path) -> Dataset:
    """Read `x_train`, `y_train` and, where they are, `x_test`, `y_test`, `x_val`, `y_val`.

    Args:
        path: The file, in the layout of Keras's data sets.

    Returns:
        The data set; its name is the file's.

    Raises:
        DataError: There is no such file, it is damaged, lacks arrays, or holds no numbers.
    """
    wanted = {key for keys in KEYS.values() for key in keys}
    arrays, others = read_npz(path, wanted)
    return make_dataset(
        path.stem,
        str(path),
        **splits_of(arrays, path),
        notes=(f"{path.name}: not read: {listed(others)}",) if others else (),
    )


def splits_of(
    arrays: dict[str, np.ndarray], what: Path | str, hint: str = _EXAMPLE
) -> dict[str, Any]:
    """Pair images with labels: `train`, and `validation` and `test` where they are; and what
    is known of the pixels, for `make_dataset`.

    Args:
        arrays: By their names.
        what: Where they are from, for messages.
        hint: How they are made, for messages.

    Raises:
        DataError: `x_train` is missing, or one array of a pair, or one holds no numbers.
    """
    splits: dict[str, Any] = {}
    for name, (x, y) in KEYS.items():
        if x not in arrays and y not in arrays and name != "train":
            continue
        for key in (x, y):
            if key not in arrays:
                raise DataError(
                    f"{what} has no array `{key}`; it has {listed(arrays) or 'none of ours'}",
                    hint=hint,
                )
        splits[name] = Split(
            as_images(arrays[x], field=f"{x} of {what}"),
            as_targets(arrays[y], field=f"{y} of {what}"),
        )
    known, stored = pixel_facts({name: arrays[KEYS[name][0]] for name in splits})
    return {**splits, "pixel_range": known, "stored": stored}


def read_npz(path: Path, wanted: set[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read arrays from a `.npz` file.

    Args:
        path: The file.
        wanted: The names of the arrays to read.

    Returns:
        The wanted arrays that the file has, and the names of its others.

    Raises:
        DataError: There is no such file, or it is damaged, or it declares sizes that it does not
            have, that would not fit into memory, or types that are no numbers.
    """
    if path.suffix != ".npz":
        refuse_other(path, ".npz file", raises=DataError)
    try:
        with open_plain(path) as file:
            return read_arrays(file, str(path), wanted)
    except OSError as error:
        if not path.is_file():
            raise DataError(f"there is no file {path}") from error
        raise DataError(f"cannot read {path}: {reason(error)}") from error


def read_arrays(
    file: BinaryIO, what: str, wanted: set[str], limit: int | None = None
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read arrays from an open `.npz` file.

    Args:
        file: The file.
        what: What messages call it.
        wanted: The names of the arrays to read.
        limit: How many bytes they may take; as much as the machine has by default.

    Returns:
        As `read_npz`.

    Raises:
        DataError: As `read_npz`.
    """
    arrays, others = {}, []
    try:
        with open_zip(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            total = sum(info.file_size for name, info in members.items() if name in wanted)
            refuse_if_too_large(total, what)
            if limit is not None and total > limit:
                raise DataError(f"{what} would take {total:,} bytes of memory")
            for name, info in members.items():
                if name not in wanted:
                    others.append(name)
                    continue
                with archive.open(info) as member:
                    arrays[name] = read_array(member, info.file_size, f"{name} of {what}")
    except (DataError, OSError):
        raise
    except Exception as error:  # whatever zipfile makes of foreign bytes: struct.error, …
        raise DataError(
            f"{what} is damaged or not an .npz file: {reason(error)}",
            hint=f"write it again: {_EXAMPLE}",
        ) from error
    return arrays, others


def read_array(member: IO[bytes], size: int, what: str) -> np.ndarray:
    """Read one array whose declared size agrees with the `size` of its member of the archive."""
    import numpy as np

    shape, fortran_order, dtype, length = _header(member, what)
    if dtype.kind not in "buif":
        kind = (
            "Python objects (a pickle)" if dtype.hasobject else f"values of type {shortened(dtype)}"
        )
        raise DataError(f"{what} holds {kind}; expected numbers", hint=numbers_from(dtype))
    if any(length < 0 for length in shape) or length + math.prod(shape) * dtype.itemsize != size:
        declared = shortened(shape)
        raise DataError(
            f"{what} is damaged: it declares the shape {declared}, which is not its size"
        )
    try:
        array = empty(shape[::-1] if fortran_order else shape, dtype)
    except ValueError as error:  # more dimensions than NumPy knows
        raise DataError(f"{what} is damaged: {reason(error)}") from error
    view = array.reshape(-1).view(np.uint8)
    position = 0
    while position < view.size:
        # in blocks: what the archive cannot deliver must not be waited for
        count = member.readinto(view[position : position + MAX_READ].data)  # type: ignore[attr-defined]
        if not count:
            raise DataError(f"{what} is damaged: it ends early")
        position += count
    member.read(1)  # the end: there the archive's checksum is compared
    return array.transpose() if fortran_order else array


def _header(member: IO[bytes], what: str) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Read the header of an array: its shape, whether columns come first, its type, its length.

    NumPy is given only a header that is as short as headers are.
    """
    from numpy.lib import format as npy

    start = member.read(12)
    problem = DataError(f"{what} is damaged: it does not start as an .npy file")
    if start[:6] != npy.MAGIC_PREFIX or len(start) != 12:
        raise problem
    if start[6:8] == b"\x01\x00":
        begin, length = 10, int.from_bytes(start[8:10], "little")
    elif start[6:8] in (b"\x02\x00", b"\x03\x00"):
        begin, length = 12, int.from_bytes(start[8:12], "little")
    else:
        raise problem
    if length > _LONGEST_HEADER:
        raise DataError(f"{what} is damaged: its header has {length:,} bytes")
    if begin + length < len(start):
        raise problem
    header = start + member.read(begin + length - len(start))
    file = io.BytesIO(header)
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            shape, fortran_order, dtype = read(file)
    except Exception as error:  # whatever NumPy makes of foreign bytes: RecursionError, …
        raise DataError(f"{what} is damaged: {reason(error)}") from error
    if len(header) != begin + length:
        raise DataError(f"{what} is damaged: it ends early")
    return shape, fortran_order, dtype, begin + length
