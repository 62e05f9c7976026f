"""Arrays written in a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnctl.data import load
from cnnctl.data.dataset import Dataset
from cnnctl.errors import DataError

X = [[[0, 1], [2, 3]], [[4, 5], [6, 7.5]]]


def inline(**arguments: Any) -> Dataset:
    return load("inline", arguments, base=Path())


def test_nested_lists_become_float32() -> None:
    data = inline(x_train=X, y_train=[1, 0], x_test=X[:1], y_test=[1])
    assert data.train.x.dtype == np.float32
    assert data.train.x.shape == (2, 2, 2)
    assert data.train.x[1, 1, 1] == 7.5
    assert data.train.y.dtype == np.int64
    assert data.test is not None
    assert data.test.y.tolist() == [1]
    assert data.class_names == ("0", "1")
    assert data.pixel_range is None


def test_one_float_makes_targets() -> None:
    data = inline(x_train=X, y_train=[1, 0.5])
    assert data.train.y.dtype == np.float32
    assert data.class_names == ()


def test_named_classes() -> None:
    assert inline(x_train=X, y_train=[1, 0], class_names=["no", "yes"]).class_names == ("no", "yes")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1, 2], [3]], r"x_train is ragged: x_train\[1\] is a list of 1 numbers, x_train\[0\]"),
        ([[[1, 2], [3, 4]], [[1, 2], [3]]], r"x_train\[1\] is ragged: x_train\[1\]\[1\] is"),
        ([[1, 2], 3], r"x_train\[1\] is a number, x_train\[0\] is a list of 2 numbers"),
        ([[1, "2"], [3, 4]], r"x_train\[0\]\[1\] is '2'; expected a number"),
        ([[1, None], [3, 4]], r"x_train\[0\]\[1\] is None"),
        ([[True, 1], [3, 4]], r"x_train\[0\]\[0\] is True"),
        ([[10**30, 1], [3, 4]], "too large"),
        ([1, 2], "plain list"),
    ],
)
def test_lists_that_are_no_pictures(x: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        inline(x_train=x, y_train=[0, 1])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b"], r"y_train\[0\] is 'a'"),
        ([[[0], [1]], [[1], [0]]], "expected class numbers"),
        ([[0], 1], "ragged"),
    ],
)
def test_lists_that_are_no_labels(y: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        inline(x_train=X, y_train=y)


def test_half_a_test_set() -> None:
    with pytest.raises(DataError, match="x_test is given and y_test is not"):
        inline(x_train=X, y_train=[0, 1], x_test=X)
