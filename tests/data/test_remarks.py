"""What is said of data that fits and may not be meant."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cnnctl.data.class_notes import unused_classes
from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.data.remarks import channels_first, dim_pixels


def labelled(*labels: int, **options: object) -> Dataset:
    y = np.array(labels, np.int64)
    return make_dataset("d", "a test", Split(np.zeros((len(y), 2), np.uint8), y), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("labels", "outputs", "words"), [
    ((1, 2, 3), 4, "no training image has class 0: the labels are 1 to 3. If they are meant to "
     "start at 1, write y - 1, and give the last layer 3 outputs"),
    ((1, 2), None, "the labels are 1 to 2"),
    ((0, 2, 3), 4, "of the class 1; np.unique"),
    ((1, 3), 4, "of the classes 0, 2; np.unique"),
    ((0, 1), 4, "of the classes 2, 3; for the labels 0 to 1 the last layer needs 2 outputs"),
    ((1, 1), 1, "all training images are of the class 1: there is nothing to tell apart"),
    ((0, 0), 1, "all training images are of the class 0"),
    ((0, 0), 3, "all training images are of the class 0"),
    ((2, 2), None, "all training images are of the class 2"),
    ((0, 1), 100, "of the classes 2, 3, 4, 5, 6 and 93 more"),
])  # fmt: skip
def test_classes_without_an_image(labels: tuple[int, ...], outputs: int, words: str) -> None:
    (note,) = unused_classes(labelled(*labels), outputs)
    assert words in note
    assert note.startswith("d: ")


def test_classes_that_all_have_images() -> None:
    assert unused_classes(labelled(0, 2, 1), 3) == ()
    assert unused_classes(labelled(0, 1), 1) == ()
    assert unused_classes(labelled(0, 1), None) == ()


def test_names_are_said_and_images_held_out_count() -> None:
    data = labelled(1, 2, class_names=("cat", "dog", "eel"))
    assert unused_classes(data, 3) == ("d: no training image is of the class cat",)
    held_out = Split(np.zeros((1, 2), np.uint8), np.array([0]))
    assert unused_classes(dataclasses.replace(data, validation=held_out), 3) == ()


@pytest.mark.parametrize(("most", "dtype", "fix"), [
    (1, np.uint8, "none"), (16, np.uint8, "standard"), (31, np.uint8, "standard"),
    (4095, np.uint16, "standard"), (1, np.uint16, "none"),
])  # fmt: skip
def test_images_that_would_be_almost_black(most: int, dtype: type, fix: str) -> None:
    x = np.zeros((3, 4, 4), dtype)
    x[2, 3, 3] = most
    data = make_dataset("d", "a test", Split(x, np.zeros(3, np.int64)))
    for kind in ("unit", "signed"):
        (note,) = dim_pixels(data, kind)
        assert f"the largest pixel is {most}" in note
        assert note.endswith(f"Write `normalize: {fix}`")
    assert dim_pixels(data, "standard") == dim_pixels(data, "none") == ()
    x[1] = np.iinfo(dtype).max
    assert dim_pixels(data, "unit") == ()


@pytest.mark.parametrize(("shape", "is_said"), [
    ((3, 32, 32), True), ((1, 28, 28), True), ((3, 224, 160), True),
    ((32, 32, 3), False), ((28, 28), False), ((3, 3, 3), False), ((3, 32, 3), False),
    ((8, 32, 32), False), ((784,), False),
])  # fmt: skip
def test_channels_in_front(shape: tuple[int, ...], is_said: bool) -> None:
    note = channels_first(np.zeros((2, *shape), np.uint8))
    assert bool(note) == is_said
    assert not is_said or "x.transpose(0, 2, 3, 1)" in (note or "")
