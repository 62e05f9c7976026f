"""Holding out pictures, held against Keras."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.data import Split, hold_out
from cnnctl.data.dataset import Dataset, make_dataset
from cnnctl.errors import DataError


def numbered(count: int) -> Dataset:
    x = np.arange(count, dtype=np.float32).reshape(count, 1)
    return make_dataset("n", "a test", Split(x, np.arange(count)))


def labels(split: Split | None) -> list[int]:
    assert split is not None
    assert split.x[:, 0].tolist() == split.y.tolist()
    return split.y.tolist()


def test_a_number_from_the_end_or_from_the_start() -> None:
    end = hold_out(numbered(10), 3, "end")
    assert labels(end.train) == [0, 1, 2, 3, 4, 5, 6]
    assert labels(end.validation) == [7, 8, 9]
    start = hold_out(numbered(10), 3, "start")
    assert labels(start.validation) == [0, 1, 2]
    assert labels(start.train) == [3, 4, 5, 6, 7, 8, 9]


@given(st.integers(2, 400), st.floats(0.01, 0.99))
def test_a_fraction_is_split_as_keras_does(count: int, fraction: float) -> None:
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    data = numbered(count)
    try:
        (train,), (validation,) = train_validation_split((data.train.y,), fraction)
    except ValueError:
        with pytest.raises(DataError):
            hold_out(data, fraction)
        return
    mine = hold_out(data, fraction)
    assert labels(mine.train) == train.tolist()
    assert labels(mine.validation) == validation.tolist()


@pytest.mark.parametrize("none", [0, 0.0])
def test_zero_is_none(none: float) -> None:
    assert hold_out(numbered(4), none).validation is None


@pytest.mark.parametrize("value", [4, 5, 1.0, 4.0, -1, -0.5, float("nan"), True])
def test_what_cannot_be_held_out(value: float) -> None:
    with pytest.raises(DataError, match="validation"):
        hold_out(numbered(4), value)


def test_a_data_set_with_validation_pictures_of_its_own() -> None:
    data = numbered(4)
    own = dataclasses.replace(data, validation=data.train)
    assert hold_out(own, 0).validation is data.train
    with pytest.raises(DataError, match="brings 4 validation images of its own"):
        hold_out(own, 1)


def test_nothing_is_copied_and_the_fingerprint_stays() -> None:
    data = numbered(10)
    held = hold_out(data, 0.3)
    assert held.validation is not None
    assert np.shares_memory(held.validation.x, data.train.x)
    assert held.fingerprint == data.fingerprint


def test_the_textbooks_counts() -> None:
    assert len(hold_out(numbered(60_000), 5000).train) == 55_000
    assert len(hold_out(numbered(60_000), 0.1).train) == 54_000
