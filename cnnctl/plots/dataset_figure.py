"""A data set at a glance: some of its images, how many there are of each class, its pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cnnctl.plots.image_grid import CELL, LINE, draw, shown, value_range
from cnnctl.plots.style import BLUE, GREY, RED, figure, logarithmic, look, shortened

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from cnnctl.data.dataset import Split

MOST_NAMES = 30
"""Classes that are named beside their bars; of more, only the rarest and the most frequent are."""


def data_set(
    split: Split,
    class_names: tuple[str, ...],
    indices: list[int],
    *,
    title: str = "",
    seen: np.ndarray | None = None,
) -> Figure:
    """Draw samples with their class names, the class balance, and the pixels' values.

    Args:
        split: The images as stored.
        class_names: By class; empty where the targets are numbers.
        indices: Which images are drawn.
        title: Of the whole.
        seen: (len(indices), height, width, channels) the same images as the network gets them;
            each is drawn below its own.
    """
    import numpy as np

    with look():
        columns = max(1, math.ceil(math.sqrt(len(indices))))
        rows = max(1, -(-len(indices) // columns))
        each = 2 if seen is not None else 1
        height = max(rows * (each * CELL + LINE * 1.6), 3.4) + 0.5
        left = max(columns * (CELL + 0.1), 2.2)
        made = figure(left + 4.2, height, title)
        samples, facts = made.subfigures(1, 2, width_ratios=[left, 4.2])  # type: ignore[misc]
        axes = samples.subplots(rows * each, columns, squeeze=False)
        for axis in axes.flat:
            axis.set_axis_off()
        low, high = value_range(split.x)
        for place, index in enumerate(indices):
            row, column = divmod(place, columns)
            axis = axes[row * each, column]
            draw(axis, shown(split.x[index], low, high))
            axis.set_title(shortened(_label(split, class_names, index), 15), fontsize=8, pad=3)
            if seen is not None:
                image = np.asarray(seen[place])
                draw(axes[row * each + 1, column],
                     shown(image, float(image.min()), float(image.max())))  # fmt: skip
        upper, lower = facts.subplots(2, 1, height_ratios=[2, 1])
        if class_names:
            _balance(upper, np.bincount(split.y, minlength=len(class_names)), class_names)
        else:
            _targets(upper, split.y)
        _pixels(lower, split.x)
        return made


def _label(split: Split, class_names: tuple[str, ...], index: int) -> str:
    if class_names:
        return class_names[int(split.y[index])]
    target = split.y[index]
    return f"{float(target):.3g}" if target.ndim == 0 else ", ".join(f"{v:.3g}" for v in target)


def _balance(axis: Any, counts: np.ndarray, class_names: tuple[str, ...]) -> None:
    """How many images each class has."""
    total, classes = int(counts.sum()), len(counts)
    axis.set_title(f"{total:,} pictures in {classes} classes")
    if classes <= MOST_NAMES:
        axis.barh(range(classes), counts, color=BLUE)
        size = 8 if classes <= 15 else 6
        axis.set_yticks(
            range(classes), [shortened(name, 18) for name in class_names], fontsize=size
        )
        axis.invert_yaxis()
        axis.grid(visible=False, axis="y")
        axis.set_xlim(0, max(counts.max() * 1.18, 1))
        for place, count in enumerate(counts):
            axis.text(count, place, f" {count:,}", va="center", fontsize=size - 1)
        axis.set_xlabel("pictures")
        return
    axis.bar(range(classes), counts, width=1.0, color=BLUE)
    axis.set_xlabel("class number")
    axis.set_ylabel("pictures")
    axis.set_ylim(0, counts.max() * 1.25)
    least, most = int(counts.argmin()), int(counts.argmax())
    axis.text(
        0.01, 0.99,
        f"fewest: {shortened(class_names[least], 20)} {counts[least]:,}   "
        f"most: {shortened(class_names[most], 20)} {counts[most]:,}",
        transform=axis.transAxes, va="top", fontsize=7,
    )  # fmt: skip


def _targets(axis: Any, y: np.ndarray) -> None:
    axis.set_title(f"{len(y):,} pictures, targets that are numbers")
    axis.hist(y.reshape(-1), bins=40, color=BLUE)
    axis.set_xlabel("target")


def _pixels(axis: Any, x: np.ndarray) -> None:
    """How often each value is, of at most 2,000 images, one line for each channel."""
    import numpy as np

    some = np.asarray(x[:: max(1, len(x) // 2000)])
    low, high = value_range(x)
    span = (low, high if high > low else low + 1)
    bins = 64 if x.dtype == "uint8" else 40
    channels = some.shape[-1] if some.ndim == 4 and some.shape[-1] == 3 else 1
    parts = [(some[..., index], color, name) for index, (color, name) in enumerate(
        ((RED, "red"), ("#009E73", "green"), (BLUE, "blue")))] if channels == 3 else [
        (some, GREY, "")]  # fmt: skip
    for values, color, name in parts:
        counts, edges = np.histogram(values, bins=bins, range=span)
        axis.stairs(counts / counts.sum(), edges, color=color, label=name or None)
    if channels == 3:
        axis.legend(fontsize=7, ncols=3)
    logarithmic(axis)
    axis.set_xlabel(f"pixel value ({low:g} to {high:g})")
    axis.set_ylabel("part of the pixels")
