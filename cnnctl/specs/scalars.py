"""What a plain scalar means: the core schema of YAML 1.2 (section 10.3.2).

PyYAML follows YAML 1.1, where `1e-3` is text, `no` and `on` are booleans, `010` is eight and
`1:30` is ninety. Here they are a number, texts, ten, and text.
"""

from __future__ import annotations

import math
import re
import sys

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {
    word: word.lower() == "true" for word in ["true", "True", "TRUE", "false", "False", "FALSE"]
}
INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INF = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})

MAX_DIGITS = 400
"""Longer numbers are refused: float64 ends at 309 digits, and long integers cost time."""


def resolve(text: str) -> bool | int | float | str | None:
    """The value of a plain (unquoted) scalar.

    Raises:
        ValueError: A number that is too long, or beyond the range of float64.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] not in "+-.0123456789":
        return text
    if INT.fullmatch(text) or FLOAT.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"a number of {len(text)} characters")
        number = float(text)  # of an integer as well: formulas divide and take roots
        if math.isinf(number):
            raise ValueError("a number beyond the range of float64")
        return int(text) if INT.fullmatch(text) else number
    if _OCTAL.fullmatch(text):
        return _integer(text, 8)
    if _HEX.fullmatch(text):
        return _integer(text, 16)
    if match := _INF.fullmatch(text):
        return -math.inf if match[1] == "-" else math.inf
    if text in _NAN:
        return math.nan
    return text


def _integer(text: str, base: int) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} characters")
    value = int(text[2:], base)
    if value > sys.float_info.max:
        raise ValueError("a number beyond the range of float64")
    return value
