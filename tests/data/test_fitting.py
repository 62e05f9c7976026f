"""Data held against a network before the first step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cnnctl.data import Split, fit_to
from cnnctl.data.dataset import Dataset, make_dataset
from cnnctl.data.labels import as_classes
from cnnctl.errors import DataError


def data(x: np.ndarray, y: np.ndarray, **options: object) -> Dataset:
    return make_dataset("d", "a test", Split(x, y), **options)  # type: ignore[arg-type]


def test_a_channel_is_added_where_one_is_wanted(tiny: Dataset) -> None:
    fitted = fit_to(tiny, (4, 3, 1), "int", 3)
    assert fitted.train.x.shape == (10, 4, 3, 1)
    np.testing.assert_array_equal(fitted.train.x[..., 0], tiny.train.x)
    assert fitted.fingerprint == tiny.fingerprint
    assert fit_to(tiny, (4, 3), "int", 3).train.x.shape == (10, 4, 3)
    assert fit_to(tiny, (None, None, 1), "int", 3).train.x.shape == (10, 4, 3, 1)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (4, 3, 3), (12,), (4, 3, 1, 1), (), (4,)])
def test_no_other_shape_is_made_to_fit(tiny: Dataset, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="x_train has pictures of shape 4×3, the network's"):
        fit_to(tiny, shape, "int", 3)


def test_every_split_is_looked_at(tiny: Dataset) -> None:
    bad = Split(np.zeros((2, 5, 5), np.uint8), np.zeros(2, np.int64))
    for name in ("validation", "test"):
        with pytest.raises(DataError, match=f"x_{name} has pictures of shape 5×5"):
            fit_to(dataclasses.replace(tiny, **{name: bad}), (4, 3))


def test_numbers_of_pictures_and_labels(tiny: Dataset) -> None:
    with pytest.raises(DataError, match="10 pictures in x_train, 9 labels in y_train"):
        fit_to(dataclasses.replace(tiny, train=Split(tiny.train.x, tiny.train.y[:9])), (4, 3))
    empty = Split(tiny.train.x[:0], tiny.train.y[:0])
    with pytest.raises(DataError, match="x_train is empty"):
        fit_to(dataclasses.replace(tiny, train=empty), (4, 3))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_picture_that_is_not_finite_is_located(value: float) -> None:
    x = np.zeros((5000, 2, 2), np.float32)
    x[4321, 1, 0] = x[4500, 0, 0] = value
    with pytest.raises(DataError, match=rf"picture 4321 \(counted from 0\) has the value {value}"):
        fit_to(data(x, np.zeros(5000, np.int64)), (2, 2))


def test_how_many_pictures_are_not_finite() -> None:
    x = np.zeros((5000, 2, 2), np.float32)
    x[7] = x[4999, 1, 1] = np.nan
    with pytest.raises(DataError, match="images affected: 2 of 5,000") as caught:
        fit_to(data(x, np.zeros(5000, np.int64)), (2, 2))
    assert "np.isfinite" in (caught.value.hint or "")


def test_a_label_that_is_missing_is_no_numeric_target() -> None:
    y = np.array([0, np.nan, 1], np.float32)
    with pytest.raises(DataError, match=r"y_train is not finite: picture 1 .* the value nan"):
        fit_to(as_classes(data(np.zeros((3, 3), np.uint8), y), "int"), (3,), "int", 2)


def test_targets_that_are_not_finite() -> None:
    y = np.array([1, np.nan], np.float32)
    with pytest.raises(DataError, match="y_train is not finite: picture 1"):
        fit_to(data(np.zeros((2, 3), np.uint8), y), (3,), "float", 1)


@pytest.mark.parametrize(
    ("labels", "outputs", "message"),
    [
        ([0, 1, 7, 9], 3, r"label of picture 2 \(counted from 0\) is 7; .* classes 0 to 2"),
        ([0, -1, 1, 1], 3, "label of picture 1 .* is -1"),
        ([0, -1, 1, 1], None, "class numbers start at 0"),
        ([0, 1, 2, 1], 1, "picture 2 .* is 2; a network with one output knows the classes 0 and 1"),
    ],
)
def test_labels_out_of_range(labels: list[int], outputs: int | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_to(data(np.zeros((4, 3), np.uint8), np.array(labels)), (3,), "int", outputs)


def test_labels_of_a_hinge_keep_their_two_ways() -> None:
    signs = data(np.zeros((4, 3), np.uint8), np.array([1, -1, -1, 1]))
    with pytest.raises(DataError, match=r"label of picture 1 .* is -1") as raised:
        fit_to(signs, (3,), "int", 1)
    assert "label_mode: float" in str(raised.value.hint)
    assert "(y + 1) // 2" in str(raised.value.hint)
    assert fit_to(signs, (3,), "float", 1)


def test_more_labels_than_names() -> None:
    named = data(np.zeros((2, 3), np.uint8), np.array([0, 2]), class_names=("a", "b"))
    with pytest.raises(DataError, match=r"picture 1 .* is 2; there are only 2 class names"):
        fit_to(named, (3,))


def test_labels_in_range_pass() -> None:
    assert fit_to(data(np.zeros((2, 3), np.uint8), np.array([0, 1])), (3,), "int", 1)
    assert fit_to(data(np.zeros((2, 3), np.uint8), np.array([0, 9])), (3,), "categorical", 10)


def test_numeric_targets() -> None:
    floats = data(np.zeros((2, 3), np.uint8), np.array([0.5, 1], np.float32))
    assert fit_to(floats, (3,), "float", 1).train.y.dtype == np.float32
    with pytest.raises(
        DataError, match="has 1 numeric target for each picture, the network has 10"
    ):
        fit_to(floats, (3,), "float", 10)
    for mode in ("int", "categorical"):
        with pytest.raises(DataError, match="needs class numbers"):
            fit_to(floats, (3,), mode, 1)


def test_integers_as_numeric_targets() -> None:
    prices = data(np.zeros((2, 3), np.uint8), np.array([300, -7]))
    fitted = fit_to(prices, (3,), "float", 1)
    assert fitted.train.y.dtype == np.float32
    assert fitted.train.y.tolist() == [300, -7]


def test_images_along_the_last_axis(tiny: Dataset) -> None:
    """As SVHN's files have them."""
    svhn = Split(np.zeros((4, 3, 10), np.uint8), np.zeros(10, np.int64))
    with pytest.raises(DataError, match="4 pictures in x_train, 10 labels") as caught:
        fit_to(dataclasses.replace(tiny, train=svhn), (4, 3))
    assert np.moveaxis(svhn.x, -1, 0).shape == (10, 4, 3)
    assert "np.moveaxis(x, -1, 0)" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("shape", "wanted", "hint"),
    [
        ((3, 32, 30), (32, 30, 3), "x.transpose(0, 2, 3, 1)"),
        ((1, 28, 28), (28, 28, 1), "x.transpose(0, 2, 3, 1)"),
        ((30, 32, 3), (32, 30, 3), "`input_shape: [30, 32, 3]`"),
        ((784,), (28, 28, 1), "x.reshape(-1, 28, 28, 1)"),
        ((28, 28, 1), (784,), "x.reshape(-1, 784)"),
        ((20, 20, 3), (32, 32, 3), "`input_shape: [20, 20, 3]`"),
        ((28, 28), (28, 28, 3), "`input_shape: [28, 28, 1]`"),
        ((28, 28, 1), (28, 28, 3), "np.repeat(x, 3, -1)"),
    ],
)
def test_the_fix_for_another_shape(
    shape: tuple[int, ...], wanted: tuple[int, ...], hint: str
) -> None:
    x = np.zeros((2, *shape), np.uint8)
    with pytest.raises(DataError) as caught:
        fit_to(data(x, np.zeros(2, np.int64)), wanted)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ((32, 32, 3), "or in image_folder `image_size: [32, 32]` and `resize: true`"),
        ((20, 20, 1), "or in image_folder `color_mode: grayscale`"),
        ((8, 9, 1), "`image_size: [8, 9]` and `resize: true` and `color_mode: grayscale`"),
    ],
)
def test_the_fix_for_image_files_of_another_shape(wanted: tuple[int, ...], hint: str) -> None:
    x = np.zeros((2, 20, 20, 3), np.uint8)
    with pytest.raises(DataError) as caught:
        fit_to(data(x, np.zeros(2, np.int64), layout={"folders": {}, "a": 1}), wanted)
    assert hint in (caught.value.hint or "")
    assert "write `input_shape: [20, 20, 3]`" in (caught.value.hint or "")


