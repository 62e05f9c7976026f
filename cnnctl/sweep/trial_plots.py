"""A sweep as figures: parallel coordinates, and the figure over each parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnctl.errors import UsageError
from cnnctl.plots.style import BLUE, GREY, RED, every, figure, logarithmic, look, shortened
from cnnctl.specs.scalars import resolve
from cnnctl.sweep.space import Parameter, Space, Value, short_names
from cnnctl.sweep.table import Row, best

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LABELS = 12
"""How many values of a list are labelled on an axis; of more, every other one or so."""

_WIDE = 50
"""How many times its least a positive figure may be at most on a linear axis."""

_LONGEST = 14
"""Letters of a label."""


class Scale:
    """Where the values of a parameter, or the figures, stand on an axis from 0 to 1.

    Args:
        low, high: The ends.
        log: Whether equal factors are equally long.
        texts: Of a list: its values, evenly spaced; empty for numbers.
        marks: Of integers: all of them; some are labelled.
    """

    def __init__(
        self,
        low: float = 0,
        high: float = 1,
        *,
        log: bool = False,
        texts: Sequence[str] = (),
        marks: Sequence[Value] = (),
    ) -> None:
        self.low, self.high, self.log = low, high, log
        self.texts, self.marks = list(texts), list(marks)

    def at(self, value: Value) -> float:
        """The place of a value, from 0 to 1."""
        if self.texts:
            # The outer values keep away from the ends, as the axis would hide a line there.
            return (self.texts.index(str(value)) + 0.5) / len(self.texts)
        low, high, number = (
            (math.log(each) if self.log else float(each))
            for each in (self.low, self.high, float(value))
        )
        return 0.5 if high == low else (number - low) / (high - low)

    def ticks(self) -> list[tuple[float, str]]:
        """Places and labels of an axis."""
        if self.texts:
            places, labels = every(self.texts, MOST_LABELS)
            return [
                (self.at(self.texts[place]), shortened(label, _LONGEST))
                for place, label in zip(places, labels, strict=True)
            ]
        if self.marks:
            places, labels = every([str(each) for each in self.marks], MOST_LABELS)
            return [(self.at(self.marks[place]), label)
                    for place, label in zip(places, labels, strict=True)]  # fmt: skip
        from matplotlib.ticker import LogLocator, MaxNLocator

        if self.low == self.high:
            return [(0.5, f"{self.low:.4g}")]
        locator = LogLocator(numticks=6) if self.log else MaxNLocator(5)
        ticks = locator.tick_values(self.low, self.high)
        if self.log and sum(self.low <= each <= self.high for each in ticks) < 2:
            ticks = [self.low, self.high]
        found = [
            (self.at(float(each)), f"{each:.4g}") for each in ticks if each > 0 or not self.log
        ]
        return [(place, text) for place, text in found if -1e-6 <= place <= 1 + 1e-6]


def scale_of(parameter: Parameter) -> Scale:
    """The axis of a parameter: numbers of a list are in order, texts as the list has them."""
    if parameter.kind == "int":
        marks = parameter.points
        return Scale(float(marks[0]), float(marks[-1]), marks=marks)
    if parameter.kind != "choice":
        log = parameter.kind == "log_uniform"
        return Scale(parameter.low, parameter.high, log=log)
    numbers = [_number(text) for text in parameter.values]
    texts = list(parameter.values)
    if all(each is not None for each in numbers):
        texts.sort(key=lambda text: _number(text) or 0.0)
    return Scale(texts=texts)


def parallel_coordinates(
    rows: Sequence[Row], space: Space, monitor: str, maximize: bool, *, title: str = ""
) -> Figure:
    """Draw each trial as a line through its values to its figure, which is its colour too.

    Pruned trials are dotted; their figure is the last one that was reported.

    Args:
        rows: The trials.
        space: What is varied.
        monitor: The figure by which they are compared.
        maximize: Whether it is best where it is largest.
        title: Of the whole.

    Raises:
        UsageError: No trial has a figure yet.
    """
    drawn = _drawn(rows)
    names = short_names(space)
    scales = [*map(scale_of, space), _scale_of_figures(drawn)]
    labels = [*(names[each.path] for each in space), monitor]
    with look():
        from matplotlib import colormaps
        from matplotlib.lines import Line2D

        made = figure(max(4.5, 1.75 * len(scales) + 0.8), 4.2, title)
        axis = made.subplots()
        colors = colormaps["viridis_r" if maximize else "viridis"]
        top = best(rows, maximize)
        for row in sorted(drawn, key=lambda each: each is top):
            assert row.value is not None
            points = [s.at(row.values[p.path]) for s, p in zip(scales, space, strict=False)]
            points.append(scales[-1].at(row.value))
            pruned = row.state == "pruned"
            axis.plot(
                range(len(scales)), points, color=colors(0.05 + 0.85 * points[-1]),
                linestyle=":" if pruned else "-", linewidth=3 if row is top else 1.4,
                marker="o", markersize=3.5,
            )  # fmt: skip
        for place, scale in enumerate(scales):
            axis.axvline(place, color=GREY, linewidth=0.8, zorder=0)
            for height, text in scale.ticks():
                axis.annotate(
                    text, (place, height), xytext=(4, 0), textcoords="offset points", fontsize=7,
                    va="center", bbox={"facecolor": "white", "alpha": 0.75, "pad": 0.6,
                                       "edgecolor": "none"},
                )  # fmt: skip
        axis.set_xlim(-0.15, len(scales) - 0.45)
        axis.set_ylim(-0.04, 1.04)
        axis.set_xticks(range(len(scales)), [shortened(each, 22) for each in labels])
        axis.set_yticks([])
        axis.grid(visible=False)
        for side in ("left", "bottom"):
            axis.spines[side].set_visible(False)
        kinds = [Line2D([], [], color=GREY, linewidth=3, label="the best")] if top else []
        if any(row.state == "pruned" for row in drawn):
            kinds.append(Line2D([], [], color=GREY, linestyle=":", label="pruned"))
        if kinds:
            made.legend(handles=kinds, loc="outside lower center", ncols=2, fontsize=7)
        return made


def slices(
    rows: Sequence[Row], space: Space, monitor: str, maximize: bool, *, title: str = ""
) -> Figure:
    """Draw the figure of each trial over each parameter; where there are several seeds, from the
    least of them to the greatest.

    Args:
        rows, space, monitor, maximize, title: As in `parallel_coordinates`.

    Raises:
        UsageError: No trial has a figure yet.
    """
    drawn = _drawn(rows)
    names = short_names(space)
    figures = _scale_of_figures(drawn)
    top = best(rows, maximize)
    with look():
        columns = min(len(space), 3)
        lines = -(-len(space) // columns)
        made = figure(max(3.3 * columns, 4.5), 2.9 * lines + 0.6, title)
        axes = made.subplots(lines, columns, squeeze=False, sharey=True)
        for axis in axes.flat[len(space) :]:
            axis.set_axis_off()
        for axis, parameter in zip(axes.flat, space, strict=False):
            scale = scale_of(parameter)
            _points(axis, drawn, parameter, scale, top)
            axis.set_xlabel(shortened(names[parameter.path], 36))
            ticks = scale.ticks()
            rotated = sum(len(text) for _, text in ticks) > 30
            axis.set_xticks(*map(list, zip(*ticks, strict=True)), rotation=90 if rotated else 0)
            axis.set_xlim(-0.04, 1.04)
        if figures.log:
            logarithmic(axes[0, 0])
        for axis in axes[:, 0]:
            axis.set_ylabel(monitor)
        handles: dict[str, Any] = {}
        for axis in axes.flat[: len(space)]:
            handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
        made.legend(handles.values(), handles.keys(), loc="outside lower center",
                    ncols=3, fontsize=7)  # fmt: skip
        return made


def _points(
    axis: Any, drawn: Sequence[Row], parameter: Parameter, scale: Scale, top: Row | None
) -> None:
    """The trials over one parameter."""
    kinds = (
        ("finished", {"color": BLUE, "marker": "o", "markersize": 4}),
        ("pruned", {"color": RED, "marker": "x", "markersize": 4.5}),
    )
    for state, drawing in kinds:
        chosen = [row for row in drawn if row.state == state]
        if not chosen:
            continue
        places = [scale.at(row.values[parameter.path]) for row in chosen]
        values = [row.value for row in chosen]
        axis.plot(places, values, linestyle="", label=state, **drawing)
        for place, row in zip(places, chosen, strict=True):
            if len(row.each) > 1:
                axis.plot([place, place], [min(row.each), max(row.each)], color=drawing["color"],
                          linewidth=1)  # fmt: skip
    if top is not None:
        axis.plot([scale.at(top.values[parameter.path])], [top.value], linestyle="", marker="s",
                  markersize=9, markerfacecolor="none", color=BLUE, label="the best")  # fmt: skip


def _drawn(rows: Sequence[Row]) -> list[Row]:
    found = [row for row in rows
             if row.state in ("finished", "pruned") and row.value is not None]  # fmt: skip
    if not found:
        raise UsageError("no trial is finished yet: there is nothing to draw")
    return found


def _scale_of_figures(drawn: Sequence[Row]) -> Scale:
    """From the least figure to the greatest; by factors where one is many times another."""
    values = [row.value for row in drawn if row.value is not None]
    low, high = min(values), max(values)
    return Scale(low, high, log=low > 0 and high / low > _WIDE)


def _number(text: str) -> float | None:
    try:
        value = resolve(text)
    except ValueError:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]
