"""Parts of messages: lists of names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cnnctl.io.text import counted

_NAMED = 10
"""How many names a message lists."""


def some(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    listed = list(names)
    more = f", and {len(listed) - _NAMED:,} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more


def looking(names: Sequence[str]) -> str:
    """Return `2 files that look like images` for two names."""
    verb = "looks like an image" if len(names) == 1 else "look like images"
    return f"{counted(len(names), 'file')} that {verb}"


def were(count: int) -> str:
    """Return `was` for one, else `were`."""
    return "was" if count == 1 else "were"
