"""From pixels to what the network sees: `(x - subtract) / divide`, one pair of numbers a channel.

It is a division, not a multiplication by the inverse, since the two differ in the last bit and the
textbooks divide.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cnnctl.data.chunks import chunks
from cnnctl.data.dataset import Split
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
        """Return float32 pictures of the same shape; `unit` is `x.astype("float32") / 255`."""
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


def normalization(kind: str, train: Split) -> Normalization:
    """Work out a normalization from the training pictures.

    Args:
        kind: `unit` takes 0…255 to [0, 1], `signed` to [-1, 1]; `standard` gives each channel the
            mean 0 and the variance 1 over the training pictures (a channel that is the same
            everywhere is divided by 1); `none` leaves the numbers as they are.
        train: The training pictures, in the network's input shape. The last dimension is the
            channels; bytes of shape (pictures, height, width) have one channel.

    Raises:
        DataError: `unit` or `signed` for pictures that are no bytes, whose range is not known.
    """
    if kind in ("unit", "signed") and train.x.dtype != "uint8":
        raise DataError(
            f"`normalize: {kind}` is for bytes from 0 to 255; the pictures are "
            f"{train.x.dtype}, whose range is not known",
            hint="write `normalize: none` or `normalize: standard`",
        )
    if (known := without_pictures(kind)) is not None:
        return known
    if kind != "standard":
        raise DataError(f"normalize is unit, signed, standard or none. Received: {kind}")
    mean, deviation = _moments(train.x)
    return Normalization(
        kind,
        tuple(float(number) for number in mean),
        tuple(float(number) if number > 0 else 1.0 for number in deviation),
    )


def without_pictures(kind: str) -> Normalization | None:
    """The normalization of a kind that does not depend on the training pictures, if it is one."""
    if kind == "none":
        return Normalization(kind, (0.0,), (1.0,))
    if kind in ("unit", "signed"):
        middle = 127.5 if kind == "signed" else 0.0
        return Normalization(kind, (middle,), (255.0 - middle,))
    return None


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each channel's mean and standard deviation, summed in float64."""
    import numpy as np

    gray = x.dtype == np.uint8 and x.ndim == 3
    channels = 1 if gray else x.shape[-1]
    pixels = x.size // channels
    if x.dtype == np.uint8:
        # counts of the 256 values give exact sums, and read the pictures only once
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
