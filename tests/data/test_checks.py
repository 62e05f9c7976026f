"""Data held against a network before the first step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cnnctl.data import Split, fit_to
from cnnctl.data.dataset import Dataset, make_dataset
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
