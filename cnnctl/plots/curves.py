"""Learning curves: how a training went, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnctl.errors import UsageError
from cnnctl.io.notes import note
from cnnctl.plots.style import CYCLE, GREY, figure, logarithmic, look
from cnnctl.specs.metrics import metric_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_METRICS = 24
"""Panels of loss and metrics; a file of a run can name any number."""
MOST_POINTS = 1_000
"""Points of a line: a figure has no room for more, and an SVG file an element for each."""

_NO_METRIC = ("epoch", "seconds", "images_per_second", "learning_rate")
_LETTER, _HANDLE, _ENTRY = 0.065, 0.6, 0.17
"""Inches of the legend's text: a letter's width, what stands before it, a line's height."""
_MOST_IN_LEGEND = 12
_COLORS = (*CYCLE, GREY, "black")
_STYLES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "h")
"""One more than there are colours: where the colours come again, the markers are others."""


def figures_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The names of loss and metrics of a history, without those of the validation; a metric with a
    value per class once."""
    names = {key: None for row in rows for key in row if key not in _NO_METRIC}
    plain = {metric_of(key.removeprefix("val_")): None for key in names}
    return sorted(plain, key=lambda key: key != "loss")  # stable: the others as they came


def curves(rows: Sequence[dict[str, Any]], *, title: str = "", best: int | None = None) -> Figure:
    """Draw loss and metrics of training and validation, the learning rate, and the epochs' time.

    Args:
        rows: The lines of `metrics.jsonl`.
        title: Of the whole.
        best: The best epoch, from 1, which is marked.

    Raises:
        UsageError: No epoch is done yet.
    """
    return compared({"": rows}, title=title, best=best)


def compared(
    runs: Mapping[str, Sequence[dict[str, Any]]], *, title: str = "", best: int | None = None
) -> Figure:
    """Draw the curves of several runs in the same axes.

    Args:
        runs: The lines of `metrics.jsonl` of each, by name.
        title, best: As in `curves`.

    Raises:
        UsageError: None of them has an epoch.
    """
    every = [row for rows in runs.values() for row in rows]
    if not every:
        raise UsageError("no epoch is done yet: there is nothing to draw")
    with look():
        names = figures_of(every)
        if len(names) > MOST_METRICS:
            note(f"{len(names):,} metrics: the curves of the first {MOST_METRICS} are drawn")
            names = names[:MOST_METRICS]
        panels = [*names, "learning_rate", "seconds"]
        columns = min(len(panels), 2 if len(panels) <= 4 else 3)
        lines = -(-len(panels) // columns)
        made = figure(4.2 * columns, 2.9 * lines + (0.4 if title else 0), title)
        axes = made.subplots(lines, columns, squeeze=False)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis, name in zip(axes.flat, panels, strict=False):
            for index, (run, rows) in enumerate(runs.items()):
                _draw(axis, run, rows, name, index, several=len(runs) > 1)
            _dress(axis, name, [row["epoch"] for row in every])
            if best is not None and name in names:
                axis.axvline(best, color=GREY, linewidth=0.8, linestyle=":")
            if name in names and len(runs) == 1 and len(axis.lines) <= _MOST_IN_LEGEND:
                axis.legend(fontsize=7)
        if len(runs) > 1:
            _legend_below(made, axes.flat[0])
        return made


def _legend_below(made: Figure, axis: Any) -> None:
    """One legend for all panels, which have no room for the lines of many runs."""
    handles, labels = axis.get_legend_handles_labels()
    if not labels:
        return
    widest = _HANDLE + _LETTER * max(map(len, labels))
    columns = max(1, min(len(labels), int(made.get_figwidth() / widest)))
    made.set_figheight(made.get_figheight() + _ENTRY * -(-len(labels) // columns))
    made.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=7)


def _draw(
    axis: Any, run: str, rows: Sequence[dict[str, Any]], name: str, index: int, *, several: bool
) -> None:
    shown = {"markersize": 3.5, "linewidth": 1.4}
    if parts := _parts(rows, name):
        for number, (key, what) in enumerate(parts):
            points = [(row["epoch"], row[key]) for row in rows if _finite(row.get(key))]
            label = " ".join(filter(None, [run, what]))
            axis.plot(*zip(*points, strict=True), label=label, **_line(number + index), **shown)
        return
    for key, what in ((name, "training"), (f"val_{name}", "validation")):
        points = [(row["epoch"], row[key]) for row in rows if _finite(row.get(key))]
        if not points or (what == "validation" and name in ("learning_rate", "seconds")):
            continue
        drawing = _line(index if several else int(what == "validation"))
        if several and what == "validation":
            drawing |= {"linestyle": "--", "markerfacecolor": "white"}
        label = " ".join(filter(None, [run, what]))
        points = _thinned(points)
        axis.plot(*zip(*points, strict=True), label=label, **drawing, **shown)


def _thinned(points: list[Any]) -> list[Any]:
    """As many points as a line may have, evenly spaced, the last one among them."""
    step = -(-len(points) // MOST_POINTS)
    return points if step <= 1 else [*points[::step], points[-1]]


def _parts(rows: Sequence[dict[str, Any]], name: str) -> list[tuple[str, str]]:
    """The keys of a metric with a value per class, and what each is; of the validation, if there
    are any. Empty for a metric with one value."""
    for prefix, what in (("val_", "validation"), ("", "training")):
        found = dict.fromkeys(
            key for row in rows for key in row
            if key != f"{prefix}{name}" and metric_of(key) == f"{prefix}{name}"
            and _finite(row[key])
        )  # fmt: skip
        if found:
            return [(key, f"{key.removeprefix(f'{prefix}{name}/')}, {what}") for key in found]
    return []


def _line(index: int) -> dict[str, str]:
    """How a line is drawn, so that no two of many look alike, even without colours."""
    return {
        "color": _COLORS[index % len(_COLORS)],
        "linestyle": _STYLES[index % len(_STYLES)],
        "marker": _MARKERS[index % len(_MARKERS)],
    }


def _dress(axis: Any, name: str, epochs: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    words = {"learning_rate": "learning rate", "seconds": "seconds an epoch"}
    axis.set_title(words.get(name, name))
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if min(epochs) == max(epochs):
        axis.set_xlim(epochs[0] - 1, epochs[0] + 1)
    if name == "seconds":
        axis.set_ylim(bottom=0)
    if name == "learning_rate":
        values = [value for line in axis.lines for value in line.get_ydata() if value > 0]
        if values and max(values) == min(values):
            axis.set_ylim(0, 2 * values[0])
        if values and max(values) / min(values) > 20:
            logarithmic(axis)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
