"""Which numbers pixels are: bytes, numbers from 0 to 1, or others; and their channels."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cnnctl.data.chunks import chunks

if TYPE_CHECKING:
    import numpy as np

Range = tuple[float, float]
"""The least and the greatest value of a pixel."""

BYTES: Range = (0.0, 255.0)
UNIT: Range = (0.0, 1.0)
DEEP: Range = (0.0, 65535.0)
"""Of 16 bits per channel."""


def range_of(dtype: Any) -> Range | None:
    """The range of a pixel where its type says it; None for other types."""
    return {"uint8": BYTES, "uint16": DEEP}.get(str(dtype))


@dataclass(frozen=True, slots=True)
class Pixels:
    """The numbers that images were found to have, as a run records them.

    Args:
        dtype: As stored: `uint8`, `uint16` or `float32`.
        least: The smallest value of any pixel.
        most: The largest.
    """

    dtype: str
    least: float
    most: float

    @classmethod
    def of(cls, x: np.ndarray, known: Range | None = None) -> Pixels:
        """Those of images (images, …), at least one.

        Args:
            x: The images. Those whose type says their range are not looked at: they may lie on
                the disk; of others every value is.
            known: The range, where it is known.
        """
        if known := known or range_of(x.dtype):
            return cls(str(x.dtype), *known)
        ends = [(float(rows.min()), float(rows.max())) for _, rows in chunks(x)]
        return cls(str(x.dtype), min(low for low, _ in ends), max(high for _, high in ends))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> Pixels | None:
        """Return what `to_dict` was made from; None if a file holds nothing of the kind."""
        try:
            found = cls(str(values["dtype"]), float(values["least"]), float(values["most"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        return found if -math.inf < found.least <= found.most < math.inf else None

    @property
    def range(self) -> Range:
        """`BYTES` or `UNIT` where the values are those of such pixels, else what they are."""
        if found := range_of(self.dtype):
            return found
        for usual in (UNIT, BYTES):
            if usual[0] <= self.least and self.most <= usual[1]:
                return usual
        return self.least, self.most


def with_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """An image's shape with its channels: a grey one is often stored without."""
    return (*shape, 1) if len(shape) == 2 else shape
