"""How the images look that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from cnnctl.data.pixels import BYTES, Range


@dataclass(frozen=True)
class Look:
    """How the pictures look that a network was trained on.

    Args:
        shape: Of one picture: (height, width, channels), (height, width), or any shape of `.npy`.
        pixels: The range of a pixel's values; None if it is not known.
        dark: Whether the background is dark; None if that is not known.
        centred: Whether each shows one drawing, cut out, and centred by its mass.
    """

    shape: tuple[int, ...]
    pixels: Range | None = BYTES
    dark: bool | None = None
    centred: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.shape[0], self.shape[1]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colours."""
        return self.shape[2] if len(self.shape) == 3 else 1
