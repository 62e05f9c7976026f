"""Learning rates by epoch: an arithmetic expression, or a schedule with a name, a plug-in's too.

All are functions of the epoch (from 0, as in Keras's LearningRateScheduler), the rate so far and
the number of epochs. Nothing here imports Keras: `check` computes them too.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnnctl.catalog import load
from cnnctl.specs.components import Component
from cnnctl.specs.rate_expressions import Expression, ExpressionError, rate_of

Rate = Callable[[int, float], float]
"""(epoch from 0, rate so far) → rate."""


@dataclass(frozen=True)
class Registered:
    """A plug-in's function `(epoch, lr, …)`, with the arguments that a spec gives it.

    Args:
        name: Its name.
        function: The function; its errors carry a note of the line that they arose in.
        arguments: Those of the spec; `epochs` among them, if the function takes it.
    """

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any]

    def __call__(self, epoch: int, rate: float) -> float:
        """The rate of an epoch.

        Raises:
            ExpressionError: It fails, or does not return a finite number of at least 0.
        """
        try:
            with contextlib.redirect_stdout(sys.stderr):  # results alone go to standard output
                value = self.function(epoch, rate, **self.arguments)
        except Exception as error:
            where = ", ".join((f"in epoch {epoch}", *getattr(error, "__notes__", ())))
            raise ExpressionError(
                f"{self.name} fails with {type(error).__name__}: {error}, {where}"
            ) from error
        return rate_of(value, epoch)


def make(schedule: str | Component, epochs: int) -> Rate:
    """The function that a spec's `schedule` describes.

    Args:
        schedule: An expression, or a named schedule of the catalog.
        epochs: The length of the training.
    """
    if isinstance(schedule, str):
        return Expression(schedule, epochs)
    arguments = dict(schedule.arguments)
    if isinstance(after := arguments.get("after"), Component):
        arguments["after"] = make(after, max(1, epochs - arguments["warm_up_epochs"]))
    if schedule.name in _SCHEDULES:
        return _SCHEDULES[schedule.name](epochs=epochs, **arguments)
    entry = load().find("rate_schedule", schedule.name)
    assert entry is not None
    if "epochs" in entry.managed:
        arguments["epochs"] = epochs
    return Registered(schedule.name, entry.registered, arguments)


def _exponential(
    *,
    epochs: int,
    initial_learning_rate: float,
    decay_rate: float,
    decay_epochs: float = 1,
    staircase: bool = False,
) -> Rate:
    def rate(epoch: int, _: float) -> float:
        power = epoch / decay_epochs
        return float(
            initial_learning_rate * decay_rate ** (math.floor(power) if staircase else power)
        )

    return rate


def _step(*, epochs: int, initial_learning_rate: float, every: int, drop: float = 0.5) -> Rate:
    return lambda epoch, _: float(initial_learning_rate * drop ** (epoch // every))


def _cosine(
    *,
    epochs: int,
    initial_learning_rate: float,
    final_learning_rate: float = 0.0,
    decay_epochs: int | None = None,
) -> Rate:
    """Half a cosine (Loshchilov and Hutter 2017, equation 5, without restarts)."""
    length = decay_epochs or epochs

    def rate(epoch: int, _: float) -> float:
        part = min(epoch / length, 1.0)
        height = initial_learning_rate - final_learning_rate
        return final_learning_rate + height * (1 + math.cos(math.pi * part)) / 2

    return rate


def _warm_up(
    *,
    epochs: int,
    initial_learning_rate: float,
    warm_up_epochs: int,
    start: float = 0.0,
    after: Rate | None = None,
) -> Rate:
    """A straight line to the target over the first epochs, then constant or another schedule."""

    def rate(epoch: int, lr: float) -> float:
        if epoch < warm_up_epochs:
            return start + (initial_learning_rate - start) * (epoch + 1) / warm_up_epochs
        return after(epoch - warm_up_epochs, lr) if after else initial_learning_rate

    return rate


def _one_cycle(
    *,
    epochs: int,
    max_learning_rate: float,
    peak: float = 0.3,
    initial_divisor: float = 25.0,
    final_divisor: float = 1e4,
) -> Rate:
    """Up and down on cosines (Smith and Topin 2018; divisors as in PyTorch's OneCycleLR)."""
    low = max_learning_rate / initial_divisor
    last = low / final_divisor
    top = peak * (epochs - 1)

    def rate(epoch: int, _: float) -> float:
        if epoch <= top:
            begin, end, part = low, max_learning_rate, epoch / top if top else 1.0
        else:
            begin, end = max_learning_rate, last
            part = (epoch - top) / (epochs - 1 - top)
        return end + (begin - end) * (1 + math.cos(math.pi * part)) / 2

    return rate


_SCHEDULES: dict[str, Callable[..., Rate]] = {
    "exponential": _exponential,
    "step": _step,
    "cosine": _cosine,
    "warm_up": _warm_up,
    "one_cycle": _one_cycle,
}
