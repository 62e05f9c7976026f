"""A training on a page while it runs: its curves, growing."""

from __future__ import annotations

import threading
from typing import Any

from cnnctl.compute.observer import Facts, Observer
from cnnctl.play.server import HOST, serve

MOST_POINTS = 600
"""Of the running loss; beyond, every second one is left out, again and again."""


class Live(Observer):
    """Tells a page how a training goes.

    A context manager: the page is there until it ends.

    Args:
        port: Of the page; 0 takes a free one.

    Raises:
        UsageError: The port is taken.
    """

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._rows: list[dict[str, Any]] = []
        self._losses: list[list[float]] = []
        self._every = 1
        self._calls = 0
        self._steps = 1
        self._state: dict[str, Any] = {"status": "starting", "epoch": 0, "epochs": 0, "run": ""}
        self._server = serve(None, port, self.progress)
        self.address = f"http://{HOST}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Live:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def progress(self) -> dict[str, Any]:
        """What the page draws: the epochs' lines, and the running loss by epoch, from 0."""
        with self._lock:
            return {**self._state, "rows": list(self._rows), "losses": list(self._losses)}

    def started(self, facts: Facts) -> None:
        """Note what is trained."""
        with self._lock:
            self._steps = max(facts.steps, 1)
            self._rows = list(facts.run.history()) if facts.done else []
            self._state |= {"status": "running", "run": str(facts.run), "epoch": facts.done,
                            "epochs": facts.spec.fit.epochs}  # fmt: skip

    def epoch_began(self, epoch: int, learning_rate: float) -> None:
        """Note the epoch."""
        with self._lock:
            self._state["epoch"] = epoch

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Note the running loss."""
        with self._lock:
            self._calls += 1
            if "loss" in logs and self._calls % self._every == 0:
                part = min(step, self._steps) / self._steps
                self._losses.append([self._state["epoch"] - 1 + part, float(logs["loss"])])
            if len(self._losses) > MOST_POINTS:
                self._losses = self._losses[::2]
                self._every *= 2

    def epoch_ended(self, row: dict[str, Any], improved: bool) -> None:
        """Note the epoch's line."""
        with self._lock:
            self._rows.append(dict(row))
