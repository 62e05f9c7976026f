"""Made images of X's and O's on 9×9 pixels: the lecture's first example of a convolution.

By default each X and each O is the same image. The options give the trickier cases: moved,
scaled, turned, drawn with a thicker pen, or with noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.errors import DataError

if TYPE_CHECKING:
    import numpy as np

SIZE = 9
"""Height and width of an image, in pixels."""

_REACH = (
    3.0  # half the width of the figure: the X's strokes end, and the O's ring lies, 3 pixels out
)


def load_xo(
    *,
    count: int = 1000,
    test_count: int = 200,
    seed: int = 0,
    translate: int = 0,
    scale: float = 0.0,
    rotate: float = 0.0,
    weight: float = 1.0,
    noise: float = 0.0,
) -> Dataset:
    """Make images of X's (class 0) and O's (class 1), half of each, in a shuffled order.

    Args:
        count: How many training images.
        test_count: How many test images; 0 for no test split.
        seed: The same seed makes the same images, on every machine.
        translate: Moves each by up to so many whole pixels, in both directions.
        scale: Makes each larger or smaller by up to this fraction: 0.2 is from 0.8 to 1.2.
        rotate: Turns each by up to so many degrees, either way.
        weight: The thickness of the strokes, in pixels.
        noise: The probability with which each pixel is turned over, black for white.

    Returns:
        Images uint8 `(images, 9, 9, 1)`: 0 is background, 255 is ink, so that
        `normalize: signed` gives the lecture's -1 and 1.

    Raises:
        DataError: An option is out of its range.
    """
    limits: list[tuple[str, float, float, float]] = [
        ("count", count, 1, 1_000_000),
        ("test_count", test_count, 0, 1_000_000),
        ("seed", seed, 0, 2**32 - 1),
        ("translate", translate, 0, SIZE),
        ("scale", scale, 0, 0.9),
        ("rotate", rotate, 0, 180),
        ("weight", weight, 1, SIZE),
        ("noise", noise, 0, 0.5),
    ]
    for name, value, low, high in limits:
        if not low <= value <= high:
            raise DataError(f"xo: {name} is from {low} to {high}. Received: {value}")
    if translate != int(translate):
        raise DataError(f"xo: translate is a whole number of pixels. Received: {translate}")

    def split(number: int, stream: int) -> Split:
        return _draw_split(
            number, [seed, stream], int(translate), scale, math.radians(rotate), weight, noise
        )

    return make_dataset(
        "xo",
        "made by cnnctl",
        split(count, 0),
        test=split(test_count, 1) if test_count else None,
        class_names=("x", "o"),
    )


def _draw_split(
    count: int,
    seed: list[int],
    translate: int,
    scale: float,
    turn: float,
    weight: float,
    noise: float,
) -> Split:
    import numpy as np

    # NumPy guarantees the stream of RandomState for good, which it does not for newer generators.
    random = np.random.RandomState(seed)
    y = random.permutation(np.arange(count) % 2).astype(np.int64)
    shift = random.randint(-translate, translate + 1, size=(count, 2))
    factor = random.uniform(1 - scale, 1 + scale, size=count)
    angle = random.uniform(-turn, turn, size=count)
    x = np.empty((count, SIZE, SIZE, 1), np.uint8)
    for index in range(count):
        ink = _draw(int(y[index]), shift[index], factor[index], angle[index], weight)
        x[index, :, :, 0] = np.where(ink, 255, 0)
    if noise:
        x ^= np.where(random.uniform(size=x.shape) < noise, 255, 0).astype(np.uint8)
    return Split(x, y)


def _draw(label: int, shift: np.ndarray, factor: float, angle: float, weight: float) -> np.ndarray:
    """Return where the ink is: each pixel whose centre lies within half a weight of a stroke."""
    import numpy as np

    middle = (SIZE - 1) / 2
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float64)
    down, right = rows - middle - shift[0], columns - middle - shift[1]
    cosine, sine = math.cos(angle), math.sin(angle)
    # Pixels are turned back into the upright figure of size 1; distances are in pixels again.
    v = (cosine * down - sine * right) / factor
    u = (sine * down + cosine * right) / factor
    if label == 1:
        distance = np.abs(np.hypot(u, v) - _REACH) * factor
    else:
        distance = np.minimum(_to_diagonal(u, v), _to_diagonal(u, -v)) * factor
    ink: np.ndarray = distance <= weight / 2 + 1e-9
    return ink


def _to_diagonal(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the distance to the stroke from (-3, -3) to (3, 3)."""
    import numpy as np

    along = np.clip((u + v) / 2, -_REACH, _REACH)
    distance: np.ndarray = np.hypot(u - along, v - along)
    return distance
