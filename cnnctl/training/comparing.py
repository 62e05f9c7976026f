"""Each epoch of a training held against the history of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnnctl.compute.observer import Facts, Observer

NOT_COMPARED = ("seconds", "images_per_second")
"""What no two trainings have in common."""


@dataclass(frozen=True)
class FirstDifference:
    """The first figure that is another.

    Args:
        epoch: Counted from 1.
        figure: Its name.
        before: As the run has it; None if it lacks it.
        now: As it is now.
    """

    epoch: int
    figure: str
    before: float | None
    now: float | None


class Enough(BaseException):
    """Ends a training from an observer: there is nothing more to compare."""


class Comparing(Observer):
    """Compares each epoch, and raises `Enough` at the first difference or after the last epoch.

    Args:
        rows: The lines of the history.
        wanted: How many of them are compared.

    Attributes:
        facts: What the training is made of, once it has started.
        epochs: How many were compared.
        difference: The first metric that differs, if one does.
    """

    def __init__(self, rows: Sequence[dict[str, Any]], wanted: int) -> None:
        self.rows = rows
        self.wanted = wanted
        self.facts: Facts | None = None
        self.epochs = 0
        self.difference: FirstDifference | None = None

    def started(self, facts: Facts) -> None:
        """Keep what the training is made of."""
        self.facts = facts

    def epoch_ended(self, row: dict[str, Any], improved: bool) -> None:
        """Compare."""
        before = self.rows[self.epochs]
        self.epochs += 1
        for figure in dict.fromkeys([*before, *row]):
            if figure not in NOT_COMPARED and before.get(figure) != row.get(figure):
                values = before.get(figure), row.get(figure)
                self.difference = FirstDifference(self.epochs, figure, *values)
                raise Enough
        if self.epochs >= self.wanted:
            raise Enough
