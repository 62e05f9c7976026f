"""The weights of a training that goes on with another network: kept where a layer is the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import keras
import numpy as np

from cnnctl.errors import listed
from cnnctl.specs.graph import snake_case


@dataclass(frozen=True)
class Kept:
    """What became of the weights.

    Args:
        numbers: The number of a weight in the new network → its number in the old one.
        fresh: The layers whose weights start afresh.
        notes: What is worth knowing, for people.
    """

    numbers: dict[int, int]
    fresh: tuple[str, ...]
    notes: tuple[str, ...]


def keep_weights(before: keras.Model, now: keras.Model) -> Kept:
    """Give a network the weights of another one, layer by layer.

    Layers belong together if they are of one class, have weights of the same shapes, and have the
    same name; those with automatic names, which count, and renamed ones by their order.

    Args:
        before: The network as it was, with its weights.
        now: The network as it is; layers of which nothing was there keep their initial weights.
    """
    old, new = ([layer for layer in each.layers if layer.weights] for each in (before, now))
    pairs = _pairs(old, new)
    numbers = {}
    own, theirs = ({id(w): n for n, w in enumerate(each.weights)} for each in (now, before))
    for source, target in pairs:
        for value, weight in zip(_sorted(source), _sorted(target), strict=True):
            weight.assign(np.asarray(value))
            numbers[own[id(weight)]] = theirs[id(value)]
    sources, targets = ([id(pair[side]) for pair in pairs] for side in (0, 1))
    fresh = [layer.name for layer in new if id(layer) not in targets]
    gone = [layer.name for layer in old if id(layer) not in sources]
    renamed = [f"{b.name} has the weights of {a.name}" for a, b in pairs if a.name != b.name]
    notes = [f"initial weights in {listed(fresh)}"] if fresh else []
    notes += [f"trained weights left out: {listed(gone)}"] if gone else []
    return Kept(numbers, tuple(fresh), (*notes, *renamed))


def _pairs(
    old: Sequence[keras.Layer], new: Sequence[keras.Layer]
) -> list[tuple[keras.Layer, keras.Layer]]:
    """The layers that belong together: (before, now)."""
    named = {layer.name: layer for layer in old if _is_named(layer)}
    pairs = [
        (named[layer.name], layer)
        for layer in new
        if layer.name in named and _shapes(named[layer.name]) == _shapes(layer)
    ]
    # Of one name and other shapes: it is that layer, and no other one takes its place.
    both = named.keys() & {layer.name for layer in new}
    old, new = ([layer for layer in each if layer.name not in both] for each in (old, new))
    matcher = SequenceMatcher(None, [*map(_shapes, old)], [*map(_shapes, new)], autojunk=False)
    for block in matcher.get_matching_blocks():
        pairs += zip(old[block.a :][: block.size], new[block.b :][: block.size], strict=True)
    return pairs


def _is_named(layer: keras.Layer) -> bool:
    """Whether a layer has another name than the automatic one."""
    return not re.fullmatch(rf"{snake_case(type(layer).__name__)}(_\d+)?", layer.name)


def _shapes(layer: keras.Layer) -> tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]:
    """What has to be alike: the class, and the names and shapes of the weights."""
    weights = tuple((weight.name, tuple(weight.shape)) for weight in _sorted(layer))
    return type(layer).__name__, weights


def _sorted(layer: keras.Layer) -> list[keras.Variable]:
    """The weights of a layer in an order that does not depend on which are trained."""
    return sorted(layer.weights, key=lambda weight: str(weight.name))
