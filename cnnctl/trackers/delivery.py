"""One tracker and its thread: what a training tells is delivered beside it, in order."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from cnnctl.trackers.tracker import Ending, Opened, Story, Tracker

_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")
_LONGEST = 100


class Delivery:
    """Delivers to a tracker, and keeps what could not be delivered for the next try.

    The training only ever puts something into a queue: a tracker that is slow, or gone, takes none
    of its time.

    Args:
        name: Of the tracker.
        tracker: Who is told.
        story: What it is told first.
        opened: Is told of the tracker's run, by the tracker's thread.
        sent: Is told how many epochs the tracker has, by the tracker's thread.

    Attributes:
        troubles: What went wrong, in words, each once.
        said: How many of them people have been told.
        delivered: How many epochs the tracker has.
        closed: Whether it has the rest as well.
    """

    def __init__(
        self,
        name: str,
        tracker: Tracker,
        story: Callable[[], Story],
        opened: Callable[[Opened], None],
        sent: Callable[[int], None],
    ) -> None:
        self.name = name
        self.tracker = tracker
        self.troubles: list[str] = []
        self._story = story
        self._opened = opened
        self._sent = sent
        self._is_open = False
        self._rows: list[dict[str, Any]] = []
        self._queue: SimpleQueue[dict[str, Any] | Ending] = SimpleQueue()
        self._told = 0
        self.delivered = 0
        self.closed = False
        self.said = 0
        self._thread = threading.Thread(target=self._work, name=f"tracker-{name}", daemon=True)
        self._thread.start()

    def put(self, row: dict[str, Any]) -> None:
        """Have a line of `metrics.jsonl` delivered."""
        self._told = row["epoch"]
        self._queue.put(dict(row))

    def end(self, ending: Ending) -> None:
        """Have the rest delivered."""
        self._queue.put(ending)

    def wait(self, seconds: float) -> bool:
        """Wait for the thread's end; whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def missing(self) -> str | None:
        """What the tracker lacks, in words; None if nothing."""
        first, last = self.delivered + 1, self._told
        lacks = [] if first > last else [f"epoch {first}"] if first == last else [
            f"epochs {first} to {last}"]  # fmt: skip
        if not self.closed:
            lacks.append("its end and its files")
        return ", ".join(lacks) or None

    def _work(self) -> None:
        """Deliver whatever comes, until the end has been tried."""
        ending = None
        self._try(None)
        while ending is None:
            for item in self._waiting():
                if isinstance(item, Ending):
                    ending = item
                else:
                    self._rows.append(item)
            self._try(ending)

    def _waiting(self) -> Iterator[dict[str, Any] | Ending]:
        """All that has come: a tracker that is gone is not asked for each epoch."""
        yield self._queue.get()
        while True:
            try:
                yield self._queue.get_nowait()
            except Empty:
                return

    def _try(self, ending: Ending | None) -> None:
        try:
            self._deliver(ending)
        except (Exception, SystemExit) as error:
            if (said := _words(error)) not in self.troubles:
                self.troubles.append(said)

    def _deliver(self, ending: Ending | None) -> None:
        if not self._is_open:
            found = self.tracker.open(self._story())
            self._is_open = True
            self.delivered = found.epochs
            self._opened(found)
        while self._rows:
            row = self._rows[0]
            if row["epoch"] > self.delivered:
                self.tracker.epoch(row)
                self.delivered = row["epoch"]
                self._sent(self.delivered)
            self._rows.pop(0)
        if ending is not None and not self.closed:
            self.tracker.close(ending)
            self.closed = True


def _words(error: BaseException) -> str:
    """The first line of an error and what is behind it, without a password of an address."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = _PASSWORD.sub("", lines[0])
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    behind = [each.strerror for each in _causes(error) if isinstance(each, OSError)]
    reason = next((each for each in reversed(behind) if each and each not in text), None)
    return f"{text} ({reason})" if reason else text


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