X = np.zeros((3, 2), np.uint8)
ONE_HOT = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
MANY_HOT = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("y", [ONE_HOT, MANY_HOT])
def test_tables_of_integers_are_numeric_targets(y: np.ndarray) -> None:
    fitted = fit_to(data(X, y), (2,), "float", 3)
    assert fitted.train.y.dtype == np.float32
    np.testing.assert_array_equal(fitted.train.y, y)


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
@pytest.mark.parametrize("mode", ["int", "categorical"])
def test_the_fix_for_a_table_loses_nothing(mode: str, dtype: type) -> None:
    for y, words, never in (
        (ONE_HOT, "y.argmax(axis=1)", "sigmoid"),
        (MANY_HOT, "multi-label targets: write `label_mode: float`, 3 outputs", "argmax"),
        (MANY_HOT * 2, "numbers themselves write `label_mode: float`", "argmax"),
    ):
        with pytest.raises(DataError, match="needs class numbers") as caught:
            fit_to(data(X, y.astype(dtype)), (2,), mode, 3)
        assert words in (caught.value.hint or "")
        assert never not in (caught.value.hint or "")


def test_class_numbers_in_another_form_are_read_as_such() -> None:
    for y, mode in (
        (np.array([1, 0, 2], np.float32), "int"),
        (np.array([1, 0, 2], np.float32), "categorical"),
        (ONE_HOT, "categorical"),
        (ONE_HOT.astype(np.float32), "categorical"),
    ):
        before = data(X, y)
        found = as_classes(before, mode)
        assert found.train.y.tolist() == [1, 0, 2]
        assert found.train.y.dtype == np.int64
        assert found.class_names == ("0", "1", "2")
        assert found.fingerprint == before.fingerprint
        assert found.notes[-1].endswith("read as class numbers")
        assert as_classes(before, "float") is before


