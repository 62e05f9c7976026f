"""Sizes and counts in words."""

import doctest

from hypothesis import given
from hypothesis import strategies as st

from cnnctl.io import text
from cnnctl.io.text import memory_size, size


def test_the_examples():
    assert doctest.testmod(text).attempted == 3
    assert doctest.testmod(text).failed == 0


UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "MB": 10**6, "GB": 10**9}


def read_back(shown):
    number, unit = shown.split()
    return float(number.replace(",", "")) * UNITS[unit], UNITS[unit]


@given(st.integers(0, 1 << 45))
def test_what_is_shown_is_the_size_up_to_its_last_digit(count):
    found, unit = read_back(memory_size(count))
    assert abs(found - count) <= unit * 0.051
    assert found == 0 or found >= unit
    assert unit == 1 << 30 or found < 1024 * unit
    found, unit = read_back(size(count))
    assert abs(found - count) <= unit * (0.051 if count < 10 * unit else 0.51)
    assert unit == (10**9 if count >= 10**9 else 10**6)
