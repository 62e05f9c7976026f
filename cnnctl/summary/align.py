"""Several networks side by side: which layer of one stands beside which layer of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from cnnctl.arithmetic import LayerFacts
from cnnctl.specs.difference import matched

Line: TypeAlias = "tuple[LayerFacts | None, ...]"
"""One layer of each network; None where a network has none that corresponds."""

Key: TypeAlias = "Callable[[LayerFacts], object]"

_KEYS: tuple[Key, ...] = (
    lambda row: (row.layer, row.output_shape, row.parameters),
    lambda row: (row.layer, row.output_shape),
    lambda row: row.layer,
)
"""What makes two layers correspond, from the strictest to the loosest."""


def align(networks: Sequence[Sequence[LayerFacts]]) -> tuple[Line, ...]:
    """Put layers that correspond into one line, each network's layers in their order.

    The last layers correspond if they are of one class. Of the others, those that are alike in
    class, output shape and parameters are found first, then, between them, those of the same class
    and output shape, then those of the same class.

    Args:
        networks: The layers of each network.

    Returns:
        Lines with one entry for each network.
    """
    lines: list[Line] = [(row,) for row in networks[0]] if networks else []
    for count, rows in enumerate(networks[1:], 1):
        nothing = (None,) * count
        if lines and rows and _nearest(lines[-1]).layer == rows[-1].layer:
            body = _joined(lines[:-1], rows[:-1], nothing, _KEYS)
            lines = [*body, (*lines[-1], rows[-1])]
        else:
            lines = _joined(lines, rows, nothing, _KEYS)
    return tuple(lines)


def _joined(
    lines: Sequence[Line],
    rows: Sequence[LayerFacts],
    nothing: tuple[None, ...],
    keys: Sequence[Key],
) -> list[Line]:
    """Add a network to the lines of those before it."""
    if not keys or not lines or not rows:
        return [*((*line, None) for line in lines), *((*nothing, row) for row in rows)]
    key, *looser = keys
    before = [key(_nearest(line)) for line in lines]
    matcher = matched(before, list(map(key, rows)))
    joined: list[Line] = []
    at = to = 0
    for block in matcher.get_matching_blocks():  # the last one is empty, at the end of both
        joined += _joined(lines[at : block.a], rows[to : block.b], nothing, looser)
        at, to = block.a + block.size, block.b + block.size
        pairs = zip(lines[block.a : at], rows[block.b : to], strict=True)
        joined += [(*line, row) for line, row in pairs]
    return joined


def _nearest(line: Line) -> LayerFacts:
    """The layer of the last network that has one in this line."""
    return next(row for row in reversed(line) if row is not None)
