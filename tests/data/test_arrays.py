"""Kinds of numbers that files hold."""

from __future__ import annotations

import numpy as np
import pytest

from cnnctl.data.arrays import as_images, as_targets, pixel_facts, refuse_if_too_large
from cnnctl.errors import DataError


@pytest.mark.parametrize("dtype", [bool, np.int16, np.uint16, np.float16, np.float64, ">f4"])
def test_every_number_but_a_byte_becomes_float32(dtype: object) -> None:
    x = np.ones((2, 3)).astype(dtype)  # type: ignore[call-overload]
    assert as_images(x, field="x").dtype == np.dtype(np.float32)
    assert as_images(x.astype(np.uint8), field="x").dtype == np.uint8


@pytest.mark.parametrize("value", [1e300, -3.5e38, 3.4028236e38])
def test_values_beyond_float32_are_named_as_they_are_in_the_file(value: float) -> None:
    for read in (as_images, as_targets):
        x = np.zeros((3, 2))
        x[0, 0], x[2, 1] = np.inf, value
        with pytest.raises(
            DataError, match=r"^x: image 2 \(counted from 0\) has the value"
        ) as caught:
            read(x, field="x")
        assert f"{value:.6g}" in caught.value.message
        assert "float32" in caught.value.message


def test_the_largest_float32_and_infinity_are_kept() -> None:
    """What rounds to the largest float32 is in its range; infinity is reported with its place."""
    most = float(np.finfo(np.float32).max)
    x = as_images(np.array([[most, most * (1 + 2.0**-26), np.inf, np.nan]]), field="x")
    assert x[0, :2].tolist() == [most, most]
    assert np.isinf(x[0, 2])
    assert np.isnan(x[0, 3])


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


@pytest.mark.parametrize(
    ("arrays", "known", "stored"),
    [
        ([np.zeros((2, 3), np.uint8)], (0, 255), "uint8"),
        ([np.zeros((2, 3), np.uint16)], (0, 65535), "uint16"),
        ([np.zeros((2, 3), ">u2")], (0, 65535), "uint16"),
        ([np.zeros((2, 3), bool)], (0, 1), "bool"),
        ([np.full((2, 3), 255, np.int64)], (0, 255), "int64"),
        ([np.full((2, 3), 200, ">i4")], (0, 255), "int32"),
        ([np.full((2, 3), 200, np.uint64)], (0, 255), "uint64"),
        ([np.full((2, 3), 7, np.int8), np.zeros((1, 3), np.uint8)], (0, 255), "int8"),
        ([np.full((2, 3), 256, np.int64)], None, "int64"),
        ([np.full((2, 3), -1, np.int16)], None, "int16"),
        ([np.full((2, 3), 9, np.int64), np.full((2, 3), 300, np.int64)], None, "int64"),
        ([np.ones((2, 3), np.int64)], None, "int64"),  # black and white, of 1 or of 255
        ([np.full((2, 3), 200.0)], None, "float64"),
        ([np.zeros((2, 3), np.float16)], None, "float16"),
        ([np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.float32)], None, "uint8"),
        ([np.zeros((2, 3), np.uint8), np.full((2, 3), 200.5)], (0, 255), "uint8"),
        ([np.zeros((2, 3), np.uint8), np.full((2, 3), 255.5)], None, "uint8"),
        ([np.full((2, 3), 200.5), np.zeros((2, 3), np.uint8)], None, "float64"),
        ([np.zeros((2, 3), np.uint8), np.full((2, 3), np.nan)], None, "uint8"),
        ([np.zeros((2, 3), np.uint8), np.full((2, 3), 300, np.uint16)], None, "uint8"),
        ([np.zeros((2, 3), bool), np.full((2, 3), 200, np.uint8)], None, "bool"),
        ([np.zeros((0, 3), np.int64)], None, "int64"),
    ],
)
def test_the_range_of_pixels_follows_from_what_is_stored(
    arrays: list[np.ndarray], known: tuple[float, float] | None, stored: str
) -> None:
    named = dict(zip(("train", "test"), arrays, strict=False))
    found, types = pixel_facts(named)
    assert found == known
    assert types["train"] == stored
    assert types == {name: array.dtype.name for name, array in named.items()}


@pytest.mark.parametrize("shape", [(4, 8, 0, 1), (4, 0), (4, 8, 8, 0), (0, 8, 0)])
def test_images_without_pixels(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="which have no pixels") as caught:
        as_images(np.zeros(shape), field="x_train")
    assert caught.value.message.startswith("x_train has images of shape")


def test_columns_in_fortran_order_are_rows() -> None:
    x = np.asfortranarray(np.arange(24, dtype=">i8").reshape(2, 3, 4))
    made = as_images(x, field="x")
    assert made.flags.c_contiguous
    np.testing.assert_array_equal(made, np.arange(24).reshape(2, 3, 4))


def test_tables_of_integers_are_targets() -> None:
    y = as_targets(np.array([[True, False], [True, True]]), field="y")
    assert y.dtype == np.int64
    assert y.tolist() == [[1, 0], [1, 1]]


def test_names_and_lists_of_images_have_a_fix() -> None:
    names = np.array(["dog", "cat", "dog"])
    with pytest.raises(DataError, match="holds text") as caught:
        as_targets(names, field="y")
    assert "np.unique(y, return_inverse=True)[1]" in (caught.value.hint or "")
    assert np.unique(names, return_inverse=True)[1].tolist() == [1, 0, 1]
    images = np.empty(2, object)
    images[:] = [np.zeros((2, 2)), np.ones((2, 2))]
    with pytest.raises(DataError, match="Python objects") as caught:
        as_images(images, field="x")
    assert "np.stack(list(x))" in (caught.value.hint or "")
    assert as_images(np.stack(list(images)), field="x").shape == (2, 2, 2)
