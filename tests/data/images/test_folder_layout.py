"""Layouts of image folders: splits, classes, what is read and what is not."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from cnnctl.data.images.folder_layout import Layout, find_layout
from cnnctl.data.names import split_of
from cnnctl.errors import DataError


def make(root: Path, *paths: str) -> Path:
    """Create files, or folders where a path ends in a slash. Nothing is decoded here."""
    for path in paths:
        file = root / path
        if path.endswith("/"):
            file.mkdir(parents=True, exist_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    return root


def found(layout: Layout, root: Path, split: str = "train") -> list[tuple[str, str]]:
    """(path below the root, class name) of a split's images, sorted."""
    return sorted(
        (Path(path).relative_to(root).as_posix(), layout.class_names[label])
        for path, label in layout.splits.get(split, [])
    )


def notes(root: Path) -> str:
    return "\n".join(find_layout(root).notes)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("Train", "valid", "Test"),
        ("TRAIN", "VALIDATION", "TESTING"),
        ("training", "Validation", "testing"),
        ("training_set", "validation_set", "test_set"),
        ("train", "dev", "test"),
    ],
)
def test_splits_in_their_usual_spellings(
    tmp_path: Path, train: str, validation: str, test: str
) -> None:
    make(
        tmp_path, f"{train}/a/1.png", f"{train}/b/2.png", f"{validation}/a/3.png", f"{test}/b/4.png"
    )
    layout = find_layout(tmp_path)
    assert found(layout, tmp_path) == [(f"{train}/a/1.png", "a"), (f"{train}/b/2.png", "b")]
    assert found(layout, tmp_path, "validation") == [(f"{validation}/a/3.png", "a")]
    assert found(layout, tmp_path, "test") == [(f"{test}/b/4.png", "b")]
    assert layout.rule is None
    assert layout.to_dict() == {"folders": {"train": train, "validation": validation, "test": test}}
    said = notes(tmp_path)
    for name, words in ((train, "training"), (validation, "validation"), (test, "test")):
        assert f"{name}/ is the {words} split" in said


def test_nothing_is_said_of_the_names_that_are_documented(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "validation/a/2.png", "test/a/3.png")
    assert find_layout(tmp_path).notes == ()


@pytest.mark.parametrize("name", ["trains", "contest", "value", "evaluation", "latest", "trainer"])
def test_words_that_are_no_split(name: str) -> None:
    assert split_of(name) is None


def test_two_spellings_of_one_split_are_an_error_that_names_both(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "val/a/2.png", "valid/a/3.png")
    with pytest.raises(DataError, match="the validation split twice: val/ and valid/"):
        find_layout(tmp_path)
    make(tmp_path / "other", "train/a/1.png", "training/a/2.png")
    with pytest.raises(DataError, match="the training split twice: train/ and training/"):
        find_layout(tmp_path / "other")


def test_a_link_to_a_split_by_another_name_is_the_same_split(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "validation/a/2.png")
    (tmp_path / "val").symlink_to("validation")
    assert len(find_layout(tmp_path).splits["validation"]) == 1


def test_splits_that_are_one_folder_are_noted(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png")
    (tmp_path / "test").symlink_to("train")
    assert "the training and test splits are the same folder" in notes(tmp_path)


def test_an_empty_class_folder_is_like_a_missing_one(tmp_path: Path) -> None:
    with_folder = make(
        tmp_path / "with", "train/a/1.png", "train/b/2.png", "test/a/3.png", "test/b/"
    )
    without = make(tmp_path / "without", "train/a/1.png", "train/b/2.png", "test/a/3.png")
    for root in (with_folder, without):
        layout = find_layout(root)
        assert layout.class_names == ("a", "b")
        assert found(layout, root, "test") == [("test/a/3.png", "a")]
        assert layout.notes == ()


def test_an_empty_class_folder_of_train_is_a_class_as_in_keras(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "train/b/", "test/b/2.png")
    layout = find_layout(tmp_path)
    assert layout.class_names == ("a", "b")
    assert found(layout, tmp_path, "test") == [("test/b/2.png", "b")]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("test/", "test has no images, so there is no test split"),
        ("test/a/", "test has no images, so there is no test split"),
        ("val/1.png", "val has 1 image and no class folders"),
        ("test/notes.txt", "test has no images"),
    ],
)
def test_a_split_without_images_of_classes_is_as_good_as_none(
    tmp_path: Path, path: str, said: str
) -> None:
    layout = find_layout(make(tmp_path, "train/a/1.png", path))
    assert set(layout.splits) == {"train"}
    assert said in "\n".join(layout.notes)


