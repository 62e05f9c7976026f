"""The generators of random numbers in a network: those of dropout and augmentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf


def generators(model: keras.Model) -> Iterator[keras.random.SeedGenerator]:
    """The seed generators of a model's layers, each once, in the order of the layers."""
    seen: set[int] = set()
    for layer in model._flatten_layers(include_self=False):
        for generator in (getattr(layer, "seed_generator", None), *layer._seed_generators):
            if isinstance(generator, keras.random.SeedGenerator) and id(generator) not in seen:
                seen.add(id(generator))
                yield generator


@contextmanager
def drawn_apart(model: keras.Model, index: tf.Tensor, count: int) -> Iterator[dict[int, int]]:
    """While a replica's part of a step is traced, let it draw numbers that no other one draws.

    The draws of the replicas take turns: those of two replicas are those of a batch that one device
    computes in two parts. The states stay as they are; `advance` moves them on.

    Args:
        model: The network.
        index: Of the replica, from 0.
        count: Of replicas.

    Yields:
        How often each generator was drawn from, by its place among them.
    """
    draws: dict[int, int] = {}
    found = list(generators(model))
    for place, generator in enumerate(found):
        generator.next = _drawing(generator, place, draws, index, count)
    try:
        yield draws
    finally:
        for generator in found:
            del generator.next


def _drawing(
    generator: keras.random.SeedGenerator,
    place: int,
    draws: dict[int, int],
    index: tf.Tensor,
    count: int,
) -> Callable[..., Any]:
    def following(ordered: bool = True) -> Any:
        turn = draws.get(place, 0)
        draws[place] = turn + 1
        state = tf.convert_to_tensor(generator.state.value)
        return state + tf.cast(tf.stack([0, turn * count + index]), state.dtype)

    return following


def advance(model: keras.Model, draws: dict[int, int], count: int) -> None:
    """Move the states on behind what the replicas have drawn.

    Args:
        model: The network.
        draws: What `drawn_apart` gave: of each replica the same.
        count: Of replicas.
    """
    for place, generator in enumerate(generators(model)):
        if made := draws.get(place):
            state = generator.state.value
            state.assign(state + tf.constant([0, made * count], state.dtype))
