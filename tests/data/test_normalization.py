"""Normalization, to the last bit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cnnctl.data import Normalization, Split, normalization
from cnnctl.errors import DataError

EVERY_BYTE = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
LABEL = np.zeros(1, np.int64)


def test_unit_is_the_textbooks_division_bit_for_bit() -> None:
    ours = normalization("unit", Split(EVERY_BYTE, LABEL)).apply(EVERY_BYTE)
    theirs = EVERY_BYTE.astype("float32") / 255
    assert ours.dtype == np.float32
    assert ours.tobytes() == theirs.tobytes()
    # a product with the inverse would not do
    assert ours.tobytes() != (EVERY_BYTE * np.float32(1 / 255)).tobytes()


def test_signed_goes_from_minus_one_to_one() -> None:
    values = normalization("signed", Split(EVERY_BYTE, LABEL)).apply(EVERY_BYTE).reshape(-1)
    assert values[0] == -1
    assert values[255] == 1
    assert values[127] == -values[128]
    np.testing.assert_allclose(values, np.linspace(-1, 1, 256), atol=1e-7)


def test_none_changes_nothing() -> None:
    x = np.array([[1.5, -2]], np.float32)
    assert normalization("none", Split(x, LABEL)).apply(x).tolist() == x.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_standard_is_zero_mean_and_unit_variance_of_each_channel(dtype: type) -> None:
    random = np.random.RandomState(0)
    x = (random.rand(5000, 4, 5, 3) * (255, 100, 10)).astype(dtype)
    found = normalization("standard", Split(x, np.zeros(5000, np.int64)))
    np.testing.assert_allclose(found.subtract, x.mean(axis=(0, 1, 2), dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(found.divide, x.std(axis=(0, 1, 2), dtype=np.float64), rtol=1e-9)
    y = found.apply(x)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2), dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2), dtype=np.float64), 1, atol=1e-6)


def test_standard_of_grey_bytes_without_a_channel_is_one_pair() -> None:
    x = np.array([[[0, 10], [20, 30]]], np.uint8)
    found = normalization("standard", Split(x, LABEL))
    assert found.subtract == (15.0,)
    assert found.divide == (pytest.approx(125**0.5),)  # (15² + 5² + 5² + 15²) / 4


def test_a_channel_that_is_the_same_everywhere_is_divided_by_one() -> None:
    x = np.full((2, 3, 3, 2), 7, np.uint8)
    found = normalization("standard", Split(x, LABEL))
    assert found == Normalization("standard", (7.0, 7.0), (1.0, 1.0))
    assert not found.apply(x).any()


@pytest.mark.parametrize("kind", ["unit", "signed"])
def test_a_range_that_is_not_known_is_refused(kind: str) -> None:
    with pytest.raises(DataError, match="whose range is not known") as caught:
        normalization(kind, Split(np.zeros((1, 2), np.float32), LABEL))
    assert "normalize: standard" in (caught.value.hint or "")


def test_it_can_be_recorded() -> None:
    found = normalization("standard", Split(EVERY_BYTE, LABEL))
    assert Normalization.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    for bad in (
        {},
        {"kind": "unit", "subtract": [0], "divide": [0]},
        {"kind": "x", "subtract": [], "divide": []},
    ):
        with pytest.raises(DataError, match="not a normalization"):
            Normalization.from_dict(bad)
