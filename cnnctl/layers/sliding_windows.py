"""Sliding windows over pictures: how many there are, and their pixels.

Every function here works on `(batch_size, height, width, channels)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

Pair = tuple[int, int]


def pair(value: Any, name: str) -> Pair:
    """Return a positive whole number, or two of them, as two: for height and for width.

    Raises:
        ValueError: It is neither.
    """
    values = (value, value) if isinstance(value, int) else value
    if (
        not isinstance(values, Sequence)
        or len(values) != 2
        or not all(isinstance(each, int) and each > 0 for each in values)
    ):
        raise ValueError(
            f"`{name}` must be a positive integer or two of them. Received: {name}={value}"
        )
    return int(values[0]), int(values[1])


def check_padding(padding: str) -> str:
    """Return the padding in lower case.

    Raises:
        ValueError: It is neither `valid` nor `same`.
    """
    if padding.lower() not in ("valid", "same"):
        raise ValueError(f"`padding` must be either 'valid' or 'same'. Received: padding={padding}")
    return padding.lower()


def output_length(length: int | None, size: int, stride: int, padding: str) -> int | None:
    """Return how many windows fit along an axis; None if its length is not known.

    Raises:
        ValueError: Not a single window fits.
    """
    if length is None:
        return None
    if padding == "same":
        return -(-length // stride)
    if length < size:
        raise ValueError(
            f"A window of {size} pixels does not fit its input. Received: {length} pixels"
        )
    return (length - size) // stride + 1


def pad_same(images: Any, size: Pair, strides: Pair) -> Any:
    """Add the zeros of `padding="same"`: as few as needed, the odd one below and to the right."""
    margins = [(0, 0)]
    for length, width, stride in zip(ops.shape(images)[1:3], size, strides, strict=True):
        short = (-(-length // stride) - 1) * stride + width - length
        needed = max(short, 0) if isinstance(short, int) else ops.maximum(short, 0)
        margins.append((needed // 2, needed - needed // 2))
    return ops.pad(images, [*margins, (0, 0)])


def shifted(images: Any, size: Pair, strides: Pair, padding: str) -> list[Any]:
    """Return one tensor for each place in the window, row by row, over all windows.

    Args:
        pictures: `(batch_size, height, width, channels)`.
        size: Height and width of the window.
        strides: Pixels from one window to the next.
        padding: `valid` or `same`; the padding holds zeros.

    Returns:
        `size[0] * size[1]` tensors of `(batch_size, new_height, new_width, channels)`. Slices
        are copied once each, where Keras's `extract_patches` convolves with an identity matrix.
    """
    if padding == "same":
        images = pad_same(images, size, strides)
    height, width = ops.shape(images)[1:3]
    return [
        images[
            :,
            row : height - size[0] + row + 1 : strides[0],
            column : width - size[1] + column + 1 : strides[1],
            :,
        ]
        for row in range(size[0])
        for column in range(size[1])
    ]