def test_a_class_that_train_lacks_is_named_with_what_may_be_meant(tmp_path: Path) -> None:
    make(tmp_path, "train/cat/1.png", "train/dog/2.png", "test/Cat/3.png")
    with pytest.raises(DataError, match=r"test/Cat is a class that train/ does not have") as caught:
        find_layout(tmp_path)
    assert caught.value.hint == "rename Cat/ to cat/"
    make(tmp_path, "test/bird/3.png", "test/owl/3.png")
    with pytest.raises(DataError, match="does not have: Cat, bird, owl"):
        find_layout(tmp_path)


def test_an_empty_class_folder_that_train_lacks_does_no_harm(tmp_path: Path) -> None:
    make(tmp_path, "train/cat/1.png", "test/cat/1.png", "test/bird/")
    assert find_layout(tmp_path).class_names == ("cat",)


def test_classes_that_differ_in_case_are_two_with_a_note(tmp_path: Path) -> None:
    make(tmp_path, "train/A/1.png", "train/a/2.png", "test/a/3.png")
    layout = find_layout(tmp_path)
    if layout.class_names == ("A",):
        pytest.skip("this file system does not tell A from a")
    assert layout.class_names == ("A", "a")
    assert found(layout, tmp_path, "test") == [("test/a/3.png", "a")]
    assert "A and a differ only in case" in "\n".join(layout.notes)


def test_class_names_that_differ_in_normalization_are_one_class(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    make(tmp_path, f"train/{composed}/1.png", f"train/{decomposed}/2.png", "train/fox/3.png")
    make(tmp_path, f"test/{decomposed}/4.png", f"validation/{composed}/5.png")
    if len(list((tmp_path / "train").iterdir())) == 2:
        pytest.skip("this file system normalizes names")
    layout = find_layout(tmp_path)
    assert layout.class_names == (composed, "fox")
    assert [name for _, name in found(layout, tmp_path)] == [composed, composed, "fox"]
    assert [name for _, name in found(layout, tmp_path, "test")] == [composed]
    assert [name for _, name in found(layout, tmp_path, "validation")] == [composed]
    (note,) = layout.notes
    assert f"one class ({composed})" in note


def test_images_of_subfolders_belong_to_the_class(tmp_path: Path) -> None:
    make(tmp_path, "train/red/day/1.png", "train/red/night/late/2.JPG", "train/red/0.png")
    make(tmp_path, "train/blue/day/3.png", "test/red/day/4.png")
    layout = find_layout(tmp_path)
    assert layout.class_names == ("blue", "red")
    assert found(layout, tmp_path) == [
        ("train/blue/day/3.png", "blue"),
        ("train/red/0.png", "red"),
        ("train/red/day/1.png", "red"),
        ("train/red/night/late/2.JPG", "red"),
    ]
    assert layout.notes == ()


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "elsewhere/2.png", "train/b/3.png")
    (tmp_path / "train" / "a" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "train" / "a" / "again").symlink_to(tmp_path / "train" / "a")
    (tmp_path / "train" / "a" / "up").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "train" / "a" / "round").symlink_to("round")
    (tmp_path / "train" / "a" / "gone.png").symlink_to("nowhere.png")
    layout = find_layout(tmp_path)
    names = sorted(Path(path).name for path, label in layout.splits["train"] if label == 0)
    assert names == ["1.png", "2.png"]
    assert "1 link to missing files was not read (train/a/gone.png)" in "\n".join(layout.notes)


