"""Counting what a piece of Python does, instead of measuring how long it takes."""

from __future__ import annotations

import cProfile
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def busy_at_most(seconds: float) -> Iterator[None]:
    """End what would go on for ever, in an error: after so many seconds of this process's own time
    on the processor, of which other programs take none."""

    def endless(number: int, frame: object) -> None:
        raise AssertionError(f"still busy after {seconds} s of the processor's time")

    before = signal.signal(signal.SIGVTALRM, endless)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def calls(function: Callable[[], Any]) -> int:
    """How many functions a function calls, of Python's and of C's."""
    profile = cProfile.Profile()
    with busy_at_most(60):
        profile.enable()
        try:
            function()
        finally:
            profile.disable()
    return sum(each.callcount for each in profile.getstats())
