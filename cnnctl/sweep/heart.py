"""The sign of life of a worker, for those on other machines."""

from __future__ import annotations

import threading
from contextlib import suppress

from cnnctl.sweep.tickets import Claim, Tickets

HEARTBEAT = 20.0
"""Seconds between two signs of life."""


class Heart:
    """Gives a sign of life while a ticket is trained, for workers on other machines."""

    def __init__(self, tickets: Tickets, claim: Claim) -> None:
        self.tickets = tickets
        self.claim = claim
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _beat(self) -> None:
        number = 0
        while not self.ended.wait(HEARTBEAT):
            number += 1
            with suppress(Exception):  # the storage may be away for a while
                self.tickets.beat(self.claim, number)
