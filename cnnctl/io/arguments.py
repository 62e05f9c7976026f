"""What callers of the Python functions may give: a path in either form, one text for a list, one
of several choices."""

from __future__ import annotations

import operator
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from cnnctl.errors import UsageError, shortened

AnyPath: TypeAlias = "str | os.PathLike[str]"
"""A path as text, as `Path`, or anything else that names one, such as a `Run`."""


def as_path(given: AnyPath, what: str) -> Path:
    """Return a path; one that begins with `~/` begins in the user's home, as in a shell.

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
    path = Path(text)
    if path.parts[:1] == ("~",):  # `~name` is left alone: it may as well be the name of a file
        with suppress(RuntimeError):  # there is no home
            return path.expanduser()
    return path


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
    alone = (str, bytes, bytearray, os.PathLike)  # bytes are iterable, but not of paths
    if isinstance(given, alone) or not isinstance(given, Iterable):
        return (as_path(given, what),)
    if isinstance(given, Mapping):
        raise TypeError(f"`{what}` takes paths, not {_kind(given)}")
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


def as_choice(given: str, what: str, choices: Collection[str]) -> str:
    """Return one of several choices.

    Raises:
        TypeError: It is not a text.
        UsageError: It is none of them.
    """
    if not isinstance(given, str):
        raise TypeError(f"`{what}` takes a text, not {_kind(given)}")
    if given not in choices:
        *most, last = choices
        raise UsageError(f"`{what}` takes {', '.join(most)} or {last}, not `{shortened(given)}`")
    return given


def as_flag(given: bool, what: str) -> bool:
    """Return a flag: a text such as "no" would count as true.

    Raises:
        TypeError: It is not True or False.
    """
    if not isinstance(given, bool):
        raise TypeError(f"`{what}` takes True or False, not {_kind(given)}")
    return given


def as_epochs(given: int | None) -> int | None:
    """Return a number of epochs where one is given.

    Raises:
        TypeError: It is not a whole number.
        UsageError: It is less than 1.
    """
    if given is None:
        return None
    try:
        if isinstance(given, bool):
            raise TypeError
        epochs = operator.index(given)
    except TypeError:
        raise TypeError(f"`epochs` takes a whole number, not {_kind(given)}") from None
    if epochs < 1:
        raise UsageError(f"`epochs` is {epochs}", hint="1 is the least")
    return epochs


def with_fit(
    overrides: str | Iterable[str], epochs: int | None = None, precision: str | None = None
) -> tuple[str, ...]:
    """Return overrides with what is short for one: `fit.epochs` and `compile.precision`.

    Raises:
        TypeError, UsageError: As in `as_texts` and `as_epochs`.
    """
    texts, epochs = as_texts(overrides, "overrides"), as_epochs(epochs)
    if epochs is not None:
        texts = (*texts, f"fit.epochs={epochs}")
    return texts if precision is None else (*texts, f"compile.precision={precision}")


def _kind(value: object) -> str:
    return f"{type(value).__name__} ({value!r:.40})"
