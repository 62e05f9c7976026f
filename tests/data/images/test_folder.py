"""Folders of pictures, written with Pillow and read back."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from conftest import examples
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cnnctl.data import load
from cnnctl.data.dataset import Dataset
from cnnctl.data.images.folder_layout import find_layout
from cnnctl.errors import DataError
from cnnctl.inference import images
from cnnctl.inference.image_style import Look


def put(path: Path, color: Any, size: tuple[int, int] = (6, 4), mode: str = "RGB") -> Path:
    """Write a picture of one colour; size is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    put(root / "train" / "dog" / "b.png", (10, 20, 30))
    put(root / "train" / "dog" / "a.PNG", (40, 50, 60))
    put(root / "train" / "cat" / "c.JPG", (200, 200, 200))
    put(root / "train" / "cat" / "d.jpeg", (90, 90, 90))
    put(root / "test" / "dog" / "e.png", (1, 2, 3))
    return root


def read(folder: Path, **arguments: Any) -> Dataset:
    return load("image_folder", {"path": folder.name, **arguments}, base=folder.parent)


def test_classes_are_sorted_folders_that_alternate_and_pictures_sorted_names(folder: Path) -> None:
    data = read(folder)
    assert data.name == "photos"
    assert data.class_names == ("cat", "dog")
    assert data.train.x.shape == (4, 4, 6, 3)  # height before width
    assert data.train.x.dtype == np.uint8
    assert data.train.y.tolist() == [0, 1, 0, 1]
    assert data.train.x[:, 0, 0].tolist() == [[200] * 3, [40, 50, 60], [90] * 3, [10, 20, 30]]
    assert data.test is not None
    assert data.test.y.tolist() == [1]
    assert data.validation is None
    assert data.pixel_range == (0, 255)
    assert data.notes == ()


def test_grayscale_by_the_usual_weights(folder: Path) -> None:
    data = read(folder, color_mode="grayscale")
    assert data.train.x.shape == (4, 4, 6, 1)
    # ITU-R 601: 0.299 R + 0.587 G + 0.114 B
    assert data.train.x[3, 0, 0, 0] == round(0.299 * 10 + 0.587 * 20 + 0.114 * 30)


def test_every_mode_becomes_rgb(tmp_path: Path) -> None:
    root = tmp_path / "modes"
    put(root / "train" / "a" / "1.png", 77, mode="L")
    put(root / "train" / "a" / "2.png", (1, 2, 3, 255), mode="RGBA")
    put(root / "train" / "a" / "3.png", 1, mode="1")
    palette = Image.new("P", (6, 4), 5)
    palette.putpalette([9, 8, 7] * 256)
    palette.save(root / "train" / "a" / "4.png")
    x = read(root).train.x
    assert x[:, 3, 5].tolist() == [[77] * 3, [1, 2, 3], [255] * 3, [9, 8, 7]]


def test_a_file_has_the_same_pixels_in_training_and_in_prediction(tmp_path: Path) -> None:
    """A picture of four quarters, stored turned, transparent in every way that PNG knows."""
    root = tmp_path / "photos" / "train" / "a"
    root.mkdir(parents=True)
    upright = np.zeros((4, 4, 3), np.uint8)
    upright[:2, :2], upright[:2, 2:], upright[2:, :2], upright[2:, 2:] = 250, 160, 90, 10
    turns = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
             5: upright.swapaxes(0, 1), 6: np.rot90(upright), 7: upright[::-1, ::-1].swapaxes(0, 1),
             8: np.rot90(upright, -1)}  # fmt: skip
    for orientation, stored in turns.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(np.ascontiguousarray(stored)).save(root / f"{orientation}.png", exif=exif)
    clear = np.dstack([np.zeros_like(upright), np.where(upright[..., 0] == 10, 0, 255)])
    rgba = Image.fromarray(clear.astype(np.uint8))
    rgba.save(root / "rgba.png")
    rgba.convert("LA").save(root / "la.png")
    palette = Image.fromarray((clear[..., 3] == 0).astype(np.uint8)).convert("P")
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.save(root / "palette.png", transparency=1)
    Image.fromarray(upright).save(root / "z-damaged.png", exif=b"Exif\0\0no TIFF")
    on_white = np.where(clear[..., 3:] == 0, 255, clear[..., :3])
    x = read(tmp_path / "photos").train.x
    files = sorted(root.iterdir())
    expected = [upright] * 8 + [on_white] * 3 + [upright]
    for path, image, wanted in zip(files, x, expected, strict=True):
        np.testing.assert_array_equal(image, wanted, str(path))
        (found,) = images.read([str(path)], Look((4, 4, 3)))
        np.testing.assert_array_equal(found.x, wanted, str(path))
        turned = path.stem in set("2345678")
        step = "turned as its EXIF data says" if turned else "laid on white where it is transparent"
        assert found.steps == (() if wanted is upright and not turned else (step,))


@examples(100)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
def test_any_stretch_has_each_class_in_its_proportion(sizes: list[int], data: Any) -> None:
    with TemporaryDirectory() as made:
        for label, size in enumerate(sizes):
            (Path(made) / "train" / str(label)).mkdir(parents=True)
            for number in range(size):
                (Path(made) / "train" / str(label) / f"{number:02}.png").touch()
        files = find_layout(Path(made)).splits["train"]
    for label, size in enumerate(sizes):
        own = [Path(path).name for path, its in files if its == label]
        assert own == [f"{number:02}.png" for number in range(size)]
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(files))] * 2)))
    for label, size in enumerate(sizes):
        there = sum(its == label for _, its in files[first:last])
        assert abs(there - size * (last - first) / len(files)) <= len(sizes) + 1


