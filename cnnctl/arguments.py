"""What callers of the Python functions may give: a path in either form, one text for a list."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from cnnctl.errors import UsageError

AnyPath: TypeAlias = "str | os.PathLike[str]"
"""A path as text, as `Path`, or anything else that names one, such as a `Run`."""


def as_path(given: AnyPath, what: str) -> Path:
    """Return a path.

    Args:
        given: The path.
        what: The argument's name, for messages.

    Raises:
        TypeError: It is not a path.
        UsageError: It is empty, or holds a character that no path may have.
    """
    if not isinstance(given, (str, os.PathLike)):
        raise TypeError(f"`{what}` takes a path (str or Path), not {_kind(given)}")
    text = os.fspath(given)
    if not isinstance(text, str):
        raise TypeError(f"`{what}` takes a path (str or Path), not one of bytes")
    if not text or "\0" in text:
        raise UsageError(f"`{what}` is {'a path with a null character' if text else 'empty'}",
                         hint="name a file or a folder")  # fmt: skip
    return Path(text)


def path_or_none(given: AnyPath | None, what: str) -> Path | None:
    """Return a path where one is given.

    Raises:
        TypeError, UsageError: As in `as_path`.
    """
    return None if given is None else as_path(given, what)


def as_paths(given: AnyPath | Iterable[AnyPath], what: str) -> tuple[Path, ...]:
    """Return paths; one alone need not be in a list.

    Raises:
        TypeError, UsageError: As in `as_path`; or there are none.
    """
    if isinstance(given, (str, os.PathLike)) or not isinstance(given, Iterable):
        return (as_path(given, what),)
    paths = tuple(as_path(each, what) for each in given)
    if not paths:
        raise UsageError(f"`{what}` is empty", hint="name a file or a folder")
    return paths


def as_texts(given: str | Iterable[str], what: str) -> tuple[str, ...]:
    """Return texts; one alone need not be in a list.

    Raises:
        TypeError: It is not a text or several.
    """
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise TypeError(f"`{what}` takes texts, not {_kind(given)}")
    texts = tuple(given)
    for each in texts:
        if not isinstance(each, str):
            raise TypeError(f"`{what}` takes texts, not {_kind(each)}")
    return texts


def _kind(value: object) -> str:
    return f"{type(value).__name__} ({value!r:.40})"
