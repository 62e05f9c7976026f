"""Learning rates as a function of the epoch, for `LearningRateScheduler: {schedule: …}`.

Epochs count from 0, as in Keras's callback.
"""

from __future__ import annotations

from typing import Any

from cnnctl.catalog.entry import Argument, Entry
from cnnctl.catalog.schemas import BOOLEAN, Schema, integer, number, optional, ref

_RATE = number(above=0)


def _argument(name: str, schema: Schema, doc: str, default: Any = None) -> Argument:
    return Argument(name, schema, default=default, doc=doc)


def _entry(name: str, summary: str, *arguments: Argument) -> Entry:
    return Entry("rate_schedule", name, summary=summary, arguments=arguments, source="cnnctl")


_INITIAL = Argument("initial_learning_rate", _RATE, required=True, doc="The rate of epoch 0.")

RATE_SCHEDULES = (
    _entry(
        "exponential",
        "initial_learning_rate * decay_rate ** (epoch / decay_epochs)",
        _INITIAL,
        Argument("decay_rate", _RATE, required=True, doc="Factor for each decay_epochs epochs."),
        _argument("decay_epochs", number(above=0), "Epochs for one factor.", 1),
        _argument("staircase", BOOLEAN, "Whether epoch / decay_epochs is rounded down.", False),
    ),
    _entry(
        "step",
        "initial_learning_rate * drop ** floor(epoch / every)",
        _INITIAL,
        _argument("drop", _RATE, "Factor at each step.", 0.5),
        Argument("every", integer(1), required=True, doc="Epochs from one step to the next."),
    ),
    _entry(
        "cosine",
        "final + (initial - final) * (1 + cos(pi * epoch / decay_epochs)) / 2, then final",
        _INITIAL,
        _argument("final_learning_rate", number(0), "The rate at the end.", 0),
        _argument(
            "decay_epochs", optional(integer(1)), "Epochs until the end; null: all of the training."
        ),
    ),
    _entry(
        "warm_up",
        "start + (initial_learning_rate - start) * (epoch + 1) / warm_up_epochs, then `after`",
        Argument(
            "initial_learning_rate",
            _RATE,
            required=True,
            doc="The rate that the warm-up reaches, in epoch warm_up_epochs - 1.",
        ),
        Argument("warm_up_epochs", integer(1), required=True, doc="Epochs of the rise."),
        _argument("start", number(0), "The rate that it rises from; epoch 0 is a step above.", 0),
        _argument(
            "after",
            optional(ref("rate_schedule")),
            "What follows, its epochs counted from the warm-up's end; "
            "null: the rate stays as it is.",
        ),
    ),
    _entry(
        "one_cycle",
        "Up to max_learning_rate and down again along cosines, over all epochs.",
        Argument("max_learning_rate", _RATE, required=True, doc="The rate at the peak."),
        _argument(
            "peak", number(above=0, below=1), "Where the peak is, as a fraction of all epochs.", 0.3
        ),
        _argument(
            "initial_divisor", number(1), "Epoch 0 has max_learning_rate / initial_divisor.", 25
        ),
        _argument(
            "final_divisor",
            number(1),
            "The end has max_learning_rate / initial_divisor / final_divisor.",
            1e4,
        ),
    ),
)
"""The rate schedules, each with its formula as the summary."""
