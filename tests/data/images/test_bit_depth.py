"""Images of 16 bits per channel, written by hand, and those that are refused."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnctl.data import load
from cnnctl.data.dataset import Dataset
from cnnctl.data.images import bit_depth
from cnnctl.data.pixels import DEEP
from cnnctl.errors import DataError
from cnnctl.inference.image_style import Look
from cnnctl.inference.images import read

NOISE = np.random.default_rng(3).integers(0, 65536, (5, 7, 4)).astype(np.uint16)
COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
          (1, 0, 2, 1))  # fmt: skip
"""Adam7, from the PNG specification: first row, first column, and their steps."""


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png16(x: np.ndarray, *, filters: bool = True, interlaced: bool = False, **more: bytes) -> bytes:
    """uint16 (height, width, 1 to 4) as a PNG file, rows filtered by each of PNG's filters."""

    def rows(part: np.ndarray) -> bytes:
        raw = part.astype(">u2").view(np.uint8).reshape(len(part), -1).astype(int)
        step, out = 2 * x.shape[2], b""
        for index, row in enumerate(raw):
            kind = index % 5 if filters else 0
            up = raw[index - 1] if index else np.zeros_like(row)
            left = np.concatenate([np.zeros(step, int), row[:-step]])
            corner = np.concatenate([np.zeros(step, int), up[:-step]])
            guess = left + up - corner
            far = [abs(guess - left), abs(guess - up), abs(guess - corner)]
            paeth = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left,
                             np.where(far[1] <= far[2], up, corner))  # fmt: skip
            base = (0, left, up, (left + up) // 2, paeth)[kind]
            out += bytes([kind]) + ((row - base) % 256).astype(np.uint8).tobytes()
        return out

    height, width, channels = x.shape
    whole = (
        [x] if not interlaced else [x[top::down, left::right] for top, left, down, right in PASSES]
    )
    data = zlib.compress(b"".join(rows(part) for part in whole if part.size))
    head = struct.pack(">IIBBBBB", width, height, 16, COLOR_TYPES[channels], 0, 0, int(interlaced))
    extra = b"".join(chunk(kind.encode(), body) for kind, body in more.items())
    half = len(data) // 2  # two pieces, as writers cut long ones
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data[:half])
            + chunk(b"IDAT", data[half:]) + chunk(b"IEND", b""))  # fmt: skip


def put(root: Path, name: str, content: bytes) -> Path:
    path = root / "train" / "a" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def folder(root: Path, **arguments: Any) -> Dataset:
    return load("image_folder", {"path": str(root), **arguments}, base=root)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_is_read_at_full_depth(tmp_path: Path, channels: int, interlaced: bool) -> None:
    x = NOISE[..., :channels]
    path = put(tmp_path, "1.png", png16(x, interlaced=interlaced))
    found = folder(tmp_path)
    assert found.train.x.dtype == np.uint16
    assert found.pixel_range == DEEP
    np.testing.assert_array_equal(found.train.x[0], np.broadcast_to(x, (5, 7, 3)))
    (same,) = read([str(path)], Look((5, 7, 3), pixels=DEEP))
    np.testing.assert_array_equal(same.x, found.train.x[0])


def test_transparent_pixels_lie_on_white(tmp_path: Path) -> None:
    """By real numbers: color times alpha, and white for the rest."""
    for channels in (2, 4):
        path = put(tmp_path / str(channels), "1.png", png16(NOISE[..., :channels]))
        color, alpha = (
            NOISE[..., : channels - 1] / 65535,
            NOISE[..., channels - 1 : channels] / 65535,
        )
        expected = np.rint((color * alpha + 1 - alpha) * 65535)
        found = folder(tmp_path / str(channels))
        np.testing.assert_array_equal(found.train.x[0], np.broadcast_to(expected, (5, 7, 3)))
        (same,) = read([str(path)], Look((5, 7, 3), pixels=DEEP))
        assert same.steps[0] == "laid on white where it is transparent"
        np.testing.assert_array_equal(same.x, found.train.x[0])


