"""Classes without images: what is said of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cnnctl.data.class_notes import class_notes, missing_classes, unused_classes
from cnnctl.data.dataset import Dataset, Split, make_dataset


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


def classes(train: list[int], validation: list[int], names: tuple[str, ...] = ()) -> Dataset:
    parts = [Split(np.zeros((len(y), 2)), np.array(y, np.int64)) for y in (train, validation)]
    return make_dataset("n", "a test", parts[0], validation=parts[1], class_names=names)


def test_classes_that_one_part_lacks_are_noted() -> None:
    assert missing_classes(labelled(0, 1, 2)) == ()
    assert missing_classes(classes([0, 1, 1], [1, 0])) == ()
    assert missing_classes(classes([0, 0, 1], [1, 2], ("cat", "dog", "cow"))) == (
        "n: no training images of class cow; add some, as the network cannot learn them otherwise",
        "n: no validation images of class cat; add some, or metrics between epochs do not cover "
        "them",
    )
    (note,) = missing_classes(classes(list(range(13)), [12]))
    assert "no validation images of classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more" in note


def test_classes_without_any_image_are_noted_where_they_have_names() -> None:
    (train, validation) = missing_classes(classes([0, 2], [2, 0], ("cat", "dog", "cow")))
    assert "no training images of class dog" in train
    assert "no validation images of class dog" in validation
    assert missing_classes(classes([0, 2], [2, 0])) == ()


def test_test_images_are_looked_at_as_well() -> None:
    data = classes([0, 1], [1, 0], ("cat", "dog"))
    data = dataclasses.replace(data, test=Split(np.zeros((1, 2)), np.array([0], np.int64)))
    (note,) = missing_classes(data)
    assert "no test images of class dog" in note


def test_a_class_that_is_missing_is_named_once() -> None:
    data = classes([0, 1, 1], [1, 1], ("cat", "dog", "cow"))
    notes = class_notes(data, 3)
    assert notes == missing_classes(data)
    assert sum(": no training" in note for note in notes) == 1
    unnamed = classes([0, 1], [1, 0])
    assert class_notes(unnamed, 4) == unused_classes(unnamed, 4) != ()
    assert class_notes(unnamed, 4, one_each=False) == ()
