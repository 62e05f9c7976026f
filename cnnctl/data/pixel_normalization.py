"""From pixels to what the network sees: `(x - subtract) / divide`, one pair of numbers a channel.

It is a division, not a multiplication by the inverse, since the two differ in the last bit and the
textbooks divide.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cnnctl.data.chunks import chunks
from cnnctl.data.dataset import Dataset, Split
from cnnctl.data.pixels import BYTES, Range, range_of
from cnnctl.errors import DataError

if TYPE_CHECKING:
    import numpy as np


_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Normalization:
    """How pixels are normalized.

    Args:
        kind: `unit`, `signed`, `standard` or `none`.
        subtract: One number for each channel, or one for all.
        divide: Likewise.
    """

    kind: str
    subtract: tuple[float, ...]
    divide: tuple[float, ...]

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return float32 images of the same shape; `unit` is `x.astype("float32") / 255`."""
        import numpy as np

        y = x.astype(np.float32)
        if any(self.subtract):
            y -= np.array(self.subtract, np.float32)
        if any(number != 1.0 for number in self.divide):
            y /= np.array(self.divide, np.float32)
        return y

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        values = asdict(self)
        return {**values, "subtract": list(self.subtract), "divide": list(self.divide)}

    @classmethod
    def from_dict(cls, values: Any, source: object = None) -> Normalization:
        """Return what `to_dict` was made from.

        Args:
            values: What a file holds.
            source: What messages call it.

        Raises:
            DataError: The values are not those of a normalization.
        """
        where = f", in {source}" if source else ""
        problem = DataError(f"not a normalization{where}: {values!r:.100}")
        try:
            subtract = tuple(float(number) for number in values["subtract"])
            divide = tuple(float(number) for number in values["divide"])
            kind = str(values["kind"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise problem from error
        finite = all(map(math.isfinite, (*subtract, *divide)))
        if len(subtract) != len(divide) or not subtract or 0.0 in divide or not finite:
            raise problem
        return cls(kind, subtract, divide)


def normalization(kind: str, train: Split, dataset: Dataset | None = None) -> Normalization:
    """Work out a normalization from the training images.

    Args:
        kind: `unit` takes the range of the pixels, 0…255 or 0…65535, to [0, 1], `signed` to
            [-1, 1]; `standard` gives each channel the mean 0 and the variance 1 over the training
            images (a channel that is the same everywhere is divided by 1); `none` leaves the
            numbers as they are.
        train: The training images, in the network's input shape. The last dimension is the
            channels; bytes of shape (images, height, width) have one channel.
        dataset: Where they are from, which knows the range; else their type says it.

    Raises:
        DataError: `unit` or `signed` for images whose range is not known.
    """
    known = dataset.pixel_range if dataset else range_of(train.x.dtype)
    if kind in ("unit", "signed") and known is None:
        raise _unknown_range(kind, train, dataset)
    if (simple := without_images(kind, known or BYTES)) is not None:
        return simple
    if kind != "standard":
        raise DataError(f"normalize is unit, signed, standard or none. Received: {kind}")
    mean, deviation = _moments(train.x)
    return Normalization(
        kind,
        tuple(float(number) for number in mean),
        tuple(float(number) if number > 0 else 1.0 for number in deviation),
    )


def without_images(kind: str, known: Range = BYTES) -> Normalization | None:
    """The normalization of a kind that does not depend on the training images, if it is one.

    Args:
        kind: As in `normalization`.
        known: The range of the pixels.
    """
    if kind == "none":
        return Normalization(kind, (0.0,), (1.0,))
    low, high = known
    if kind == "unit":
        return Normalization(kind, (low,), (high - low,))
    if kind == "signed":
        return Normalization(kind, ((low + high) / 2,), ((high - low) / 2,))
    return None


def _unknown_range(kind: str, train: Split, dataset: Dataset | None) -> DataError:
    """The error about pixels whose range is not known: what they are, and a fix that suits them."""
    import numpy as np

    stored = dataset.stored if dataset else {}
    splits = dict(dataset.splits()) if dataset else {"train": train}
    types = {f"x_{name}": stored.get(name, str(split.x.dtype)) for name, split in splits.items()
             if name in stored or not stored}  # fmt: skip
    ends, whole = [], True
    for _, rows in chunks(train.x):
        ends += [float(rows.min()), float(rows.max())]
        whole = whole and bool((np.floor(rows) == rows).all())
    least, most = min(ends), max(ends)
    what = f"the images are {types['x_train']} with values from {least:g} to {most:g}"
    if len(set(types.values())) > 1:
        what = ", ".join(f"{field} is {dtype}" for field, dtype in types.items())
        fix = "save all splits as the same type, best uint8, or write `normalize: standard`"
    elif least >= -1 and most <= 1:
        fix = "they are normalized already: write `normalize: none`, or `normalize: standard`"
        if whole and most == 1:
            fix = "for black and white write `normalize: none`, or `normalize: standard`"
    elif whole and least >= 0 and most <= 255:
        fix = "save them as bytes, x.astype('uint8'), or write `normalize: standard`"
    else:
        fix = "write `normalize: standard`, or `normalize: none`"
    return DataError(
        f"`normalize: {kind}` is for uint8 (0 to 255), uint16 (0 to 65535) and other integers from "
        f"0 to 255; {what}, whose range is not known",
        hint=fix,
    )


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each channel's mean and standard deviation, summed in float64."""
    import numpy as np

    gray = x.dtype == np.uint8 and x.ndim == 3
    channels = 1 if gray else x.shape[-1]
    pixels = x.size // channels
    if x.dtype == np.uint8:
        # counts of the 256 values give exact sums, and read the images only once
        counts = np.zeros((channels, 256), np.int64)
        for _, rows in chunks(x):
            for channel in range(channels):
                values = rows.reshape(-1, channels)[:, channel]
                counts[channel] += np.bincount(values, minlength=256)
        levels = np.arange(256, dtype=np.float64)
        mean = counts @ levels / pixels
        variance = (counts * (levels - mean[:, None]) ** 2).sum(axis=1) / pixels
        return mean, np.sqrt(variance)
    # so many at once, as the last bits of a sum depend on how it is put together
    some = [rows.reshape(-1, channels) for _, rows in chunks(x, _ROWS)]
    mean = sum(rows.sum(axis=0, dtype=np.float64) for rows in some) / pixels
    squares = sum(((rows.astype(np.float64) - mean) ** 2).sum(axis=0) for rows in some)
    return mean, np.sqrt(squares / pixels)
