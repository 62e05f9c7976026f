"""What is worth knowing about pixels that fit a network, each with a fix: it may not be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnctl.data.chunks import chunks
from cnnctl.data.dataset import Dataset

if TYPE_CHECKING:
    import numpy as np

_DIM = 8
"""Pixels are dim if all of them lie in the lowest of so many parts of their range."""

_SMALLEST = 5
"""Images have at least so many rows and columns, where channels are looked for in front of them."""


def dim_pixels(dataset: Dataset, normalize: str) -> tuple[str, ...]:
    """A note on pixels that fill only the lowest part of the range by which they are divided.

    Args:
        dataset: Its images.
        normalize: How they are normalized.
    """
    known = dataset.pixel_range
    if normalize not in ("unit", "signed") or known is None or known[1] <= 1:
        return ()
    most = 0.0
    for _, rows in chunks(dataset.train.x):
        most = max(most, float(rows.max()))
        if most * _DIM >= known[1]:
            return ()
    if most == 0:
        return (f"{dataset.name}: every pixel of the training images is 0",)
    fix = "none" if most == 1 else "standard"
    return (
        f"{dataset.name}: the largest pixel is {most:g}; `normalize: {normalize}` is for pixels up "
        f"to {known[1]:g}, so the network sees almost black images. Write `normalize: {fix}`",
    )


def channels_first(x: np.ndarray) -> str | None:
    """A note on images that seem to have their channels before height and width; None otherwise.

    Args:
        x: (images, …), as stored.
    """
    if x.ndim != 4 or x.shape[1] not in (1, 3) or min(x.shape[2:]) < _SMALLEST:
        return None
    shape = "×".join(map(str, x.shape[1:]))
    return (
        f"images of shape {shape} are taken as {x.shape[1]} rows of {x.shape[2]} pixels with "
        f"{x.shape[3]} channels. If the channels come first, write x.transpose(0, 2, 3, 1)"
    )
