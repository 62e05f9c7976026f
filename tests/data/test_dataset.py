"""Data sets: fingerprints, pixel ranges, names of classes."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from cnnctl.data import Split
from cnnctl.data.dataset import Dataset, fingerprint, make_dataset


def test_fingerprint_is_sha256_over_names_shapes_dtypes_and_bytes() -> None:
    x = np.array([[1, 2], [3, 4]], np.uint8)
    y = np.array([0, 1], np.int64)
    by_hand = hashlib.sha256()
    by_hand.update(b"train.x |u1 (2, 2)\n" + bytes([1, 2, 3, 4]))
    by_hand.update(b"train.y <i8 (2,)\n" + bytes(8) + bytes([1]) + bytes(7))
    assert fingerprint({"train": Split(x, y)}) == by_hand.hexdigest()


def test_fingerprint_sees_a_pixel_a_label_a_shape_and_a_dtype() -> None:
    x, y = np.zeros((2, 4), np.uint8), np.zeros(2, np.int64)
    other_x, other_y = x.copy(), y.copy()
    other_x[1, 3], other_y[1] = 1, 1
    variants = [
        Split(x, y),
        Split(other_x, y),
        Split(x, other_y),
        Split(x.reshape(2, 2, 2), y),
        Split(x.view(np.int8), y),
    ]
    assert len({fingerprint({"train": split}) for split in variants}) == len(variants)


def test_fingerprint_does_not_depend_on_memory_layout() -> None:
    x = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    y = np.zeros(2, np.int64)
    same = np.asfortranarray(x)
    assert fingerprint({"train": Split(x, y)}) == fingerprint({"train": Split(same, y)})


def test_pixel_range_is_known_for_bytes_only(tiny: Dataset) -> None:
    assert tiny.pixel_range == (0.0, 255.0)
    floats = Split(tiny.train.x.astype(np.float32), tiny.train.y)
    assert make_dataset("f", "a test", floats).pixel_range is None


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (np.array([0, 2]), ("0", "1", "2")),
        (np.array([0.5, 2.0], np.float32), ()),
        (np.array([-1, 2]), ()),
        (np.array([0, 10**9]), ()),
    ],
)
def test_labels_without_names_are_named_by_number(y: np.ndarray, names: tuple[str, ...]) -> None:
    assert make_dataset("d", "a test", Split(np.zeros((2, 3), np.uint8), y)).class_names == names


def test_splits_lists_what_exists(tiny: Dataset) -> None:
    with_test = dataclasses.replace(tiny, test=tiny.train)
    assert [name for name, _ in with_test.splits()] == ["train", "test"]
