"""Sizes, counts and lists of names, as messages show them."""

from __future__ import annotations

from collections.abc import Iterable

_NAMED = 10
"""How many names a message lists."""


def size(count: float) -> str:
    """Return the size of a file or of what is free on a disk, in decimal units.

    Example:
        >>> size(3_140_000), size(31_400_000), size(1_200e9)
        ('3.1 MB', '31 MB', '1,200 GB')
    """
    unit, divisor = ("GB", 1e9) if count >= 1e9 else ("MB", 1e6)
    return f"{count / divisor:,.{1 if count < 10 * divisor else 0}f} {unit}"


def memory_size(count: int) -> str:
    """Return the size of something in memory, in binary units, as Keras counts.

    Example:
        >>> memory_size(1000), memory_size(100_352), memory_size(3 << 30)
        ('1000 B', '98.0 KiB', '3.0 GiB')
    """
    if count < 1024:
        return f"{count} B"
    value, unit = count / 1024, "KiB"
    for larger in ("MiB", "GiB"):
        if value >= 1023.95:  # else 1024.0 KiB would be shown
            value, unit = value / 1024, larger
    return f"{value:,.1f} {unit}"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "image"), counted(1200, "image"), counted(2, "class")
        ('1 image', '1,200 images', '2 classes')
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def was(count: int) -> str:
    """Return `was` for one, else `were`."""
    return "was" if count == 1 else "were"


def some(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    listed = list(names)
    more = f", and {len(listed) - _NAMED:,} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more
