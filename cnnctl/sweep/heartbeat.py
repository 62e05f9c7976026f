"""The heartbeat of a journal's trials. Databases have Optuna's own, and a journal has none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

INTERVAL = 20
"""Seconds between two heartbeats of a trial."""

GRACE = 120
"""How many seconds a trial may be without a heartbeat before it is retried."""


@contextmanager
def beating(trial: Trial) -> Iterator[None]:
    """Write heartbeats of a trial while it is trained."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(INTERVAL):
            with suppress(Exception):  # the file system may be away for a while
                trial.set_user_attr("heartbeat", time.time())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Pulse:
    """Tells whether trials are still trained, by what others write to them.

    What counts is when this process has seen something new, by its own clock: those of other
    machines may differ.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Any, float]] = {}

    def is_felt(self, trial: FrozenTrial) -> bool:
        """Whether something was written to a trial within the grace period."""
        now = time.monotonic()
        sign = dict(trial.user_attrs), len(trial.intermediate_values)
        before, since = self._seen.get(trial.number, (None, now))
        if sign != before:
            since = now
            self._seen[trial.number] = sign, now
        return now - since < GRACE
