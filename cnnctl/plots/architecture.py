"""A network as a row of boxes to scale, as textbooks draw it, from the spec alone."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnctl.plots.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, figure, look
from cnnctl.specs.graph import INPUT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cnnctl.summary.summary import Summary

_SIDE = 2.6
"""Height, in inches, of the largest map."""
_THICKEST = 1.1
"""Inches of the layer with the most channels."""
_GAP = 0.45
_TEXT = 0.62
"""Inches above and below a row."""
MOST_IN_ROW = 12
FEW_CHANNELS = 16
"""So many are always drawn as if there were more: three colours are a sheet, no block."""
_VECTOR = 2.4
"""Inches of the longest vector."""
_SLANT = 0.45
"""How much of the depth is seen to the right, and upwards."""
_KINDS = (
    ("input", GREY, ("input",)),
    ("convolution", BLUE, ("Conv", "LocallyConnected")),
    ("pooling", GREEN, ("Pool",)),
    ("dense", ORANGE, ("Dense",)),
    ("joined", PURPLE, ("Add", "Concatenate", "Multiply", "Average", "Maximum", "Subtract")),
    ("other", SKY, ("",)),
)
_QUIET = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Dropout", "Normalization",
          "Random", "Noise", "Rescaling", "Identity")  # fmt: skip
"""Layers that change neither shape nor image much, and are not drawn as boxes of their own."""


@dataclass(frozen=True)
class Box:
    """One layer as it is drawn.

    Args:
        label: Its class, and the size of its kernel: `Conv2D 5×5`.
        kind: One of convolution, pooling, dense, joined, input, other.
        shape: Of its output: (height, width, channels), (length, channels) or (units,).
        sources: The numbers of the boxes that feed it.
    """

    label: str
    kind: str
    shape: tuple[int, ...]
    sources: tuple[int, ...] = ()


def boxes(summary: Summary) -> list[Box]:
    """What is drawn of a network: its layers, those that only act on values joined to the one
    before them."""
    found = [Box("input", "input", tuple(size or 1 for size in summary.input_shape))]
    box_of = {INPUT: 0}
    for row in summary.rows:
        shape = tuple(size or 1 for size in row.output_shape)
        sources = tuple(dict.fromkeys(box_of[name] for name in row.inputs))
        quiet = any(word in row.layer for word in _QUIET) and shape == found[sources[0]].shape
        if quiet or row.layer == "Flatten":
            box_of[row.name] = sources[0]
            continue
        kernel = next((each.shape[:-2] for each in row.weights if len(each.shape) in (3, 4)), ())
        size = "×".join(map(str, kernel))
        box_of[row.name] = len(found)
        found.append(Box(f"{row.layer} {size}".strip(), _kind(row.layer), shape, sources))
    return found


def _kind(layer: str) -> str:
    return next(name for name, _, words in _KINDS[1:] if any(word in layer for word in words))


def architecture(summary: Summary, *, title: str = "") -> Figure:
    """Draw a network to scale: height and depth of a box are height and width of its maps, its
    thickness is the number of channels (both linear, each with a scale of its own), and a vector is
    a bar whose length is the logarithm of its units. Long networks go on in a next row.

    Args:
        summary: Of the network.
        title: Of the whole.
    """
    with look():
        drawn = boxes(summary)
        count = -(-len(drawn) // MOST_IN_ROW)
        size = -(-len(drawn) // count)
        rows = [drawn[start : start + size] for start in range(0, len(drawn), size)]
        solids = [[_solid(each, drawn) for each in row] for row in rows]
        width = max(sum(each.width + _GAP for each in row) for row in solids) + 0.4
        heights = [max(each.height for each in row) + 2 * _TEXT for row in solids]
        made = figure(max(width, 5.0), sum(heights) + 0.8, title or _title(summary))
        axes = made.subplots(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
        for number, (axis, row) in enumerate(zip(axes, rows, strict=True)):
            axis.set_axis_off()
            axis.set_aspect("equal", anchor="W" if len(rows) > 1 else "C")
            right = _row(axis, row, solids[number], number * size, drawn)
            axis.set_xlim(0, width if len(rows) > 1 else right)
            axis.set_ylim(-heights[number] / 2, heights[number] / 2)
        _legend(made, drawn)
        return made


def _row(
    axis: Any, row: Sequence[Box], solids: Sequence[_Solid], first: int, every: Sequence[Box]
) -> float:
    """Draw boxes side by side, with arrows between them; gives where they end.

    Args:
        axis: In inches, with the middle of the row at 0.
        row: The boxes.
        solids: Their sizes.
        first: The number of the first of them.
        every: The boxes of all rows.
    """
    arrow = {"arrowstyle": "->", "color": GREY, "linewidth": 0.8}
    height = max(each.height for each in solids)
    left, middles = _GAP, []
    for index, (each, solid) in enumerate(zip(row, solids, strict=True)):
        if index and first + index - 1 in each.sources:
            axis.annotate("", (left - 0.04, 0), (left - _GAP + 0.04, 0), arrowprops=arrow)
        _draw(axis, left, solid, each.kind)
        middles.append(left + solid.width / 2)
        size = "×".join(map(str, each.shape))
        axis.text(middles[-1], height / 2 + 0.1, size, ha="center", va="bottom", fontsize=7)
        label = "\n".join(_words(each.label))
        axis.text(middles[-1], -height / 2 - 0.1, label, ha="center", va="top", fontsize=7)
        for source in each.sources:  # past other boxes, above them
            if first <= source < first + index - 1:
                start, end = middles[source - first] + 0.1, middles[-1] - 0.1
                bow = {**arrow, "connectionstyle": f"arc3,rad={-0.36 / max(end - start, 0.8):.3f}"}
                above = height / 2 + 0.26
                axis.annotate("", (end, above), (start, above), arrowprops=bow)
        left += solid.width + _GAP
    following = first + len(row)
    if following < len(every) and following - 1 in every[following].sources:
        axis.annotate("", (left - 0.04, 0), (left - _GAP + 0.04, 0), arrowprops=arrow)
    return left


def _words(label: str) -> list[str]:
    """`MaxPooling2D 2×2` as lines that are not wider than the gap between two boxes."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "\n", label).replace(" ", "\n").split("\n")