def test_a_transparent_color_is_white_to_the_last_bit(tmp_path: Path) -> None:
    """Of two colors that differ in their low bytes only, one is transparent."""
    x = np.array([[[1, 2, 3], [1, 2, 4]]], np.uint16)
    put(tmp_path, "1.png", png16(x, tRNS=struct.pack(">HHH", 1, 2, 3)))
    assert folder(tmp_path).train.x[0, 0].tolist() == [[65535] * 3, [1, 2, 4]]
    gray = np.array([[[700], [701]]], np.uint16)
    put(tmp_path / "gray", "1.png", png16(gray, tRNS=struct.pack(">H", 701)))
    assert folder(tmp_path / "gray", color_mode="grayscale").train.x.ravel().tolist() == [
        700,
        65535,
    ]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_it_is_turned_as_pillow_turns_bytes(tmp_path: Path, orientation: int) -> None:
    small = NOISE[..., :3] >> 8
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    put(tmp_path / "deep", "1.png", png16(small * 257, eXIf=body))
    put(tmp_path / "bytes", "1.png", b"")
    Image.fromarray(small.astype(np.uint8)).save(tmp_path / "bytes/train/a/1.png", exif=exif)
    np.testing.assert_array_equal(
        folder(tmp_path / "deep").train.x,
        folder(tmp_path / "bytes").train.x.astype(np.uint16) * 257,
    )


def test_gray_by_the_weights_that_bytes_have(tmp_path: Path) -> None:
    put(tmp_path, "1.png", png16(NOISE[..., :3]))
    found = folder(tmp_path, color_mode="grayscale").train.x[0, ..., 0]
    np.testing.assert_allclose(found, NOISE[..., :3] @ [0.299, 0.587, 0.114], atol=1.1)


def test_resized_as_bytes_are(tmp_path: Path) -> None:
    small = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    put(tmp_path / "deep", "1.png", png16(small.astype(np.uint16) * 257))
    put(tmp_path / "bytes", "1.png", b"")
    Image.fromarray(small).save(tmp_path / "bytes/train/a/1.png")
    size = {"image_size": [7, 9], "resize": True}
    deep_, bytes_ = (folder(tmp_path / each, **size).train.x for each in ("deep", "bytes"))
    np.testing.assert_allclose(deep_ / 257, bytes_, atol=0.75)  # bytes are rounded twice, by 0.5


def test_a_gray_tiff_is_read_at_full_depth(tmp_path: Path) -> None:
    gray = np.array([[0, 257, 65535]], np.uint16)
    put(tmp_path, "1.tif", b"")
    Image.fromarray(gray).save(tmp_path / "train/a/1.tif")
    Image.fromarray(gray).save(tmp_path / "train/a/2.tiff", compression="tiff_lzw")
    Image.fromarray(gray.astype(">u2")).save(tmp_path / "train/a/3.tif")
    Image.fromarray(gray).save(tmp_path / "train/a/4.tif", tiffinfo={262: 0})  # white is zero
    x = folder(tmp_path, color_mode="grayscale").train.x[:, 0, :, 0].tolist()
    assert x == [[0, 257, 65535]] * 3 + [[65535, 65278, 0]]


def tiff(x: np.ndarray, photometric: int, extra: int | None = None, kind: int = 1) -> bytes:
    """An uncompressed TIFF file, (height, width, channels), of any type."""
    height, width, channels = x.shape
    bits = [8 * x.itemsize] * channels
    entries = [(256, 4, [width]), (257, 4, [height]), (258, 3, bits), (259, 3, [1]),
               (262, 3, [photometric]), (273, 4, [0]), (277, 3, [channels]), (278, 4, [height]),
               (279, 4, [x.nbytes])]  # fmt: skip
    entries += [(338, 3, [extra])] if extra is not None else []
    entries += [(339, 3, [kind] * channels)]
    start = 8 + 2 + 12 * len(entries) + 4
    table, values = b"", b""
    for tag, form, numbers in entries:
        packed = struct.pack(f"<{len(numbers)}{'HI'[form == 4]}", *numbers)
        if tag == 273:
            packed = struct.pack("<I", start + 100)
        if len(packed) > 4:
            place = start + len(values)
            values += packed
            packed = struct.pack("<I", place)
        table += struct.pack("<HHI", tag, form, len(numbers)) + packed.ljust(4, b"\0")
    body = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + table + bytes(4)
    return body + values.ljust(100, b"\0") + x.tobytes()


