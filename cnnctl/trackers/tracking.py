"""The observer of a training that tells trackers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from cnnctl.compute.observer import Facts, Observer
from cnnctl.errors import CnnctlError
from cnnctl.io.atomic import write_json
from cnnctl.io.printable import shell
from cnnctl.runs.run import Run
from cnnctl.trackers.available import make
from cnnctl.trackers.delivery import Delivery
from cnnctl.trackers.metadata import ending, story
from cnnctl.trackers.tracker import Ending, Opened, Story

PATIENCE = 60.0
"""Seconds that the trackers have, after the training, for each step of what is left."""
_ANNOUNCED = 1.0
WORST = 24
"""Images of the worst mistakes."""


class Tracking(Observer):
    """Tells trackers how a training goes.

    A context manager: at its end the trackers get what the training has left, as the run folder has
    it. Whatever happens to a tracker, the training goes on.

    Args:
        names: Which trackers, of `cnnctl.trackers.available.NAMES`.
        say: Prints a line for people; by default nothing is said.
        data_dir, full_data, device: As of the training, for the images at its end.

    Attributes:
        notes: What was said.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        say: Callable[[str], None] | None = None,
        data_dir: Path | None = None,
        full_data: bool = False,
        device: str = "auto",
    ) -> None:
        self.names = tuple(names)
        self.notes: list[str] = []
        self._print = say
        self._settings: dict[str, Any] = {
            "data_dir": data_dir,
            "full_data": full_data,
            "device": device,
        }
        self._run: Run | None = None
        self._deliveries: list[Delivery] = []
        self._lock = threading.Lock()
        self._news: list[str] = []

    def __enter__(self) -> Tracking:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._run is not None:
            self._end(ending(self._run, error))

    def started(self, facts: Facts) -> None:
        """Open the trackers' runs; they get the epochs that they lack."""
        self._begin(facts.run, facts.done)

    def epoch_ended(self, row: dict[str, Any], improved: bool) -> None:
        """Have the epoch delivered."""
        for each in self._deliveries:
            each.put(row)
        self._tell()

    def send(self, run: Run) -> None:
        """Have a run delivered that is finished already; what a tracker has is not sent again."""
        self._begin(run, len(run.history()))

    def _begin(self, run: Run, done: int) -> None:
        self._run = run
        for name in self.names:
            self._deliveries.append(self._deliver_to(name, run, done))
        for row in run.history()[:done]:
            for each in self._deliveries:
                each.put(row)

    def _deliver_to(self, name: str, run: Run, done: int) -> Delivery:
        def told() -> Story:
            return story(run, run.trackers().get(name, {}), done)

        def opened(found: Opened) -> None:
            self._keep(run, name, {**found.keep, "epochs": found.epochs})
            with self._lock:
                self._news += [f"tracked: {name}, {found.where}"]
                self._news += [f"note: {name}: {found.note}"] if found.note else []

        def sent(epochs: int) -> None:
            self._keep(run, name, {"epochs": epochs})

        return Delivery(name, make(name), told, opened, sent)

    def _keep(self, run: Run, name: str, changes: dict[str, Any]) -> None:
        """Write down what a tracker needs to find its run again."""
        with self._lock:
            known = run.trackers()
            known[name] = {**known.get(name, {}), **changes}
            write_json(run.path / "trackers.json", known)

    def _end(self, left: Ending) -> None:
        """Deliver what is left, with patience, and say what could not be delivered."""
        if "tensorboard" in self.names and left.status == "finished":
            left.images.update(self._images())
        for each in self._deliveries:
            each.end(left)
        began = last = time.monotonic()
        delivered, is_announced = 0, False
        try:
            while not all(each.wait(0.05) for each in self._deliveries):
                now, before = time.monotonic(), delivered
                delivered = sum(each.delivered for each in self._deliveries)
                last = now if delivered > before else last
                if now - last > PATIENCE:
                    break
                if now - began > _ANNOUNCED and not is_announced:
                    is_announced = True
                    self._say(f"sending what is left to {', '.join(self._waiting())}")
                self._tell()
        except KeyboardInterrupt:
            pass  # the training is done: only the waiting ends
        self._tell()
        for each in self._deliveries:
            if lacks := each.missing():
                self._say(
                    f"note: {each.name} lacks {lacks}; to send it again: "
                    f"cnnctl resume {shell(self._run)} --track {each.name}"
                )

    def _waiting(self) -> Iterator[str]:
        return (each.name for each in self._deliveries if not each.wait(0))

    def _images(self) -> dict[str, bytes]:
        """The confusion matrix and the worst mistakes as PNG files, by name."""
        from cnnctl.plots.confusion import confusion
        from cnnctl.plots.image_grid import predictions
        from cnnctl.plots.style import to_bytes
        from cnnctl.plots.subject import Subject

        assert self._run is not None
        try:
            found = Subject(self._run.path, **self._settings).predictions
            drawn = {"confusion": to_bytes(confusion(found, title=str(self._run)), "png")}
            worst = found.worst(WORST)
            if worst and found.x.ndim in (3, 4):
                mistakes = predictions(found.some(worst), title="predicted (true)", columns=8)
                drawn["worst_mistakes"] = to_bytes(mistakes, "png")
        except CnnctlError as error:
            self._say(f"note: no pictures for tensorboard: {error.message}")
            return {}
        return drawn

    def _tell(self) -> None:
        """Say what the trackers' threads have to say; the training's own thread does."""
        with self._lock:
            news, self._news = self._news, []
        for each in self._deliveries:
            for trouble in each.troubles[each.said :]:
                news.append(f"note: {each.name}: {trouble}; the training does not wait for it")
                each.said += 1
        for line in news:
            self._say(line)

    def _say(self, text: str) -> None:
        self.notes.append(text)
        if self._print:
            self._print(text)
