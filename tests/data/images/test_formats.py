"""Which files are images, by their names, and the pixels of every kind that is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnctl.data import load
from cnnctl.data.dataset import Dataset
from cnnctl.data.images.content import what_it_is
from cnnctl.data.images.formats import PILLOW_FORMATS, SUFFIXES, is_readable, looks_like_image
from cnnctl.errors import DataError
from cnnctl.inference.image_style import Look
from cnnctl.inference.images import Failure, read


def test_every_suffix_is_one_that_pillow_gives_to_a_format_that_is_read() -> None:
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in SUFFIXES} <= {*PILLOW_FORMATS, "MPO"}


@pytest.mark.parametrize("name", ["a.png", "b.JPG", "c.Jpeg", "d.webp", "e.tif", "f.jfif", "g.GIF"])
def test_names_that_are_read(name: str) -> None:
    assert is_readable(name)
    assert looks_like_image(name)


@pytest.mark.parametrize("name", ["a.heic", "b.AVIF", "c.svg", "d.jpg.part", "e.png.download"])
def test_names_that_only_look_like_it(name: str) -> None:
    assert not is_readable(name)
    assert looks_like_image(name)


@pytest.mark.parametrize("name", ["notes.txt", "labels.csv", "png", "Thumbs.db", "a.npy", ""])
def test_names_of_other_files(name: str) -> None:
    assert not is_readable(name)
    assert not looks_like_image(name)


PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
FEW = np.where(PIXELS[..., :1] > 127, np.uint8([[[250, 10, 20]]]), np.uint8([[[0, 90, 200]]]))


def put(root: Path, name: str, image: Image.Image, **options: Any) -> Path:
    path = root / "train" / "a" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def folder(root: Path, **arguments: Any) -> Dataset:
    return load("image_folder", {"path": str(root), **arguments}, base=root)


def same_in_both(root: Path, path: Path, expected: np.ndarray, tolerance: float = 0) -> Dataset:
    """Training and prediction see the pixels that are expected."""
    data = folder(root)
    assert data.train.x.dtype == np.uint8
    np.testing.assert_allclose(data.train.x[0].astype(int), expected, atol=tolerance)
    (found,) = read([str(path)], Look(expected.shape))
    np.testing.assert_array_equal(found.x, data.train.x[0])
    return data


@pytest.mark.parametrize(("name", "options"), [
    ("a.png", {}), ("a.APNG", {}), ("a.bmp", {}), ("a.dib", {}), ("a.webp", {"lossless": True}),
    ("a.tif", {}), ("a.TIFF", {"compression": "tiff_lzw"}), ("a.ppm", {}), ("a.pnm", {}),
    ("a.tif", {"compression": "tiff_adobe_deflate", "big_tiff": True}),
    ("lies.jpg", {"format": "PNG"}), ("lies.png", {"format": "WEBP", "lossless": True}),
    ("lies.gif", {"format": "BMP"}),
])  # fmt: skip
def test_formats_without_loss(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    path = put(tmp_path, name, Image.fromarray(PIXELS), **options)
    assert same_in_both(tmp_path, path, PIXELS).notes == ()


@pytest.mark.parametrize("name", ["a.jpg", "a.jpe", "a.JFIF", "a.mpo", "lies.webp"])
def test_jpeg_under_any_name(tmp_path: Path, name: str) -> None:
    flat = np.full((6, 8, 3), (200, 40, 90), np.uint8)
    kind = "MPO" if name == "a.mpo" else "JPEG"
    more = {"save_all": True, "append_images": [Image.new("RGB", (4, 3))]} if kind == "MPO" else {}
    path = put(tmp_path, name, Image.fromarray(flat), format=kind, quality=100, **more)
    assert same_in_both(tmp_path, path, flat, 3).notes == ()  # a camera's preview is no frame


@pytest.mark.parametrize(("mode", "name", "expected"), [
    ("1", "a.png", [255, 255, 255]), ("1", "a.tif", [255, 255, 255]), ("1", "a.pbm", [255] * 3),
    ("L", "a.pgm", [77] * 3), ("L", "a.gif", [77] * 3), ("L", "a.webp", [77] * 3),
    ("LA", "a.png", [77] * 3), ("P", "a.bmp", [9, 8, 7]), ("P", "a.gif", [9, 8, 7]),
    ("P", "a.tif", [9, 8, 7]), ("RGBA", "a.webp", [9, 8, 7]), ("RGBA", "a.tif", [9, 8, 7]),
    # (255 - cyan) times (255 - black), by 255
    ("CMYK", "a.tif", [100, 155, 155]), ("CMYK", "a.jpg", [100, 155, 155]),
    ("YCbCr", "a.tif", [77] * 3), ("LAB", "a.tif", [255, 255, 255]),
])  # fmt: skip
def test_modes(tmp_path: Path, mode: str, name: str, expected: list[int]) -> None:
    color = {"1": 1, "L": 77, "LA": (77, 255), "P": 5, "RGBA": (9, 8, 7, 255),
             "CMYK": (90, 0, 0, 100), "YCbCr": (77, 128, 128),
             "LAB": (255, 128, 128)}[mode]  # fmt: skip
    image = Image.new(mode, (8, 6), color)
    if mode == "P":
        image.putpalette([9, 8, 7] * 256)
    path = put(tmp_path, name, image, **({"lossless": True} if name.endswith("webp") else {}))
    is_exact = name.endswith(("gif", "png", "bmp", "pgm", "pbm")) or mode in ("P", "RGBA", "1")
    same_in_both(tmp_path, path, np.broadcast_to(expected, (6, 8, 3)), 0 if is_exact else 2)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tif"])
def test_the_first_of_several_frames_is_read_and_said(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(x).quantize(2) for x in (FEW, FEW[::-1], FEW[:, ::-1])]
    frames = frames if name == "a.gif" else [frame.convert("RGB") for frame in frames]
    options = {"lossless": True} if name == "a.webp" else {}
    path = put(tmp_path, name, frames[0], save_all=True, append_images=frames[1:], **options)
    (note,) = same_in_both(tmp_path, path, FEW).notes
    assert note.endswith(f"is read of 1 image ({name}), which have several")
    (found,) = read([str(path)], Look((6, 8, 3)))
    assert found.steps == ("the first of several frames or pages",)


def test_a_tiff_lies_as_it_was_held(tmp_path: Path) -> None:
    path = put(tmp_path, "a.tif", Image.fromarray(PIXELS), tiffinfo={274: 6})
    same_in_both(tmp_path, path, np.rot90(PIXELS, -1))


def test_gif_and_webp_lie_on_white(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (8, 6), (0, 0, 0, 0))
    for name in ("a.gif", "a.webp"):
        path = put(tmp_path / name, name, clear, **({"exact": True} if "webp" in name else {}))
        same_in_both(tmp_path / name, path, np.full((6, 8, 3), 255))


@pytest.mark.parametrize(("content", "words"), [
    (b"", "the file is empty"),
    (bytes(600), "zeros only"),
    (b"<!DOCTYPE html><html>404</html>", "an HTML or XML page"),
    (b"\xef\xbb\xbf\n <?xml?><svg/>", "an SVG drawing"),
    (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    (b"\0\0\0\x18ftypheic" + bytes(20), "HEIC: convert it"),
    (b"\0\0\0\x18ftypavif" + bytes(20), "AVIF: convert it"),
    (b"\0\0\0\x18ftypisom" + bytes(20), "a video"),
    (b"PK\x03\x04" + bytes(20), "a zip archive"),
    (b"%PDF-1.7", "a PDF document"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xff\xd8\xff\xe0" + bytes(9), "begins like JPEG, and is damaged"),
    (b"hello", "it is not a PNG, JPEG"),
])  # fmt: skip
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in what_it_is(content)
    path = tmp_path / "train" / "a" / "b.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        folder(tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_files_cut_off_anywhere_and_files_with_other_bytes_are_errors_or_images(
    tmp_path: Path, kind: str
) -> None:
    random = np.random.default_rng(1)
    whole = put(tmp_path, "a.png", Image.fromarray(PIXELS), format=kind).read_bytes()
    path = tmp_path / "b.png"
    for number in range(60):
        content = bytearray(whole)
        if number % 2:
            del content[int(random.integers(len(whole))) :]
        else:
            for place in random.integers(0, len(whole), 3):
                content[place] = random.integers(256)
        path.write_bytes(content)
        failures: list[Failure] = []
        found = list(read([str(path)], Look((6, 8, 3)), failures=failures))
        assert [each.x.shape for each in found] == [(6, 8, 3)] * (1 - len(failures))
        assert all("b.png" in each.error.message for each in failures)
