"""Random numbers of the replicas of a step: no two replicas draw the same."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from cnnctl.compat import seed_generators


@contextmanager
def drawn_apart(model: keras.Model, count: int) -> Iterator[None]:
    """While the replicas of a step are traced, let each draw numbers that no other one draws.

    The draws of the replicas take turns: those of two replicas are those of a batch that one device
    computes in two parts. At the end the states have moved on behind all of them.

    Around all replicas, since TensorFlow traces them in turns where they wait for each other, each
    in a thread of its own.

    Args:
        model: The network.
        count: Of replicas.
    """
    draws: dict[int, dict[int, int]] = defaultdict(dict)
    found = list(seed_generators(model))
    for place, generator in enumerate(found):
        generator.next = _drawing(generator, place, draws, count)
    try:
        yield
    finally:
        for generator in found:
            del generator.next
    for place, generator in enumerate(found):
        if made := max((each.get(place, 0) for each in draws.values()), default=0):
            state = generator.state.value
            state.assign(state + tf.constant([0, made * count], state.dtype))


def _drawing(
    generator: keras.random.SeedGenerator,
    place: int,
    draws: dict[int, dict[int, int]],
    count: int,
) -> Callable[..., Any]:
    def following(ordered: bool = True) -> Any:
        mine = draws[threading.get_ident()]
        turn = mine.get(place, 0)
        mine[place] = turn + 1
        index = tf.distribute.get_replica_context().replica_id_in_sync_group
        state = tf.convert_to_tensor(generator.state.value)
        return state + tf.cast(tf.stack([0, turn * count + index]), state.dtype)

    return following
