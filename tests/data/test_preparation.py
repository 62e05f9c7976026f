"""A spec's data held against its network."""

import numpy as np
import pytest
from PIL import Image

from cnnctl.data.preparation import prepare
from cnnctl.errors import DataError, SpecError
from cnnctl.preflight import check
from cnnctl.specs import load

SPEC = """\
data: {dataset: {npz: {path: a.npz}}, normalize: none, label_mode: LABELS}
model:
  input_shape: [4]
  layers:
    - Dense: {units: 10_050, activation: softmax}
"""


@pytest.mark.parametrize(("labels", "classes"), [("categorical", 10_050), ("float", 0)])
def test_more_classes_than_have_names(tmp_path, labels, classes):
    y = np.array([0, 10_001]) if classes else np.zeros((2, 10_050), np.float32)
    np.savez(tmp_path / "a.npz", x_train=np.zeros((2, 4), np.float32), y_train=y)
    (tmp_path / "a.yaml").write_text(SPEC.replace("LABELS", labels).replace("10_050", "10050"))
    found = prepare(load(tmp_path / "a.yaml"))
    assert found.classes == classes
    assert found.one_hot == bool(classes)


FLAT = """\
data: {dataset: {image_folder: {path: photos}}, validation: VALIDATION}
model:
  layers:
    - Flatten
    - Dense: {units: 2, activation: softmax}
"""


def photos(folder, *paths):
    for path in paths:
        file = folder / "photos" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2), "white").save(file)


def sizes(found):
    return {name: len(split) for name, split in found.dataset.splits()}


def spec_of(folder, validation="0", *overrides):
    (folder / "a.yaml").write_text(FLAT.replace("VALIDATION", validation))
    return load(folder / "a.yaml", overrides)


def test_validation_of_a_spec_takes_the_place_of_a_flat_folders_own(tmp_path):
    photos(tmp_path, *(f"{name}/{number}.png" for name in "ab" for number in range(20)))
    assert sizes(prepare(spec_of(tmp_path))) == {"train": 32, "validation": 4, "test": 4}
    # 90 and 10%, then a quarter of the 36 is held out
    found = prepare(spec_of(tmp_path, "0.25"))
    assert sizes(found) == {"train": 27, "validation": 9, "test": 4}
    assert found.dataset.layout == {"split": [0.9, 0.0, 0.1], "split_seed": 0}
    both = spec_of(tmp_path, "0.25", "data.dataset.image_folder.split=[0.5, 0.25, 0.25]")
    with pytest.raises(DataError, match="brings 10 validation images of its own") as caught:
        prepare(both)
    (at,) = caught.value.diagnostics
    assert (at.location.line, at.location.column) == (1, 61)
    assert "split: [0.75, 0, 0.25]" in at.hint


def test_a_folders_validation_images_and_those_of_the_spec_are_one_too_many(tmp_path):
    photos(tmp_path, "train/a/1.png", "train/b/2.png", "val/a/3.png", "test/a/4.png")
    with pytest.raises(DataError, match="brings 1 validation image of its own") as caught:
        prepare(spec_of(tmp_path, "0.5"))
    assert "to use val/" in caught.value.hint
    assert caught.value.diagnostics[0].location.column == 61
    assert sizes(prepare(spec_of(tmp_path))) == {"train": 2, "validation": 1, "test": 1}


def test_classes_that_a_split_lacks_and_a_missing_test_split_are_noted(tmp_path):
    photos(tmp_path, "train/a/1.png", "train/b/2.png", "test/b/3.png")
    (note,) = prepare(spec_of(tmp_path)).dataset.notes
    assert "no test images of class a" in note
    photos(tmp_path / "other", "train/a/1.png", "train/b/2.png")
    (note,) = prepare(spec_of(tmp_path / "other")).dataset.notes
    assert "no test split" in note


def test_parts_that_do_not_add_up_are_found_without_the_folder(tmp_path):
    (tmp_path / "a.yaml").write_text(
        FLAT.replace("VALIDATION", "0").replace("path: photos", "path: no, split: [0.8, 0.1, 0.2]")
    )
    with pytest.raises(SpecError, match="add up to 1") as caught:
        check(tmp_path / "a.yaml")
    (error,) = caught.value.diagnostics
    assert (error.rule, error.location.column) == ("folder-split", 50)


def test_the_range_of_integers_is_inferred_and_said(tmp_path):
    (tmp_path / "a.yaml").write_text(
        FLAT.replace("image_folder: {path: photos}", "npz: {path: a.npz}").replace(
            "VALIDATION", "0"
        )
    )
    for dtype, largest, said in ((np.int64, 249, ("pixels from 0 to 255, as x_train is int64",)),
                                 (bool, 1, ("pixels from 0 to 1, as x_train is bool",)),
                                 (np.uint8, 255, ())):  # fmt: skip
        x = np.zeros((4, 2, 2, 1), dtype)
        x[0] = largest
        np.savez(tmp_path / "a.npz", x_train=x, y_train=np.array([0, 1, 0, 1]))
        found = prepare(load(tmp_path / "a.yaml"))
        assert found.inferred[1:] == said
        most = 1 if dtype is bool else 255
        assert found.normalization.apply(found.dataset.train.x).max() == np.float32(largest) / most
