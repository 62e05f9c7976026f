"""A training with its trackers and its live page."""

from __future__ import annotations

from contextlib import nullcontext

from cnnctl.io.notes import tell
from cnnctl.play.live import Live
from cnnctl.trackers.tracking import Tracking
from cnnctl.training.results import TrainingResult
from cnnctl.training.trainer import Trainer


def train_watched(
    trainer: Trainer, trackers: tuple[str, ...], live: int | None, *, sends_again: bool = False
) -> TrainingResult:
    """Train, and let trackers and a page watch.

    Args:
        trainer: The training.
        trackers: Their names.
        live: The port of the page; None for no page.
        sends_again: Whether a run with nothing left to train is sent to the trackers.

    Raises:
        UsageError: The port is taken.
    """
    shown, settings = trainer.observers, trainer.settings

    def say(text: str) -> None:
        for each in shown:
            each.say(text)
        if not shown:
            tell([text])

    page = Live(live) if live is not None and trainer.leads else None
    tracking = Tracking(
        trackers,
        say=say,
        data_dir=settings.data_dir,
        full_data=settings.full_data,
        device=settings.device,
    )
    trainer.observers = (*shown, *([page] if page else []), tracking)
    with page or nullcontext(), tracking:
        if page:
            say(f"live: {page.address}")
        result = trainer.train()
        if result.unchanged and result.run and sends_again:
            tracking.send(result.run)
    return result
