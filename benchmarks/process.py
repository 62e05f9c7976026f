"""What a timed process tells of itself: when it was started, and the most memory it had."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

STARTED = "BENCH_STARTED"
"""The environment variable with the time at which the parent started the process."""


def started() -> float:
    """When this process was started, in seconds since 1970."""
    if STARTED in os.environ:
        return float(os.environ[STARTED])
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - up + ticks / os.sysconf("SC_CLK_TCK")


def peak_bytes() -> int:
    """The most memory that this process had so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


class Clock:
    """The time of each epoch's training, without its validation."""

    def __init__(self, images: int) -> None:
        self.images = images
        self.rates: list[float] = []
        self.ended: list[float] = []
        self._began = 0.0

    def begin(self) -> None:
        self._began = time.perf_counter()

    def end(self) -> None:
        self.rates.append(self.images / (time.perf_counter() - self._began))
        self.ended.append(time.time())


def report(clock: Clock, figures: dict[str, Any]) -> None:
    """Print the one JSON object of a script: the clock's figures and others."""
    print(
        json.dumps(
            {
                "images_per_second": [round(rate, 1) for rate in clock.rates],
                "start_to_first": clock.ended[0] - started(),
                "last_step_ended": clock.ended[-1],
                **figures,
            }
        )
    )
