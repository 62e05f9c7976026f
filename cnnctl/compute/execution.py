"""Several steps in one call, as `model.fit` and `model.evaluate` make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import keras
import tensorflow as tf

from cnnctl.compute.feed import Feed

Logs = dict[str, Any]
Step = Callable[[Any], None]
"""What is done with an element of a feed's dataset: one step."""


def reading(model: keras.Model, feed: Feed, step: Callable[[tf.Tensor, tf.Tensor], None]) -> Step:
    """A step that reads its batch first; what follows is compiled by XLA where the model says."""
    compiled = compiled_by_xla(step) if model.jit_compile else step
    return lambda element: compiled(*feed.read(element))


def compiled_by_xla(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step as one program of XLA's."""
    compiled: Callable[..., Any] = tf.function(step, jit_compile=True, autograph=False)
    return compiled


class Execution:
    """What Keras calls with the iterator of an epoch: it makes the next steps, and returns the
    metrics so far.

    Args:
        model: Compiled.
        feed: Whose batches they are.
        steps: One step; then, for a network in which it cannot be traced, simpler forms of it.
    """

    def __init__(self, model: keras.Model, feed: Feed, *steps: Step) -> None:
        self._model = model
        self._feed = feed
        self._functions = [_several(model, step) for step in steps]
        self._iterator: Any = None
        self._done = 0

    def trace(self) -> list[str]:
        """Trace the first form of the step now rather than in the first call.

        Returns:
            The names of what it reports.

        Raises:
            Exception: Whatever a layer, the loss or a metric raises.
        """
        arguments = iter(self._feed.dataset), tf.constant(0)
        return list(self._functions[0].get_concrete_function(*arguments).structured_outputs)

    def __call__(self, iterator: Any) -> Logs:
        """Make the next steps of an epoch."""
        if iterator is not self._iterator:  # Keras makes one for each epoch
            self._iterator, self._done = iterator, 0
        count = min(self._model.steps_per_execution, self._feed.steps - self._done)
        self._done += count
        arguments = iterator, tf.constant(count)
        self._functions = [traceable(self._functions, *arguments)]
        return dict(self._functions[0](*arguments))


def traceable(functions: Sequence[Any], *arguments: Any) -> Any:
    """Return the first of some compiled functions that can be traced; if none can, the last, which
    raises the error of the network itself."""
    for each in functions[:-1]:
        with suppress(Exception):
            each.get_concrete_function(*arguments)
            return each
    return functions[-1]


def _several(model: keras.Model, step: Step) -> Any:
    """A compiled function of an iterator and a number of steps: it makes these."""

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def several(iterator: Any, count: tf.Tensor) -> Logs:
        def body(done: tf.Tensor) -> tuple[tf.Tensor]:
            step(iterator.get_next())
            return (done + 1,)

        tf.while_loop(lambda done: done < count, body, (tf.constant(0),), parallel_iterations=1)
        return dict(model.get_metrics_result())

    return several
