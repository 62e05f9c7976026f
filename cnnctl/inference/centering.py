"""Center drawings as in MNIST, and tell light backgrounds from dark ones.

MNIST's digits are light on dark, 20 of 28 pixels high or wide, and centered by their mass
(LeCun et al. 1998, section III-A).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_BOX = 20 / 28
"""The part of MNIST's height and width that a digit fills."""
_INK = 0.2
"""A pixel belongs to the drawing from this part of the range above the background."""


def _border(image: Image) -> float:
    """The median of the outermost pixels."""
    import numpy as np

    pixels = np.asarray(image.convert("L"))
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return float(np.median(np.concatenate(edges)))


def has_light_border(image: Image) -> bool:
    """Whether the outermost pixels are light, as in a scan."""
    return _border(image) > 127


def center(image: Image, steps: list[str], size: tuple[int, int]) -> Image:
    """Cut the drawing out, fit it into MNIST's box, and put its centre of mass into the middle."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(image, np.float64)
    ground, most = _border(image), float(pixels.max())
    if most - ground < 16:
        steps.append("not centred, since nothing stands out in it")
        return image
    if ground > 16 or most < 200:
        pixels = np.clip((pixels - ground) * (255 / (most - ground)), 0, 255)
        steps.append(f"contrast stretched from {ground:.0f}–{most:.0f} to 0–255")
    rows, columns = np.nonzero(pixels >= 255 * _INK)
    top, bottom = int(rows.min()), int(rows.max()) + 1
    left, right = int(columns.min()), int(columns.max()) + 1
    height, width = bottom - top, right - left
    scale = min(size[0] * _BOX / height, size[1] * _BOX / width)
    fitted = max(1, round(height * scale)), max(1, round(width * scale))
    drawing = Image.fromarray(pixels[top:bottom, left:right].astype(np.uint8))
    small = np.asarray(drawing.resize(fitted[::-1], Image.Resampling.BOX if scale < 1 else
                                      Image.Resampling.BILINEAR), np.float64)  # fmt: skip
    mass = small.sum() or 1.0
    down = (small.sum(1) * np.arange(fitted[0])).sum() / mass
    across = (small.sum(0) * np.arange(fitted[1])).sum() / mass
    canvas = np.zeros(size, np.uint8)
    # The middle of 28 pixels lies between two of them; MNIST's own centres lie at 14.
    row = min(max(0, round(size[0] / 2 - down)), size[0] - fitted[0])
    column = min(max(0, round(size[1] / 2 - across)), size[1] - fitted[1])
    canvas[row : row + fitted[0], column : column + fitted[1]] = small
    steps.append(
        f"cut out ({height}×{width}), scaled to {fitted[0]}×{fitted[1]}, centred by its mass"
    )
    return Image.fromarray(canvas)
