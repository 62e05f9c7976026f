"""The JSON files of a run, each value of its type.

A value of another type is as if it were not there, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from cnnctl.errors import shortened
from cnnctl.io.notes import note
from cnnctl.io.untrusted import parse_json, read_plain
from cnnctl.runs.history import MAX_NAMES, described, is_figure


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 31


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: type(value) is kind  # compared, not `isinstance`: True is an int


_Table = dict[str, Callable[[Any], bool]]

STATE: _Table = {
    "status": _is(str),
    "epochs": _is_count,
    "planned": _is_count,
    "pid": _is_count,
    "best_epoch": _is_count,
    "best": _is(dict),
}
ENVIRONMENT: _Table = {
    "plugins": _is(list),
    "data": _is(dict),
    "normalization": _is(dict),
    "versions": _is(dict),
    "seed": lambda value: type(value) is int and abs(value) < 1 << 63,
}
EVALUATION: _Table = {"data": _is(str), "images": _is_count, "figures": _is(dict)}
"""What the values of these keys are."""

_MAX_BYTES = 1 << 22
"""How large a file of a run may be that is read as JSON: names of forty thousand classes."""


def read_json(path: Path, sound: _Table) -> dict[str, Any]:
    """A JSON object of a run; a file that is damaged, or a value of another type, is noted."""
    try:
        found = parse_json(read_plain(path, _MAX_BYTES))
    except FileNotFoundError:
        return {}
    except OSError as error:
        note(f"{path} cannot be read: {error.strerror or error}")
        return {}
    except ValueError:
        note(f"{path} cannot be read: it is damaged, or larger than it can be")
        return {}
    if not isinstance(found, dict):
        note(f"{path} cannot be read: it is not a JSON object")
        return {}
    kept = {}
    for key, value in found.items():
        if key not in sound or sound[key](value):
            kept[key] = value
        elif value is not None:
            note(f"{path}: skipped: `{key}` is {_told(value)}")
    return kept


def finite_values(found: dict[str, Any], path: Path) -> dict[str, float]:
    """The finite numbers of a mapping; others are noted."""
    kept = {}
    if len(found) > MAX_NAMES:
        note(f"{path}: skipped: {len(found) - MAX_NAMES:,} of its figures")
    for name, value in islice(found.items(), MAX_NAMES):
        if is_figure(value):
            kept[name] = value
        else:
            note(f"{path}: skipped: `{shortened(name)}` is {described(value)}")
    return kept


def _told(value: Any) -> str:
    """A value that cannot be meant, for a note."""
    if type(value) is int and abs(value) >= 1 << 63:
        return "a number beyond 64 bits"
    return shortened(repr(value))
