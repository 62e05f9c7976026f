"""What a value that does not fit was probably meant to be.

Python's way of writing it, another tool's word for it, a number in quotes: each guess is held
against what the argument takes, so that a fix that is proposed is one that works.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from cnnctl.catalog.migration_hints import VALUES
from cnnctl.catalog.suggest import loosen
from cnnctl.specs import scalars
from cnnctl.specs.dump import flow

LONGEST = 200
"""Longer texts are no mistyped value."""

_SWITCHES = {
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}
_SIZES = re.compile(r"\d{1,9}(\s*[x×,; ]\s*\d{1,9})+", re.IGNORECASE)
_NUMBER = r"([-+]?\d{0,9}\.?\d{0,9})"
_FRACTION = re.compile(rf"{_NUMBER}\s*/\s*{_NUMBER}")
_POWER = re.compile(r"(\d{1,3})\s*(?:\^|\*\*)\s*\(?([-+]?\d{1,2})\)?")
_PERCENT = re.compile(rf"{_NUMBER}\s*%")


class Call(NamedTuple):
    """A call in Python: `Conv2D(32, (3, 3), activation="relu")`."""

    name: str
    positional: tuple[Any, ...]
    by_name: dict[str, Any]


def value_fix(value: Any, fits: Callable[[Any], bool]) -> str | None:
    """The hint to write another value, or None if none comes to mind.

    Args:
        value: The plain value that does not fit.
        fits: Whether another one does.
    """
    for guess in _guesses(value):
        if fits(guess):
            quotes = isinstance(value, str) and not isinstance(guess, str | list | None)
            only = quotes and flow(guess) == value
            return f"write `{flow(guess)}`{' without quotes' if only else ''}"
    return None


def python_call(text: str) -> Call | None:
    """The call that a text is, or None: one of a name, with plain values."""
    if not text.endswith(")") or len(text) > LONGEST:
        return None
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call):
            return None
        return Call(
            ast.unparse(call.func),
            tuple(_literal(each) for each in call.args),
            {each.arg: _literal(each.value) for each in call.keywords if each.arg},
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _literal(expression: ast.expr) -> Any:
    """A plain value; names and calls as their text."""
    try:
        return plain_python(ast.literal_eval(expression))
    except ValueError:
        return ast.unparse(expression)


def plain_python(value: Any) -> Any:
    """A value of Python as YAML has it: tuples and sets are lists."""
    if isinstance(value, tuple | list | set):
        return [plain_python(each) for each in value]
    return value


def _guesses(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        if len(value) <= LONGEST:
            yield from _of_text(value.strip())
        yield [value]
    elif isinstance(value, bool):
        yield from VALUES.get(str(value).lower(), ())
    elif isinstance(value, int | float):
        yield from _of_number(value)
    elif isinstance(value, list) and value:
        yield from ([value[1:]] if value[0] in (None, -1, "None") else [])
        if all(type(each) is type(value[0]) and each == value[0] for each in value):
            yield value[0]
        yield [_resolved(each) if isinstance(each, str) else each for each in value]
    elif isinstance(value, dict) and value and not any(each is not None for each in value.values()):
        # Braces without a colon: `{accuracy}`.
        yield [_resolved(key) for key in value]


def _of_text(text: str) -> Iterator[Any]:
    if text.lower() in {"none", "nil"}:
        yield None
    if text.lower() in _SWITCHES:
        yield _SWITCHES[text.lower()]
    yield from VALUES.get(loosen(text), ())
    if not isinstance(number := _resolved(text), str):
        yield number
        if isinstance(number, int | float):
            yield from _of_number(number)
    if match := _PERCENT.fullmatch(text):
        yield _rounded(match[1], "100")
    if match := _FRACTION.fullmatch(text):
        yield _rounded(match[1], match[2])
    if (match := _POWER.fullmatch(text)) and int(match[1]):
        power = float(match[1]) ** int(match[2])
        yield power
        yield from _of_number(power)
    if re.fullmatch(r"\d{1,3}([,']\d{3})+", text):
        yield int(re.sub(r"\D", "", text))
    if _SIZES.fullmatch(text):
        yield [int(each) for each in re.findall(r"\d+", text)]
    if re.fullmatch(r"\d+,\d+", text):
        yield float(text.replace(",", "."))
    with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
        yield plain_python(ast.literal_eval(text))


def _of_number(value: float) -> Iterator[Any]:
    if isinstance(value, float) and value.is_integer():
        yield int(value)
    if isinstance(value, int) and 10 <= value < 100:
        yield value / 100  # a rate in percent
    if value in (0, 1):
        yield bool(value)
    yield {"L2": {"l2": value}}  # a regularizer's factor alone
    yield str(value)
    yield "valid" if value == 0 else "same"  # PyTorch's `padding: 1`
    yield [value]


def _resolved(text: str) -> Any:
    try:
        return scalars.resolve(text) if text else text
    except ValueError:
        return text


def _rounded(over: str, under: str) -> Any:
    """A quotient to six digits."""
    try:
        return float(f"{float(over) / float(under):.6g}")
    except (ValueError, ZeroDivisionError):
        return None
