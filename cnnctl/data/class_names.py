"""Names of classes: which spellings are one name."""

from __future__ import annotations

import unicodedata


def canonical(name: str) -> str:
    """Return a name in Unicode's normalization form C, in which equal names are equal texts.

    A zip file from a Mac has names in form D, where `é` is an `e` and an accent.
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)
