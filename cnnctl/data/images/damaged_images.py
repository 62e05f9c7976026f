"""Images of a folder that cannot be read: which, and how messages name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnctl.data.images.decode_many import Findings
from cnnctl.errors import DataError, Diagnostic
from cnnctl.io.text import counted

NAMED = 10
"""How many files a message names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Damage:
    """An image that cannot be read.

    Args:
        path: The file.
        reason: Why.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class DamagedSplit(Exception):
    """Some images of a split cannot be read, and it is not kept without them."""

    def __init__(self, findings: Findings) -> None:
        super().__init__()
        self.findings = findings


def damage_error(damaged: Sequence[Damage], count: int, fix: str) -> DataError:
    """The error that names images which cannot be read."""
    if len(damaged) == 1:
        return DataError(f"cannot read the image {damaged[0].path}: {damaged[0].reason}", hint=fix)
    what = f"{len(damaged):,} of {count:,} images cannot be read"
    return unreadable("damaged-images", what, list(map(str, damaged)), fix)


def unreadable(rule: str, what: str, lines: Sequence[str], fix: str | None = None) -> DataError:
    """An error with a line for each file, `NAMED` of them at most."""
    more = [f"and {len(lines) - NAMED:,} more"] if len(lines) > NAMED else []
    listed = Diagnostic(rule, what, hint=fix, notes=(*lines[:NAMED], *more))
    return DataError(f"{what}, first {lines[0]}", hint=fix, diagnostics=[listed])


def named(paths: Sequence[str]) -> str:
    """How many files, and the names of some."""
    names = [Path(path).name for path in paths[:3]]
    more = ", …" if len(paths) > len(names) else ""
    return f"{counted(len(paths), 'image')} ({', '.join(names)}{more})"
