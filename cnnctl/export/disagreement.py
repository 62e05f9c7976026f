"""How an export disagrees with its network, and from which layer on."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from cnnctl.specs.graph import Graph, GraphLayer

SECONDS = 60.0
"""How long the layer is looked for: each layer that is tried is an export of its own."""


def disagreement(found: np.ndarray, expected: np.ndarray, tolerance: float | None) -> str | None:
    """Say how an export's outputs disagree with the network's; None where they agree.

    Args:
        found: The export's outputs.
        expected: The network's, for the same images.
        tolerance: The largest difference, relative to outputs above 1; None for any.
    """
    import numpy as np

    if found.shape != expected.shape:
        return f"it gives an output of shape {found.shape} where the network gives {expected.shape}"
    finite = np.isfinite(found)
    if not finite.all():
        images = int((~finite).reshape(len(found), -1).any(1).sum())
        return (
            f"it gives outputs that are not finite for {images:,} of {len(found):,} images, where "
            "the network's are finite"
        )
    difference = float(np.abs(found - expected).max())
    most = (tolerance or 0) * max(1.0, float(np.abs(expected).max()))
    if tolerance is not None and difference > most:
        return (
            f"an output differs by {difference:.2g}, and {most:.2g} is the most on "
            f"{len(found):,} images"
        )
    return None


def first_layer(
    graph: Graph, differs: Callable[[str], bool], seconds: float = SECONDS
) -> GraphLayer | None:
    """Find a layer whose output disagrees in the export of the network up to it, while the outputs
    that it is computed from agree.

    Args:
        graph: The network.
        differs: Whether an export of the network up to a layer of this name disagrees.
        seconds: How long to look.

    Returns:
        The layer; None where an export up to the last layer agrees, where an export on the way
        fails, or where the time is up.
    """
    end = time.monotonic() + seconds

    @cache
    def disagrees(name: str) -> bool:
        if time.monotonic() > end:
            raise TimeoutError
        return differs(name)

    try:
        if not disagrees(graph.output):
            return None
        wrong = graph.layers[-1]
        while above := _above(wrong, graph):
            at = bisect_left(above, True, key=lambda layer: disagrees(layer.name))
            if at == len(above):
                break
            wrong = above[at]
        return wrong
    except Exception:  # whatever a converter raises: the layer is only a help
        return None


def _above(layer: GraphLayer, graph: Graph) -> list[GraphLayer]:
    """The layers that a layer depends on, in order of evaluation."""
    needed = set(layer.inputs)
    for each in reversed(graph.layers):
        if each.name in needed:
            needed.update(each.inputs)
    return [each for each in graph.layers if each.name in needed]
