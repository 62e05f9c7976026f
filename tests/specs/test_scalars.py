"""Scalars mean what YAML 1.2's core schema says (examples from its section 10.3.2 and FAQ)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.specs.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        (".5", 0.5),
        ("5.", 5.0),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_numbers_booleans_null(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    ["no", "on", "yes", "NO", "1:30", "1_000", "1e", "e3", "0b11", "relu", "1.2.3", "-", "tRUE"],
)
def test_texts(text):
    assert resolve(text) == text


def test_infinities_and_nan():
    assert resolve(".inf") == math.inf
    assert resolve("-.INF") == -math.inf
    assert math.isnan(resolve(".nan"))


@pytest.mark.parametrize(
    "text", ["1e999", "9" * 5000, "0x" + "f" * 5000, "9" * 310, "-1" + "0" * 350, "0x" + "f" * 257]
)
def test_numbers_beyond_float64(text):
    with pytest.raises(ValueError, match="number"):
        resolve(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reads_back(number):
    assert resolve(repr(number)) == number


@given(st.integers(-(10**30), 10**30))
def test_every_integer_reads_back(number):
    assert resolve(str(number)) == number
