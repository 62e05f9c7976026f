"""What a network sees: feature maps, saliency, and what excites a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cnnctl.plots.image_grid import draw, grid, shown, value_range
from cnnctl.plots.style import figure, look, shortened

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

MOST_MAPS = 16
"""Maps of a layer that are drawn."""


def features(image: np.ndarray, maps: Mapping[str, np.ndarray], *, title: str = "") -> Figure:
    """Draw the maps of every layer for one image, a row for each layer.

    Args:
        image: (height, width, channels), as stored.
        maps: (height, width, channels) by layer, in order. Each map is drawn from its layer's least
            value (dark) to its greatest (light).
        title: Of the whole.
    """
    with look():
        rows = len(maps) + 1
        columns = min(MOST_MAPS, max([each.shape[-1] for each in maps.values()], default=1))
        columns = max(columns, 4)
        made = figure(0.62 * columns + 1.9, 0.66 * rows + 0.5, title)
        axes = made.subplots(rows, columns + 1, squeeze=False,
                             width_ratios=[2.0] + [1.0] * columns)  # fmt: skip
        for axis in axes.flat:
            axis.set_axis_off()
        low, high = value_range(image)
        draw(axes[0, 1], shown(image, low, high))
        _name(axes[0, 0], "input", image.shape, None)
        for row, (name, values) in enumerate(maps.items(), 1):
            channels = values.shape[-1]
            _name(axes[row, 0], name, values.shape, min(channels, columns))
            least, most = float(values.min()), float(values.max())
            for column in range(min(channels, columns)):
                axis = axes[row, column + 1]
                axis.imshow(shown(values[..., column], least, most), cmap="viridis", vmin=0, vmax=1,
                            interpolation="nearest")  # fmt: skip
        return made


def _name(axis: object, name: str, shape: tuple[int, ...], part: int | None) -> None:
    size = "×".join(map(str, shape))
    first = f"\nfirst {part}" if part is not None and part < shape[-1] else ""
    axis.text(0, 0.5, f"{shortened(name, 22)}\n{size}{first}", fontsize=7, va="center",  # type: ignore[attr-defined]
              transform=axis.transAxes)  # type: ignore[attr-defined]  # fmt: skip


def saliency(
    images: np.ndarray,
    gradients: np.ndarray,
    heat: np.ndarray | None,
    titles: Sequence[str],
    *,
    layer: str = "",
    title: str = "",
) -> Figure:
    """Draw images, the size of the gradient in every pixel, and Grad-CAM laid over the image.

    Args:
        images: (n, height, width, channels), as stored.
        gradients: Likewise, of the score of the class in question.
        heat: (n, h, w) from 0 to 1, stretched over the image; None for a network without maps.
        titles: What each image is taken for.
        layer: Of which layer the heat is.
        title: Of the whole.
    """
    import numpy as np

    with look():
        rows = 2 if heat is None else 3
        columns = len(images)
        made = figure(max(1.35 * columns + 1.1, 3.5), 1.4 * rows + 0.8, title)
        axes = made.subplots(rows, columns + 1, squeeze=False, width_ratios=[0.75] + [1] * columns)
        low, high = value_range(images)
        words = ["picture", "size of the\ngradient", f"Grad-CAM\n{shortened(layer, 16)}"]
        for row in range(rows):
            axes[row, 0].set_axis_off()
            axes[row, 0].text(0, 0.5, words[row], fontsize=8, va="center",
                              transform=axes[row, 0].transAxes)  # fmt: skip
        for index in range(columns):
            image = shown(images[index], low, high)
            size = np.abs(gradients[index]).max(-1)
            draw(axes[0, index + 1], image)
            axes[0, index + 1].set_title(titles[index], fontsize=8, pad=3)
            axes[1, index + 1].set_axis_off()
            axes[1, index + 1].imshow(size / (size.max() or 1.0), cmap="magma", vmin=0, vmax=1,
                                      interpolation="nearest")  # fmt: skip
            if heat is not None:
                axis = axes[2, index + 1]
                draw(axis, image)
                height, width = image.shape[:2]
                axis.imshow(heat[index], cmap="inferno", vmin=0, vmax=1, alpha=0.6,
                            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
                            interpolation="bilinear")  # fmt: skip
                axis.set_xlim(-0.5, width - 0.5)
                axis.set_ylim(height - 0.5, -0.5)
        return made


def excitation(
    images: np.ndarray, channels: Sequence[int], *, layer: str, title: str = ""
) -> Figure:
    """Draw what excites the channels of a layer.

    Args:
        images: (n, height, width, channels), of any range; each is drawn over its own.
        channels: Their numbers.
        layer: The layer's name.
        title: Of the whole.
    """
    return grid(
        list(images),
        [f"channel {channel}" for channel in channels],
        title=title or f"what excites the channels of {layer}",
    )