@dataclass(frozen=True)
class _Solid:
    """Inches: of the front (thickness × front), and how far the depth goes right and up."""

    thickness: float
    front: float
    depth: float

    @property
    def width(self) -> float:
        return self.thickness + self.depth * _SLANT

    @property
    def height(self) -> float:
        return self.front + self.depth * _SLANT


def _solid(box: Box, every: Sequence[Box]) -> _Solid:
    maps = [each.shape for each in every if len(each.shape) > 1]
    side = max([max(shape[:-1]) for shape in maps], default=1)
    channels = max([FEW_CHANNELS, *(shape[-1] for shape in maps)])
    if len(box.shape) == 1:
        longest = max(each.shape[0] for each in every if len(each.shape) == 1)
        length = _VECTOR * math.log2(box.shape[0] + 1) / math.log2(longest + 1)
        return _Solid(0.14, max(length, 0.05), 0.0)
    thickness = max(_THICKEST * box.shape[-1] / channels, 0.04)
    if len(box.shape) == 2:
        return _Solid(thickness, max(_SIDE * box.shape[0] / side, 0.04), 0.0)
    height, width = box.shape[-3], box.shape[-2]
    return _Solid(thickness, max(_SIDE * height / side, 0.04), max(_SIDE * width / side, 0.04))


def _draw(axis: Any, left: float, solid: _Solid, kind: str) -> None:
    """A cuboid around the middle line; light falls from the front."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Polygon

    color = next(each for name, each, _ in _KINDS if name == kind)
    shift = solid.depth * _SLANT
    bottom = -solid.height / 2
    right, top = left + solid.thickness, bottom + solid.front

    def face(points: list[tuple[float, float]], light: float) -> None:
        shade = tuple(min(1.0, part * light + (1 - light) * (light < 1) * 0.0
                          + max(0.0, light - 1)) for part in to_rgb(color))  # fmt: skip
        axis.add_patch(
            Polygon(points, closed=True, facecolor=shade, edgecolor="white", linewidth=0.6)
        )

    face([(left, bottom), (right, bottom), (right, top), (left, top)], 1.0)
    if solid.depth:
        face([(left, top), (right, top), (right + shift, top + shift), (left + shift, top + shift)],
             1.25)  # fmt: skip
        face([(right, bottom), (right + shift, bottom + shift), (right + shift, top + shift),
              (right, top)], 0.75)  # fmt: skip


def _legend(made: Figure, drawn: Sequence[Box]) -> None:
    from matplotlib.patches import Patch

    kinds = {each.kind for each in drawn} - {"input"}
    patches = [Patch(color=color, label=name) for name, color, _ in _KINDS if name in kinds]
    made.legend(handles=patches, loc="outside lower center", ncols=max(len(patches), 1), fontsize=7,
                handlelength=1.0)  # fmt: skip


def _title(summary: Summary) -> str:
    return f"{summary.name}: {summary.total:,} parameters"
