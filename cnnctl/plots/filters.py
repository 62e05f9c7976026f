"""Weights as images: the filters of a convolution, and how weights and activations spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnnctl.plots.style import BLUE, RED, figure, look, shortened

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

MOST = 64
"""Filters that are drawn."""
MOST_INPUTS = 16
"""Inputs of a filter that are drawn, where a filter has many."""


def filters(kernel: np.ndarray, *, title: str = "") -> Figure:
    """Draw the filters of a convolution.

    One input channel: each filter in shades from the most negative to the most positive weight of
    the layer. Three: in their colours. More: a row for each filter, a column for each input.

    Args:
        kernel: (height, width, inputs, filters); a 1-D kernel has no height.
        title: Of the whole.
    """
    import numpy as np

    if kernel.ndim == 3:
        kernel = kernel[None]
    inputs, count = kernel.shape[2], kernel.shape[3]
    most = float(np.abs(kernel).max()) or 1.0
    with look():
        if inputs in (1, 3):
            shown = min(count, MOST)
            columns = min(8, shown)
            rows = -(-shown // columns)
            made = figure(max(0.8 * columns + 0.9, 3.4), 0.8 * rows + 0.9,
                          _of(title, shown, count, "filters"))  # fmt: skip
            axes = made.subplots(rows, columns, squeeze=False)
            for axis in axes.flat:
                axis.set_axis_off()
            for index in range(shown):
                _tile(axes.flat[index], kernel[..., index], most)
        else:
            shown, wide = min(count, 16), min(inputs, MOST_INPUTS)
            made = figure(0.45 * wide + 1.6, 0.45 * shown + 1.3,
                          _of(title, shown, count, "filters (rows)") +
                          f"\n{_of('', wide, inputs, 'inputs (columns)')}")  # fmt: skip
            axes = made.subplots(shown, wide, squeeze=False)
            for row in range(shown):
                for column in range(wide):
                    axes[row, column].set_axis_off()
                    _tile(axes[row, column], kernel[:, :, column : column + 1, row], most)
        if inputs != 3:
            _scale(made, axes, most)
        return made


def _of(title: str, shown: int, count: int, what: str) -> str:
    part = f"{count} {what}" if shown == count else f"{shown} of {count} {what}"
    return f"{title}: {part}" if title else part


def _tile(axis: Any, weights: np.ndarray, most: float) -> None:
    """(height, width, 1) in shades around zero, (height, width, 3) in colours around grey."""
    if weights.shape[-1] == 3:
        axis.imshow(weights / (2 * most) + 0.5, interpolation="nearest", vmin=0, vmax=1)
    else:
        axis.imshow(weights[..., 0], cmap="PuOr_r", vmin=-most, vmax=most, interpolation="nearest")


def _scale(made: Figure, axes: Any, most: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colors = ScalarMappable(Normalize(-most, most), cmap="PuOr_r")
    bar = made.colorbar(colors, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    bar.ax.tick_params(labelsize=7)
    bar.ax.grid(visible=False)


def histograms(
    weights: Mapping[str, np.ndarray], activations: Mapping[str, np.ndarray], *, title: str = ""
) -> Figure:
    """Draw how the values of weights and of activations spread, layer by layer.

    Args:
        weights: By name, such as `conv2d/kernel`.
        activations: By layer; any shape.
        title: Of the whole.
    """
    import numpy as np

    with look():
        lines = max(len(weights), len(activations), 1)
        made = figure(9, 1.15 * lines + 0.9, title)
        axes = made.subplots(lines, 2, squeeze=False)
        for column, (what, parts, color) in enumerate(
            (("weights", weights, BLUE), ("activations", activations, RED))
        ):
            for axis in axes[len(parts) :, column]:
                axis.set_axis_off()
            for row, (name, values) in enumerate(parts.items()):
                axis = axes[row, column]
                flat = np.asarray(values, np.float64).reshape(-1)
                zeros = float((flat == 0).mean())
                counts, edges = np.histogram(flat, bins=60)
                axis.stairs(
                    counts / max(counts.max(), 1), edges, color=color, fill=True, alpha=0.75
                )
                axis.set_yticks([])
                axis.grid(visible=False)
                note = f"{zeros:.0%} zeros" if zeros > 0.005 else ""
                axis.set_title(shortened(f"{name}  {note}", 40), loc="left", fontsize=8, pad=2)
                moments = f"mean {flat.mean():.3g}, sd {flat.std():.3g}"
                axis.set_title(moments, loc="right", fontsize=7, pad=2)
            axes[0, column].annotate(
                what, (0.5, 1.32), xycoords="axes fraction", ha="center", fontsize=10
            )
        return made