COLORS = np.arange(48, dtype=np.uint16).reshape(4, 4, 3)


@pytest.mark.parametrize(("content", "words"), [
    (tiff(COLORS, 2), "16 bits per channel in color in a TIFF file: save it as PNG"),
    (tiff(COLORS[..., :1].astype(np.float32), 1, kind=3), "floats"),
    (tiff(COLORS[..., :1].astype(np.int16), 1, kind=2), "signed numbers"),
    (tiff(COLORS[..., :1].astype(np.int32), 1), "32 bits"),
    (tiff(np.zeros((4, 4, 4), np.uint8), 2, 0), "neither color nor transparency"),
    (b"P6 2 2 65535 " + bytes(24), "16 bits"),
    (b"P6 2 2 # 255\n1023 " + bytes(24), "16 bits"),
    (b"P5 2 2 4095 " + bytes(8), "16 bits"),
    (b"Pf 2 2 -1.0\n" + bytes(16), "floats"),
])  # fmt: skip
def test_other_depths_are_refused_with_a_fix(tmp_path: Path, content: bytes, words: str) -> None:
    path = put(tmp_path, "1.tif", content)
    with pytest.raises(DataError, match=words) as caught:
        folder(tmp_path)
    assert str(path) in caught.value.message
    assert "save it" in caught.value.message
    with pytest.raises(DataError, match=words):
        list(read([str(path)], Look((4, 4, 3))))


def test_the_tiff_files_above_are_read_with_8_bits(tmp_path: Path) -> None:
    x = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    put(tmp_path, "1.tif", tiff(x, 2))
    np.testing.assert_array_equal(folder(tmp_path).train.x[0], x)


def test_a_folder_has_one_depth(tmp_path: Path) -> None:
    first = put(tmp_path, "1.png", png16(NOISE[..., :3]))
    Image.new("RGB", (7, 5)).save(tmp_path / "train/a/2.png")
    with pytest.raises(
        DataError, match=r"2\.png has 8 bits per channel, others have 16 \("
    ) as caught:
        folder(tmp_path)
    assert str(first) in caught.value.message
    assert caught.value.hint == "save all with 8 bits per channel, or all with 16"
    (tmp_path / "train/a/2.png").rename(tmp_path / "2.png")
    (tmp_path / "test/a").mkdir(parents=True)
    (tmp_path / "2.png").rename(tmp_path / "test/a/2.png")
    with pytest.raises(DataError, match=r"test/a/2\.png has 8 bits"):
        folder(tmp_path)


def test_a_cut_off_file_is_damaged(tmp_path: Path) -> None:
    content = png16(np.repeat(NOISE[..., :3], 50, 0))
    put(tmp_path, "1.png", content[: len(content) * 2 // 3])
    with pytest.raises(DataError, match=r"cannot read the image .*1\.png"):
        folder(tmp_path)


def test_bytes_for_a_network_of_16_bits_and_back(tmp_path: Path) -> None:
    small = np.array([[[1, 2, 3], [255, 0, 128]]], np.uint8)
    Image.fromarray(small).save(tmp_path / "a.png")
    (found,) = read([str(tmp_path / "a.png")], Look((1, 2, 3), pixels=DEEP))
    np.testing.assert_array_equal(found.x, small.astype(np.uint16) * 257)
    assert found.steps == ("made 16 bits per channel (times 257)",)
    np.save(tmp_path / "a.npy", small)
    (array,) = read([str(tmp_path / "a.npy")], Look((1, 2, 3), pixels=DEEP))
    np.testing.assert_array_equal(array.x, found.x)
    (tmp_path / "b.png").write_bytes(
        png16(np.minimum(small * 257.0 + 100, 65535).astype(np.uint16))
    )
    (shallow,) = read([str(tmp_path / "b.png")], Look((1, 2, 3)))
    np.testing.assert_array_equal(shallow.x, small)
    assert shallow.steps == ("made 8 bits a pixel",)
    np.testing.assert_array_equal(bit_depth.to_bytes(found.x), small)
