"""What is worth knowing about data that fits a network, each with a fix: it may not be meant."""

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


def unused_classes(dataset: Dataset, outputs: int | None) -> tuple[str, ...]:
    """A note on classes of which no image is trained on; on labels that seem to start at 1.

    Args:
        dataset: Its labels are class numbers, in range.
        outputs: How many the network has; 1 for the classes 0 and 1, None if that is not known.
    """
    import numpy as np

    parts = (dataset.train, dataset.validation)
    seen = np.unique(np.concatenate([np.unique(each.y) for each in parts if each is not None]))
    largest = int(seen[-1])
    classes = {None: largest + 1, 1: 2}.get(outputs, outputs)
    assert classes is not None
    names = dataset.class_names
    if len(seen) == 1:
        name = names[largest] if largest < len(names) else str(largest)
        return (
            f"{dataset.name}: all training images are of the class {name}: there is nothing to "
            "tell apart; train on images of at least two classes",
        )
    lacks = np.setdiff1d(np.arange(classes), seen).tolist()
    named = dataset.class_names != tuple(map(str, range(len(dataset.class_names))))
    if not lacks:
        return ()
    if lacks == [0] and not named and classes > 2:
        return (
            f"{dataset.name}: no training image has class 0: the labels are 1 to {largest}. If "
            f"they are meant to start at 1, write y - 1, and give the last layer {classes - 1} "
            "outputs",
        )
    words = [names[each] if each < len(names) else str(each) for each in lacks[:5]]
    more = f" and {len(lacks) - 5:,} more" if len(lacks) > 5 else ""
    note = f"{dataset.name}: no training image is of the class{'es' * (len(lacks) > 1)} "
    note += ", ".join(words) + more
    if named or outputs == 1:
        return (note,)
    if lacks[0] == largest + 1:
        return (
            f"{note}; for the labels 0 to {largest} the last layer needs {largest + 1} outputs",
        )
    return (f"{note}; np.unique(y, return_inverse=True)[1] numbers labels without gaps",)


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
