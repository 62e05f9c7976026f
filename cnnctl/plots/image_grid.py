"""Images in a grid: samples of a data set, and what a network made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnctl.data.pixels import range_of
from cnnctl.plots.style import BLUE, GREY, RED, figure, look, shortened

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from cnnctl.inference.predictions import Predictions

CELL = 1.05
"""Inches of an image."""
LINE = 0.17
"""Inches of a line of a title."""
_LETTERS = 17


def shown(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """An image as matplotlib takes it: (height, width) or (height, width, 3) from 0 to 1.

    Args:
        image: (height, width[, channels]); other than 1 or 3 channels are averaged.
        low: Becomes black.
        high: Becomes white.
    """
    import numpy as np

    values = np.asarray(image, np.float32)
    if values.ndim == 1:
        values = values[None, :]
    if values.ndim > 2 and values.shape[-1] != 3:
        values = values.mean(-1)
    clipped: np.ndarray = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    return clipped


def value_range(x: np.ndarray) -> tuple[float, float]:
    """What is black and what is white: as the type says, else the least and the most."""
    if known := range_of(x.dtype):
        return known
    return float(x.min()), float(x.max())


def grid(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    *,
    title: str = "",
    colors: Sequence[str] | None = None,
    columns: int | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw images in rows, each under its title.

    Args:
        images: Each (height, width[, channels]).
        titles: One for each; may have several lines.
        title: Of the whole.
        colors: Of the titles.
        columns: Images in a row; about as many as rows by default.
        limits: The values that are black and white; each image's own by default.
    """
    with look():
        columns = columns or max(1, math.ceil(math.sqrt(len(images))))
        rows = max(1, -(-len(images) // columns))
        lines = 1 + max((each.count("\n") for each in titles), default=0)
        made = figure(
            max(columns * (CELL + 0.1), 3.2),
            rows * (CELL + LINE * lines) + (0.45 if title else 0.1),
            title,
        )
        axes = made.subplots(rows, columns, squeeze=False)
        for axis in axes.flat:
            axis.set_axis_off()
        for index, (image, text) in enumerate(zip(images, titles, strict=True)):
            axis = axes.flat[index]
            low, high = limits or value_range(image)
            draw(axis, shown(image, low, high))
            folded = "\n".join(shortened(line, _LETTERS) for line in text.split("\n"))
            axis.set_title(folded, fontsize=8, color=colors[index] if colors else "black", pad=3)
        return made


def draw(axis: Any, image: np.ndarray) -> None:
    """Draw an image with its pixels as they are, without axes."""
    axis.set_axis_off()
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def predictions(found: Predictions, *, title: str = "", columns: int | None = None) -> Figure:
    """Draw images with what they were taken for: `predicted (true)`, blue where that is right,
    red and marked with a cross where it is wrong.

    Args:
        found: What a network made of them.
        title: Of the whole.
        columns: Images in a row.
    """
    titles, colors = [], []
    for index in range(len(found.x)):
        text, color = _caption(found, index)
        titles.append(text)
        colors.append(color)
    limits = value_range(found.x) if len(found.x) else None
    return grid(list(found.x), titles, title=title, colors=colors, columns=columns, limits=limits)


def _caption(found: Predictions, index: int) -> tuple[str, str]:
    if not found.class_names:
        values = ", ".join(f"{value:.3g}" for value in found.outputs[index][:3])
        return values, "black"
    guess = int(found.classes[index])
    name, value = found.class_names[guess], float(found.outputs[index, guess])
    sureness = f"{value:.0%}" if found.are_probabilities else f"{value:.2f}"
    if found.truth is None:
        return f"{name}\n{sureness}", GREY
    true = int(found.truth[index])
    right = guess == true
    mark = "" if right else "× "
    if len(name) + len(found.class_names[true]) + 3 > _LETTERS - len(mark):
        return f"{mark}{name}\n({found.class_names[true]})", BLUE if right else RED
    return f"{mark}{name} ({found.class_names[true]})", BLUE if right else RED