def test_sizes_are_those_of_upright_pictures(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (4, 6)).save(folder / "train" / "cat" / "e.jpg", exif=exif)
    assert read(folder).train.x.shape == (5, 4, 6, 3)


def test_resizing_on_request(folder: Path) -> None:
    put(folder / "train" / "cat" / "z.png", (5, 6, 7), size=(60, 50))
    data = read(folder, image_size=[8, 9], resize=True)
    assert data.train.x.shape == (5, 8, 9, 3)
    assert [5, 6, 7] in data.train.x[:, 0, 0].tolist()


def test_image_size_alone_is_a_check(folder: Path) -> None:
    assert read(folder, image_size=[4, 6]).train.x.shape == (4, 4, 6, 3)
    with pytest.raises(DataError, match=r"c\.JPG is 4x6, image_size says 5x5"):
        read(folder, image_size=[5, 5])


def test_the_first_picture_that_differs_is_named_with_both_sizes(folder: Path) -> None:
    put(folder / "train" / "dog" / "c.png", 0, size=(7, 5))
    with pytest.raises(DataError, match=r"dog/c\.png is 5x7, others are 4x6") as caught:
        read(folder)
    assert "resize: true" in (caught.value.hint or "")


def test_a_test_picture_of_another_size(folder: Path) -> None:
    put(folder / "test" / "dog" / "f.png", 0, size=(7, 5))
    with pytest.raises(DataError, match=r"test/dog/f\.png is 5x7.* 4x6"):
        read(folder)


def test_unreadable_pictures_are_named(folder: Path) -> None:
    bad = folder / "train" / "dog" / "c.png"
    sound = (folder / "train" / "dog" / "b.png").read_bytes()
    for content, reason in (
        (b"", "the file is empty"),
        (b"not a picture", "it is not a PNG, JPEG"),
        (sound[: len(sound) // 2], "cut off"),
        (b"GIF89a" + bytes(50), "damaged"),
    ):
        bad.write_bytes(content)
        with pytest.raises(DataError, match=r"cannot read the image .*dog/c\.png") as caught:
            read(folder)
        assert reason in caught.value.message


def test_a_truncated_jpeg_is_no_picture(folder: Path) -> None:
    path = folder / "train" / "cat" / "c.JPG"
    noise = np.random.RandomState(0).randint(0, 256, (4, 6, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"cat/c\.JPG"):
        read(folder)


def test_a_decompression_bomb_is_refused_unopened(folder: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    path = folder / "train" / "dog" / "bomb.png"
    for side in (9000, 100_000):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
        with pytest.raises(DataError, match=r"bomb\.png.*pixels"):
            read(folder)


def test_16_bit_pictures_are_refused(folder: Path) -> None:
    deep = Image.fromarray(np.full((4, 6), 40_000, np.uint16))
    deep.save(folder / "train" / "dog" / "c.png")
    with pytest.raises(DataError, match="16 bits"):
        read(folder)


def test_a_class_that_train_lacks(folder: Path) -> None:
    put(folder / "test" / "bird" / "1.png", 0)
    with pytest.raises(DataError, match=r"test/bird is a class that train/ does not have"):
        read(folder)


def test_layouts_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder") as caught:
        read(tmp_path / "nowhere")
    assert "train/<class>" in (caught.value.hint or "")
    (tmp_path / "empty" / "train").mkdir(parents=True)
    with pytest.raises(DataError, match="has no class folders"):
        read(tmp_path / "empty")
    (tmp_path / "empty" / "train" / "bird").mkdir()
    with pytest.raises(DataError, match="train has no images in class folders"):
        read(tmp_path / "empty")


def test_a_class_whose_name_is_no_utf_8(folder: Path) -> None:
    try:
        put(folder / "train" / os.fsdecode(b"caf\xe9") / "1.png", 0)
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(DataError, match=r"is not UTF-8: b'caf\\xe9'"):
        read(folder)


@pytest.mark.parametrize("size", [[0, 5], [-1, 5], [100_000, 100_000]])
def test_sizes_that_no_picture_has(folder: Path, size: list[int]) -> None:
    with pytest.raises(DataError, match="image_size"):
        read(folder, image_size=size, resize=True)


def test_resize_needs_a_size(folder: Path) -> None:
    with pytest.raises(DataError, match="needs `image_size"):
        read(folder, resize=True)


def test_many_pictures_keep_their_order(tmp_path: Path) -> None:
    root = tmp_path / "many"
    for number in range(450):
        put(root / "train" / "a" / f"{number:04}.png", (number % 256, number // 256, 7), (2, 2))
    steps: list[tuple[str, int, int | None]] = []
    data = load(
        "image_folder", {"path": "many"}, base=tmp_path, progress=lambda *step: steps.append(step)
    )
    numbers = data.train.x[:, 0, 0, 0] + 256 * data.train.x[:, 0, 0, 1].astype(int)
    assert numbers.tolist() == list(range(450))
    assert steps[-1][1:] == (450, 450)


@pytest.mark.data
def test_real_folder_holds_the_pixels_of_the_npz(real_data: Path, tmp_path: Path) -> None:
    """Some classes of the JPEG copy, decoded here, are found in the copy as arrays."""
    source = real_data / "cifar10" / "test"
    if not source.is_dir() or not (real_data / "cifar10.npz").is_file():
        pytest.skip("no cifar10/ and cifar10.npz in CNNCTL_DATA_DIR")
    from cnnctl.data.images.folder import load_image_folder

    with np.load(real_data / "cifar10.npz") as arrays:
        known = {image.tobytes() for image in arrays["x_test"]}
    (tmp_path / "train").symlink_to(source)
    data = load_image_folder(tmp_path)
    assert data.train.x.shape == (10_000, 32, 32, 3)
    assert data.class_names[0] == "airplane"
    assert {image.tobytes() for image in data.train.x} == known
