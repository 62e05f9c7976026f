"""Names of classes, and of splits: which spellings are one name."""

from __future__ import annotations

import re
import unicodedata

SPLITS = {"train": "training", "validation": "validation", "test": "test"}
"""The splits, in order, each with its word in messages."""

_SPELLINGS = {
    f"{word}{ending}": split
    for split, words in {
        "train": ("train", "training"),
        "validation": ("val", "valid", "validation", "validate", "dev"),
        "test": ("test", "testing"),
    }.items()
    for word in words
    for ending in ("", "set", "_set", "-set", " set")
}


def split_of(name: str) -> str | None:
    """Return the split that a folder of this name is: `Valid` is `validation`."""
    return _SPELLINGS.get(name.casefold())


def mentions_split(name: str) -> bool:
    """Whether a word of a folder's name is that of a split: `seg_train`, `test2017`."""
    return any(split_of(word) for word in re.split(r"[\W_\d]+", name))


def canonical(name: str) -> str:
    """Return a name in Unicode's normalization form C, in which equal names are equal texts.

    A zip file from a Mac has names in form D, where `é` is an `e` and an accent.
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)