def test_a_web_of_links_is_listed_once(tmp_path: Path) -> None:
    """Each of 20 folders has two links to the next one: 2 to the power of 20 ways."""
    for number in range(20):
        make(tmp_path, f"train/a/{number}/")
        for side in "xy":
            (tmp_path / f"train/a/{number}/{side}").symlink_to(f"../{number + 1}")
    make(tmp_path, "train/a/20/1.png", "train/b/")
    assert len(find_layout(tmp_path).splits["train"]) == 1


def test_files_that_look_like_images_are_named_and_others_counted_by_kind(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "train/a/b.heic", "train/a/deep/c.HEIC", "train/a/notes.txt")
    make(tmp_path, "train/list.csv", "test/a/d.svg", "test/a/2.png")
    images, others = find_layout(tmp_path).notes
    assert "3 files that look like images were not read" in images
    assert "(test/a/d.svg, train/a/b.heic, train/a/deep/c.HEIC)" in images
    assert "2 other files were not read (.csv, .txt)" in others


@pytest.mark.parametrize("suffix", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_images_without_a_suffix_are_named(tmp_path: Path, suffix: str) -> None:
    make(tmp_path, "a/1.png", "b/1.png", "b/notes", "b/film.mp4")
    Image.new("RGB", (300, 300)).save(tmp_path / "a" / "photo", suffix)
    Image.new("RGB", (3, 3)).save(tmp_path / "a" / "photo.1", suffix)
    (tmp_path / "b" / "notes").write_text("BMW, Audi\n")
    (tmp_path / "b" / "film.mp4").write_bytes(bytes((0, 0, 0, 32)) + b"ftypisom" + bytes(20))
    text = "\n".join(find_layout(tmp_path).notes)
    assert "2 files whose content is an image were not read (a/photo, a/photo.1); add" in text
    assert "2 other files were not read (.mp4, no suffix)" in text


def test_a_folder_of_images_without_a_suffix(tmp_path: Path) -> None:
    make(tmp_path, "train/a/")
    Image.new("RGB", (3, 3)).save(tmp_path / "train" / "a" / "photo", "PNG")
    with pytest.raises(
        DataError, match="1 file whose content is an image: train/a/photo"
    ) as caught:
        find_layout(tmp_path)
    assert ".png" in (caught.value.hint or "")


def test_few_of_many_other_files_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a/1.png", "b/1.png", *(f"a/{number}.txt" for number in range(50)))
    opened: list[Path] = []
    monkeypatch.setattr("cnnctl.data.images.folder_tree._MOST_OPENED", 20)
    monkeypatch.setattr("cnnctl.data.images.folder_tree.kind_of", opened.append)
    assert "50 other files were not read (.txt)" in "\n".join(find_layout(tmp_path).notes)
    assert len(opened) == 20


def test_many_names_are_cut_with_a_count(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", *(f"train/a/{number:02}.heic" for number in range(25)))
    (note,) = find_layout(tmp_path).notes
    assert "25 files" in note
    assert "train/a/09.heic, and 15 more" in note


@pytest.mark.parametrize("prefix", ["train/", ""])
def test_what_systems_leave_is_neither_class_nor_image(tmp_path: Path, prefix: str) -> None:
    make(tmp_path, *(f"{prefix}{name}/{number}.png" for name in "ab" for number in range(3)))
    make(tmp_path, f"{prefix}.DS_Store", f"{prefix}a/Thumbs.db", f"{prefix}a/._1.png")
    make(tmp_path, f"{prefix}a/desktop.ini", f"{prefix}__MACOSX/a/._1.png", f"{prefix}.cache/x")
    make(tmp_path, f"{prefix}.ipynb_checkpoints/1-checkpoint.txt", f"{prefix}@eaDir/")
    layout = find_layout(tmp_path)
    assert layout.class_names == ("a", "b")
    assert sum(map(len, layout.splits.values())) == 6
    assert "read (" not in "\n".join(layout.notes)


def test_images_in_hidden_folders_are_noted(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "train/a/.ipynb_checkpoints/1-checkpoint.png", "train/a/.2.png")
    assert "(train/a/.2.png, train/a/.ipynb_checkpoints)" in notes(tmp_path)


def test_what_stands_beside_splits_is_noted(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "cat/1.png", "docs/readme.txt", "0.png", "train/2.png")
    said = notes(tmp_path)
    assert "cat/ beside train/ holds images that were not read" in said
    assert "docs" not in said
    assert "outside the class folders was not read (0.png)" in said
    assert "outside the class folders was not read (2.png)" in said


def test_a_flat_folder_is_split_class_by_class(tmp_path: Path) -> None:
    make(tmp_path, *(f"a/{number:02}.png" for number in range(20)))
    make(tmp_path, *(f"b/{number:03}.jpg" for number in range(100)))
    layout = find_layout(tmp_path)
    counts = {
        split: Counter(layout.class_names[label] for _, label in files)
        for split, files in layout.splits.items()
    }
    # 80, 10 and 10% of 20 and of 100
    assert counts == {
        "train": {"a": 16, "b": 80},
        "validation": {"a": 2, "b": 10},
        "test": {"a": 2, "b": 10},
    }
    paths = [path for files in layout.splits.values() for path, _ in files]
    assert len(paths) == len(set(paths)) == 120
    (note,) = layout.notes
    assert "80% training (96), 10% validation (12), 10% test (12)" in note
    assert layout.to_dict() == {"split": [0.8, 0.1, 0.1], "split_seed": 0}


def test_a_flat_split_depends_on_names_alone(tmp_path: Path) -> None:
    """Not on the order of creation, the folder's place, or how names are normalized."""
    names = [f"{number}-\u00e9.png" for number in range(30)]
    one = make(tmp_path / "one", *(f"caf\u00e9/{name}" for name in names))
    turned = [unicodedata.normalize("NFD", name) for name in reversed(names)]
    other = make(tmp_path / "two", *(f"cafe\u0301/{name}" for name in turned))

    def test_names(root: Path) -> set[str]:
        files = find_layout(root).splits["test"]
        return {unicodedata.normalize("NFC", os.path.basename(path)) for path, _ in files}  # noqa: PTH119

    assert len(test_names(one)) == 3
    assert test_names(one) == test_names(other)


def test_classes_of_one_or_two_images_are_trained_on_and_said(tmp_path: Path) -> None:
    make(tmp_path, *(f"a/{number}.png" for number in range(10)), "b/1.png", "c/1.png", "c/2.png")
    layout = find_layout(tmp_path)
    trained = Counter(layout.class_names[label] for _, label in layout.splits["train"])
    assert trained == {"a": 8, "b": 1, "c": 2}
    assert "fewer than 3 images are used for training only (b: 1, c: 2)" in layout.notes[1]


@pytest.mark.parametrize(
    ("paths", "classes"),
    [
        (["car/1.png", "train/2.png", "bus/3.png"], ("bus", "car", "train")),
        (["cat/1.png", "test/2.png"], ("cat", "test")),
        (["train/1.png", "test/2.png", "car/3.png"], ("car", "test", "train")),
        (["seg_train/1.png", "seg_test/2.png"], ("seg_test", "seg_train")),
    ],
)
def test_classes_that_are_called_like_splits(
    tmp_path: Path, paths: list[str], classes: tuple[str, ...]
) -> None:
    layout = find_layout(make(tmp_path, *paths))
    assert layout.class_names == classes
    assert "since there is no train/ with class folders" in "\n".join(layout.notes)


@pytest.mark.parametrize(
    ("paths", "message", "hint"),
    [
        (["train/cat.0.jpg", "train/dog.0.jpg"], "train has no class folders, but 2 images",
         "train/<class>/"),
        (["train/1.jpg", "labels/1.txt"], "train has no class folders, but 1 image", "<class>"),
        (["train/", "cat/1.png"], "train has no class folders", "train/<class>/"),
        (["train/cat/"], "train has no images in class folders", "expected train/<class>/"),
        (["1.jpg", "2.jpg"], "has 2 images, but none in class folders", "<class>/"),
        ([], "has no images in class folders", "expected train/<class>/"),
        (["cat/", "dog/notes.txt"], "has no images in class folders", "expected"),
        (["val/a/1.png", "test/a/2.png"], "has test/ and val/, but no folder train/", "train/"),
        (["trian/a/1.png", "test/a/2.png"], "has test/, but no folder train/",
         "rename trian/ to train/"),
        (["a/1.png", "b/1.png", "test/a/2.png"], "has test/, but no folder train/",
         "move a/ into train/"),
        (["cat/1.heic", "dog/2.heic"], "but 2 files that look like images: cat/1.heic, dog/2.heic",
         "convert them"),
        (["flowers/rose/1.png", "flowers/tulip/2.png"], "has one class folder, flowers",
         "flowers`"),
        (["data/train/a/1.png"], "has one folder, data, which holds 1 split: train/", "data`"),
        (["images/train/a/1.png", "images/val/a/2.png"],
         "has one folder, images, which holds 2 splits: train/, val/", "write `path: "),
        (["images/train/1.png", "images/val/2.png"], "holds 2 splits: train/, val/",
         "images`, and put the images of each class into their own folder: train/<class>/"),
        (["a/train/1.png", "a/test/2.png", "b/train/3.png", "b/val/4.png"],
         "has the splits inside of the class folders, such as a/train/", "train/<class>/"),
        (["train/train/a/1.png", "train/train/b/1.png"], "has one class folder, train",
         "move them from"),
    ],
)  # fmt: skip
def test_layouts_that_cannot_be_meant(
    tmp_path: Path, paths: list[str], message: str, hint: str
) -> None:
    root = make(tmp_path / "photos", "./", *paths)
    with pytest.raises(DataError) as caught:
        find_layout(root)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert "delete" not in f"{caught.value.message} {caught.value.hint}"


def test_links_to_nothing_are_told_from_no_images(tmp_path: Path) -> None:
    make(tmp_path, "train/a/")
    (tmp_path / "train" / "a" / "1.png").symlink_to("../../annex/1.png")
    with pytest.raises(DataError, match=r"but 1 link to missing files: train/a/1\.png"):
        find_layout(tmp_path)


def test_each_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, *(f"train/{name}/deep/1.png" for name in "abc"), "test/a/1.png", "extra/1.png")
    listed: Counter[str] = Counter()
    real = os.scandir

    def counted(path: str) -> object:
        listed[str(path)] += 1
        return real(path)

    monkeypatch.setattr(os, "scandir", counted)
    find_layout(tmp_path)
    assert set(listed.values()) == {1}
    assert len(listed) == 11


def test_runs_beside_classes_are_no_class(tmp_path: Path) -> None:
    """Trainings that were started inside of the folder leave images in `runs/`."""
    make(tmp_path, *(f"{name}/{number}.png" for name in "ab" for number in range(3)))
    make(tmp_path, "runs/x/001/spec.yaml", "runs/x/001/checkpoints/", "runs/x/001/plots/1.png")
    layout = find_layout(tmp_path)
    assert layout.class_names == ("a", "b")
    assert "runs/ holds runs, and is not a class" in "\n".join(layout.notes)
    os.rename(tmp_path / "runs" / "x", tmp_path / "x")  # noqa: PTH104
    make(tmp_path, "runs/1.png")  # a class: people who run
    assert "runs" in find_layout(tmp_path).class_names


def test_a_training_folder_alone_with_other_splits_beside_it_is_noted(tmp_path: Path) -> None:
    make(tmp_path, *(f"train/{name}/{number}.png" for name in "ab" for number in range(3)))
    assert "named like a split" not in notes(tmp_path / "train")
    make(tmp_path, "test/a/1.png", "val/b/1.png", "labels/1.txt")
    said = notes(tmp_path / "train")
    assert "named like a split, and test/, val/ beside it are not read" in said
    assert f"write `path: {tmp_path}`" in said
