"""Kinds of numbers that files hold."""

from __future__ import annotations

import numpy as np
import pytest

from cnnctl.data.arrays import as_pictures, as_targets, refuse_if_too_large
from cnnctl.errors import DataError


@pytest.mark.parametrize("dtype", [bool, np.int16, np.uint16, np.float16, np.float64, ">f4"])
def test_every_number_but_a_byte_becomes_float32(dtype: object) -> None:
    x = np.ones((2, 3)).astype(dtype)  # type: ignore[call-overload]
    assert as_pictures(x, field="x").dtype == np.dtype(np.float32)
    assert as_pictures(x.astype(np.uint8), field="x").dtype == np.uint8


def test_what_float32_cannot_hold_is_infinite_and_not_an_accident() -> None:
    assert np.isinf(as_pictures(np.array([[1e300]]), field="x")).all()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.uint64])
def test_labels_are_int64_and_flat(dtype: type) -> None:
    y = as_targets(np.array([[1], [0]], dtype), field="y")
    assert y.dtype == np.int64
    assert y.tolist() == [1, 0]


def test_targets_may_be_several() -> None:
    assert as_targets(np.zeros((4, 3)), field="y").shape == (4, 3)
    assert as_targets(np.zeros((4, 1)), field="y").shape == (4,)


@pytest.mark.parametrize(
    "y",
    [
        np.array(["a"]),
        np.array([None]),
        np.array(0),
        np.zeros((2, 2, 2)),
        np.array([2**63], np.uint64),
    ],
)
def test_what_is_no_label(y: np.ndarray) -> None:
    with pytest.raises(DataError, match="y_train"):
        as_targets(y, field="y_train")


def test_more_than_the_machine_has() -> None:
    refuse_if_too_large(1 << 20, "a picture")
    with pytest.raises(DataError, match="a picture would take 1,073,741,824"):
        refuse_if_too_large(1 << 60, "a picture")
