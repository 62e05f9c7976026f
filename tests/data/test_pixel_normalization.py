"""Normalization, to the last bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cnnctl.data import Dataset, Normalization, Split, load, normalization
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


def of_arrays(tmp_path: Path, x: np.ndarray, x_test: np.ndarray | None = None) -> Dataset:
    test = {} if x_test is None else {"x_test": x_test, "y_test": np.zeros(len(x_test), int)}
    np.savez(tmp_path / "a.npz", x_train=x, y_train=np.zeros(len(x), int), **test)
    return load("npz", {"path": "a.npz"}, base=tmp_path)


@pytest.mark.parametrize(("x", "largest"), [
    (np.array([[0, 249]], np.int64), 255), (np.array([[0, 200]], ">i4"), 255),
    (np.array([[0, 200]], np.uint16), 65535), (np.array([[False, True]]), 1),
])  # fmt: skip
def test_the_type_in_the_file_says_the_range(tmp_path: Path, x: np.ndarray, largest: int) -> None:
    data = of_arrays(tmp_path, x)
    unit = normalization("unit", data.train, data)
    np.testing.assert_array_equal(unit.apply(data.train.x), x.astype(np.float32) / largest)
    signed = normalization("signed", data.train, data).apply(np.array([0, largest]))
    assert signed.tolist() == [-1, 1]


@pytest.mark.parametrize(("x", "words", "hint"), [
    (np.array([[-3, 900]]), "are int64 with values from -3 to 900", "`normalize: standard`"),
    (np.array([[0, 1]]), "are int64 with values from 0 to 1", "white write `normalize: n"),
    (np.array([[0, 0.5]]), "are float64 with values from 0 to 0.5", "already: write `normalize"),
    (np.array([[0, 7.0]], np.float16), "are float16 with values from 0 to 7", "x.astype('uint8')"),
    (np.array([[0, 7.5]], ">f4"), "are float32 with values from 0 to 7.5", "`normalize: standard`"),
])  # fmt: skip
def test_the_error_names_what_is_in_the_file_and_a_fix_for_it(
    tmp_path: Path, x: np.ndarray, words: str, hint: str
) -> None:
    data = of_arrays(tmp_path, x)
    with pytest.raises(DataError, match=words) as caught:
        normalization("unit", data.train, data)
    assert hint in (caught.value.hint or "")


def test_splits_of_two_types_have_no_range(tmp_path: Path) -> None:
    """Else bytes would be divided by 255, and so would numbers from 0 to 1."""
    data = of_arrays(tmp_path, np.array([[0, 255]], np.uint8), np.array([[0, 1]], np.float32))
    with pytest.raises(DataError, match="x_train is uint8, x_test is float32") as caught:
        normalization("unit", data.train, data)
    assert "same type" in (caught.value.hint or "")


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