@pytest.mark.parametrize(
    "y",
    [
        np.array([0.5, 1, 2], np.float32),
        np.array([np.nan, 1, 2], np.float32),
        np.array([np.inf, 1, 2], np.float32),
        np.array([2.0**24, 1, 2], np.float32),
        MANY_HOT,
        ONE_HOT * 2,
        np.array([0, 1, 2]),
    ],
)
def test_what_would_lose_something_stays(y: np.ndarray) -> None:
    before = data(X, y)
    assert as_classes(before, "categorical") is before


def test_labels_from_1_have_a_fix() -> None:
    one_based = data(X, np.array([1, 2, 3]))
    with pytest.raises(DataError, match="classes 0 to 2") as caught:
        fit_to(one_based, (2,), "int", 3)
    assert caught.value.hint == "the labels start at 1: write y - 1"
    with pytest.raises(DataError, match="classes 0 to 1") as caught:
        fit_to(one_based, (2,), "int", 2)
    assert caught.value.hint == "give the last layer 4 outputs, if all of these are classes"
    with pytest.raises(DataError, match="is -1") as caught:
        fit_to(data(X, np.array([-1, 0, 1])), (2,), "int", 2)
    assert "np.unique(y, return_inverse=True)[1]" in (caught.value.hint or "")


def test_class_numbers_under_float_have_a_fix() -> None:
    with pytest.raises(DataError, match="1 numeric target for each picture") as caught:
        fit_to(data(X, np.array([0, 1, 2])), (2,), "float", 3)
    assert caught.value.hint == "for class numbers write `label_mode: int`"
    with pytest.raises(DataError, match="1 numeric target for each picture") as caught:
        fit_to(data(X, np.array([0, 1, 3])), (2,), "float", 3)
    assert caught.value.hint == "give the last layer 1"
