"""Who watches a training: the base class of all observers, and what they are told first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cnnctl.compute.device import Device
from cnnctl.compute.plan import Plan
from cnnctl.data.preparation import Prepared
from cnnctl.runs.run import Run
from cnnctl.specs import Spec


@dataclass(frozen=True)
class Facts:
    """What is settled before the first epoch.

    Args:
        spec: The spec.
        run: The run folder.
        device: Where it runs.
        plan: How its steps are computed.
        data: The data as the network gets it.
        parameters: Of the network.
        steps: Steps per epoch.
        done: Epochs of the run that were done before.
        notes: What users should know: of a resumed training, say.
        replicas: How many devices compute a batch together.
    """

    spec: Spec
    run: Run
    device: Device
    plan: Plan
    data: Prepared
    parameters: int
    steps: int
    done: int = 0
    notes: tuple[str, ...] = ()
    replicas: int = 1


class Observer:
    """Watches a training; a subclass overrides what it wants to hear of. Epochs count from 1.

    Example:
        >>> class Losses(Observer):
        ...     def epoch_ended(self, row, improved):
        ...         print(row["epoch"], row["loss"])
        >>> cnnctl.train("mnist", observers=[Losses()])
    """

    def loading(self, what: str, done: int, total: int | None) -> None:
        """A download or a reading goes on: `done` bytes of `total`, if that is known."""

    def started(self, facts: Facts) -> None:
        """Data, network and device are ready."""

    def epoch_began(self, epoch: int, learning_rate: float) -> None:
        """An epoch begins."""

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Steps up to `step` of the epoch are done; `logs` are the running means."""

    def epoch_ended(self, row: dict[str, Any], improved: bool) -> None:
        """An epoch is done and saved; `row` is its line of `metrics.jsonl`."""

    def say(self, text: str) -> None:
        """Show a line for people: where a tracker's run is, say."""


def loading(observers: Sequence[Observer]) -> Callable[[str, int, int | None], None] | None:
    """Return what tells observers how a download goes; None where nobody is told."""

    def tell(what: str, done: int, total: int | None) -> None:
        for each in observers:
            each.loading(what, done, total)

    return tell if observers else None
