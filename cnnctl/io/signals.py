"""The signals that end a command: which there are on this system, and which of them count."""

from __future__ import annotations

import signal

HANGUP: int | None = getattr(signal, "SIGHUP", None)
"""A terminal was closed, or a connection was lost; None on Windows."""

ENDING: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM, *([HANGUP] if HANGUP else []))


def heeded() -> tuple[int, ...]:
    """Return the signals that end a command: all, but SIGHUP only if it is not ignored now, as it
    is for a process that `nohup` has started."""
    return tuple(
        number
        for number in ENDING
        if number != HANGUP or signal.getsignal(number) is not signal.SIG_IGN
    )


def is_repeated(number: int, before: int | None) -> bool:
    """Return whether a signal says nothing that another has not said.

    A closed terminal sends SIGHUP more than once: the shell passes it on, and the system sends it
    again when the shell ends. So it never counts as the second signal, which stops at once.

    Args:
        number: The signal.
        before: The one that came first, if one did.
    """
    return number == HANGUP and before is not None
