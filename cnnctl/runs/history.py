"""`metrics.jsonl`: one line per epoch, read line by line and never more than a run can have.

What is not a line of an epoch, or not a number, is skipped with a note that names file and line.
Never imports Keras.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cnnctl.errors import shortened
from cnnctl.io.notes import note
from cnnctl.io.untrusted import open_plain, parse_json

MAX_BYTES = 48 << 20
MAX_LINE = 1 << 20
MAX_EPOCHS = 150_000
MAX_FIGURES = 1_200_000
"""How much of a file is read: a hundred thousand epochs of twelve figures take all of it, 100 MB of
memory, and a second."""

MAX_SKIPPED = 100_000
"""After how many damaged lines and values a file is not read on."""

MAX_NAMES = 10_000
"""How many figures a line may have, and a file by name."""

_LONGEST_NAME = 500
_MOST_NOTES = 3
_LARGEST = 1 << 63
_LARGEST_FLOAT = 1e100
"""Beyond all that float32 can be, and small enough for sums and squares of a history."""
_LAST_EPOCH = 1 << 31


def read_history(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a `metrics.jsonl`, in the order of the epochs.

    Args:
        path: The file; none at all is a history without epochs.

    Returns:
        One mapping per epoch: `epoch`, a positive integer, and finite numbers by name.
    """
    return _Reading(path).rows()


class _Reading:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.figures = 0
        self.skipped = 0
        self.names: dict[str, str] = {}

    def rows(self) -> list[dict[str, Any]]:
        """The file's epochs; notes what is left out."""
        found: dict[int, dict[str, Any]] = {}
        last = 0
        is_sorted = True
        try:
            with open_plain(self.path, follow=False) as file:
                for number, line in self.lines(file):
                    row = self.row(number, line, found)
                    if row is not None:
                        epoch = row["epoch"]
                        is_sorted = is_sorted and epoch > last
                        last = epoch
                        found[epoch] = row
        except FileNotFoundError:
            return []
        except OSError as error:
            found = {}
            note(f"{self.path} cannot be read: {error.strerror or error}")
        if self.skipped > _MOST_NOTES:
            note(f"{self.path}: {self.skipped - _MOST_NOTES:,} more lines or values are skipped")
        if not is_sorted:
            note(f"{self.path}: its epochs are not in order")
            return [found[epoch] for epoch in sorted(found)]
        return list(found.values())

    def lines(self, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
        """Lines by their numbers, as long as there are no more than a run can have."""
        size = number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            size += len(line)
            is_long = len(line) > MAX_LINE
            while len(line) > MAX_LINE and not line.endswith(b"\n") and size <= MAX_BYTES:
                line = file.readline(MAX_LINE + 1)  # the rest of it, to find the next one
                size += len(line)
            for limit, is_over in (
                (f"it has more than {MAX_BYTES >> 20} MiB", size > MAX_BYTES),
                (f"it has more than {MAX_EPOCHS:,} lines", number > MAX_EPOCHS),
                (f"it has more than {MAX_FIGURES:,} values", self.figures > MAX_FIGURES),
                (f"more than {MAX_SKIPPED:,} are damaged", self.skipped > MAX_SKIPPED),
            ):
                if is_over:
                    note(f"{self.path}:{number}: {limit}: it is not read from there on")
                    return
            if is_long:
                self.skip(number, f"more than {MAX_LINE >> 20} MiB, the whole line")
            elif not line.isspace():
                yield number, line

    def row(
        self, number: int, line: bytes, before: dict[int, dict[str, Any]]
    ) -> dict[str, Any] | None:
        """The epoch of a line; None if it is none."""
        if line.count(b",") >= MAX_NAMES:
            self.skip(number, f"more than {MAX_NAMES:,} values, the whole line")
            return None
        try:
            row = parse_json(line)
        except ValueError:
            # A process that is killed leaves half a line, and its checkpoint has the whole one.
            if line.endswith(b"\n") or not line.startswith(b"{"):
                self.skip(number, "not JSON, the whole line")
            return None
        epoch = row.get("epoch") if isinstance(row, dict) else None
        if type(epoch) is not int or not 0 < epoch < _LAST_EPOCH:
            self.skip(number, "not a line of an epoch")
            return None
        if epoch in before:
            self.skip(number, f"epoch {epoch} again, the whole line")
            return None
        kept = {}
        names = self.names
        for name, value in row.items():
            if not is_figure(value):
                self.skip(number, f"`{shortened(name)}` is {described(value)}")
                continue
            if name not in names:
                if len(names) >= MAX_NAMES or len(name) > _LONGEST_NAME:
                    self.skip(number, f"`{shortened(name)}`, one name too many or too long")
                    continue
                names[name] = name
            kept[names[name]] = value
        self.figures += len(kept)
        return kept

    def skip(self, number: int, what: str) -> None:
        """Note what of a line is left out; of many the first ones."""
        self.skipped += 1
        if self.skipped <= _MOST_NOTES:
            note(f"{self.path}:{number}: skipped: {what}")


def is_figure(value: Any) -> bool:
    """Whether a value from a file is a number that can be computed with: finite, and not huge."""
    # Types are compared, not `isinstance`: True is an int.
    if type(value) is float:
        return -_LARGEST_FLOAT < value < _LARGEST_FLOAT  # false for NaN as well
    return type(value) is int and -_LARGEST < value < _LARGEST


def described(value: Any) -> str:
    """What a value is that is not a figure, for a note."""
    if type(value) is int:
        return "a number beyond 64 bits"
    if type(value) is float:
        return (
            f"{value}, not a finite number" if not math.isfinite(value) else f"{value}, too large"
        )
    return f"{_KINDS.get(type(value), 'a value')}, not a number"


_KINDS = {bool: "a truth value", str: "text", list: "a list", dict: "a mapping", type(None): "null"}
