"""Pictures that somebody brings along: what is done to them, and that it is said."""

import io
import os
import struct

import numpy as np
import pytest
from conftest import examples
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cnnctl.errors import DataError, UsageError
from cnnctl.inference.image_style import Look
from cnnctl.inference.images import Failure, read

MNIST = Look((28, 28, 1), dark=True, centred=True)
COLOUR = Look((32, 32, 3))


def save(path, pixels, **options):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)
    return str(path)


def one(path, look=MNIST, **options):
    (found,) = read([path], look, **options)
    return found


def digit():
    """A light 1 on dark, as MNIST has it."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 12:16] = 255
    return pixels


def test_a_picture_as_the_network_knows_it_is_taken_as_it_is(tmp_path):
    found = one(save(tmp_path / "a.png", digit()))
    np.testing.assert_array_equal(found.x[..., 0], digit())
    assert found.steps == ()
    assert found.x.dtype == np.uint8


def test_dark_on_light_of_the_same_size_is_inverted_only(tmp_path):
    found = one(save(tmp_path / "a.png", 255 - digit()))
    np.testing.assert_array_equal(found.x[..., 0], digit())
    assert found.steps == ("inverted, since the network knows light on dark",)
    same = one(save(tmp_path / "a.png", 255 - digit()), invert=False)
    np.testing.assert_array_equal(same.x[..., 0], 255 - digit())
    assert same.steps == ()


@examples(60)
@given(
    st.integers(40, 300), st.integers(40, 300), st.integers(8, 200), st.integers(4, 200),
    st.data(),
)  # fmt: skip
def test_a_drawing_is_centred_as_mnist_is(tmp_path_factory, height, width, tall, wide, data):
    """A box of ink anywhere: its longer side becomes 20 pixels, its centre of mass the middle."""
    tall, wide = min(tall, height - 4), min(wide, width - 4)
    top = data.draw(st.integers(2, height - tall - 2))
    left = data.draw(st.integers(2, width - wide - 2))
    pixels = np.full((height, width), 255, np.uint8)
    pixels[top : top + tall, left : left + wide] = 0
    found = one(save(tmp_path_factory.mktemp("drawn") / "a.png", pixels))
    x = found.x[..., 0].astype(float)
    rows, columns = np.nonzero(x > 127)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    ratio = (np.ptp(rows) + 1) / (np.ptp(columns) + 1)
    assert abs(np.log(ratio / (tall / wide))) < 0.5 or min(tall, wide) < 20
    down, across = ((x.sum(1) * np.arange(28)).sum() / x.sum(),
                    (x.sum(0) * np.arange(28)).sum() / x.sum())  # fmt: skip
    assert abs(down - 14) <= 0.5
    assert abs(across - 14) <= 0.5
    assert any(f"cut out ({tall}×{wide})" in step for step in found.steps)


def test_a_photograph_of_a_note_has_its_contrast_stretched(tmp_path):
    pixels = np.full((100, 80), 180, np.uint8)
    pixels[20:80, 30:50] = 70
    found = one(save(tmp_path / "a.jpg", pixels, quality=95))
    assert any("contrast stretched" in step for step in found.steps)
    assert found.x.max() >= 240
    assert np.median(found.x) == 0


def test_an_empty_page_stays_empty(tmp_path):
    found = one(save(tmp_path / "a.png", np.full((60, 60), 255)))
    assert found.x.max() == 0
    assert "not centred, since nothing stands out in it" in found.steps


def test_colours_and_transparency(tmp_path):
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    found = one(save(tmp_path / "red.png", red), COLOUR)
    np.testing.assert_array_equal(found.x, red)
    assert found.steps == ()
    grey = one(save(tmp_path / "red.png", red), Look((32, 32, 1)))
    assert grey.steps == ("made grey",)
    assert set(np.unique(grey.x)) == {60}  # ITU-R 601: 0.299 of 200
    shades = one(save(tmp_path / "grey.png", np.full((32, 32), 77)), COLOUR)
    assert shades.steps == ("grey in all three channels",)
    assert set(np.unique(shades.x)) == {77}
    clear = np.zeros((32, 32, 4), np.uint8)
    clear[8:24, 8:24] = (0, 0, 0, 255)
    laid = one(save(tmp_path / "clear.png", clear), COLOUR)
    assert laid.steps == ("laid on white where it is transparent",)
    assert laid.x[0, 0].tolist() == [255, 255, 255]
    assert laid.x[16, 16].tolist() == [0, 0, 0]


def test_a_photograph_lies_as_it_was_held(tmp_path):
    wide = np.zeros((20, 40, 3), np.uint8)
    wide[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    save(tmp_path / "a.jpg", wide, exif=exif, quality=100)
    found = one(str(tmp_path / "a.jpg"), Look((40, 20, 3)))
    assert found.steps == ("turned as its EXIF data says",)
    assert found.x[:15].mean() > 240
    assert found.x[25:].mean() < 15


def test_resizing_is_said_and_stretching_too(tmp_path):
    assert one(save(tmp_path / "a.png", np.zeros((64, 64, 3))), COLOUR).steps == (
        "resized from 64×64 to 32×32",
    )
    assert one(save(tmp_path / "a.png", np.zeros((64, 100, 3))), COLOUR).steps == (
        "resized from 64×100 to 32×32, stretched",
    )


@pytest.mark.parametrize(("array", "count", "step"), [
    (np.zeros((28, 28), np.uint8), 1, "a channel added"),
    (np.zeros((28, 28, 1), np.int64), 1, None),
    (np.zeros((5, 28, 28), np.uint8), 5, "a channel added"),
    (np.zeros((5, 28, 28, 1), np.uint8), 5, None),
    (np.full((28, 28, 1), 0.5), 1, "values from 0 to 1 taken times 255"),
    (np.full((28, 28, 1), 100.5, np.float32), 1, None),
])  # fmt: skip
def test_arrays(tmp_path, array, count, step):
    np.save(tmp_path / "a.npy", array)
    found = list(read([str(tmp_path / "a.npy")], MNIST))
    assert len(found) == count
    assert all(each.x.shape == (28, 28, 1) for each in found)
    assert found[0].steps == ((step,) if step else ())
    assert [each.name for each in found][-1].endswith(".npy" if count == 1 else f"[{count - 1}]")
    if array.max() == 0.5:
        np.testing.assert_array_equal(found[0].x, np.full((28, 28, 1), 127.5, np.float32))


@pytest.mark.parametrize(("array", "words"), [
    (np.zeros((27, 28), np.uint8), "27×28; the network takes 28×28×1"),
    (np.zeros((0, 28, 28, 1), np.uint8), "is empty"),
    (np.full((28, 28, 1), np.nan), "not finite"),
    (np.full((28, 28, 1), 300), "values from 300 to 300"),
    (np.full((28, 28, 1), 255.5), "values from 255.5 to 255.5"),
    (np.linspace(-1, 1, 784).reshape(28, 28), "values from -1 to 1"),
    (np.array([print], dtype=object), "Python objects"),
    (np.array(["a"]), "expected numbers"),
])  # fmt: skip
def test_arrays_that_are_refused(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=words):
        list(read([str(tmp_path / "a.npy")], MNIST))


def array_of(values, tmp_path):
    np.save(tmp_path / "a.npy", np.resize(values, (2, 2, 1)))
    return str(tmp_path / "a.npy")


def test_a_network_of_floats_from_0_to_1_gets_files_divided_by_255(tmp_path):
    unit = Look((2, 2, 1), pixels=(0.0, 1.0))
    step = ("divided by 255, since the network knows values from 0 to 1",)
    pixels = np.array([[0, 51], [102, 255]], np.uint8)
    for path in (save(tmp_path / "a.png", pixels), array_of(pixels, tmp_path),
                 array_of(pixels.astype(np.int64), tmp_path)):  # fmt: skip
        found = one(path, unit)
        np.testing.assert_array_equal(found.x.ravel(), np.array([0, 0.2, 0.4, 1], np.float32))
        assert found.steps == step
        assert found.x.dtype == np.float32
    same = one(array_of(pixels / 255, tmp_path), unit)
    np.testing.assert_array_equal(same.x, found.x)
    assert same.steps == ()
    assert one(array_of([0, 1], tmp_path), unit).x.max() == 1
    far = one(array_of([0.0, 9.5], tmp_path), unit)
    assert far.steps == (
        "it has values from 0 to 9.5, and the network was trained on values from 0 to 1",
    )


def test_bytes_do_not_fit_a_network_of_other_numbers(tmp_path):
    signed = Look((2, 2, 1), pixels=(-2.0, 2.0))
    with pytest.raises(DataError, match="trained on values from -2 to 2") as raised:
        one(save(tmp_path / "a.png", np.zeros((2, 2))), signed)
    assert ".npy" in raised.value.hint
    assert one(array_of([-2.0, 2.5], tmp_path), signed).steps == ()
    for values in ([-2.0, 4.5], np.array([0, 200], np.uint8)):
        found = one(array_of(values, tmp_path), signed)
        assert found.x.max() == max(values)
        assert "trained on values from -2 to 2" in found.steps[0]


def test_pixels_of_a_range_that_is_not_known_are_taken_as_they_are(tmp_path):
    for values in (np.array([0, 200], np.uint8), [-3, 300], [0.0, 1.0]):
        found = one(array_of(values, tmp_path), Look((2, 2, 1), pixels=None))
        assert (found.x.min(), found.x.max()) == (min(values), max(values))
        assert found.steps == ()


def test_16_bits_are_scaled_alike_in_light_and_dark_pictures(tmp_path):
    for values, bytes_ in (([0, 257, 200], [0, 1, 1]), ([0, 65535, 32896], [0, 255, 128])):
        deep = np.array([values], np.uint16)
        Image.fromarray(deep).save(tmp_path / "deep.png")
        found = one(str(tmp_path / "deep.png"), Look((1, 3, 1)))
        assert found.x.ravel().tolist() == bytes_
        assert found.steps == ("made 8 bits a pixel",)


def png_of(width, height):
    """The head of a PNG file that says it is so large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    import zlib

    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 99) + b"IDAT" + bytes(99)


@pytest.mark.parametrize(("content", "words"), [
    (b"", "the file is empty"),
    (b"hello", "it is not a PNG, JPEG"),
    (b"GIF89a" + bytes(40), "begins like GIF, and is damaged"),
    (png_of(60_000, 60_000), "exceeds limit"),
    (png_of(9_000, 9_000), "too large"),
    (png_of(32, 32), ""),
    (b"\x93NUMPY\x01\x00", "damaged"),
    (b"\x93NUMPY", "damaged"),
])  # fmt: skip
def test_files_that_are_no_pictures(tmp_path, content, words):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError) as raised:
        list(read([str(tmp_path / "a.png")], MNIST))
    assert "a.png" in raised.value.message
    assert words in raised.value.message


def test_places(tmp_path):
    with pytest.raises(UsageError, match="there is no file"):
        list(read([str(tmp_path / "none.png")], MNIST))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="has no images"):
        list(read([str(tmp_path / "empty")], MNIST))
    for name in ("7/b.png", "7/a.PNG", "3/c.jpg", "3/.hidden.png", "3/notes.txt",
                 "3/.thumbnails/a.png", ".ipynb_checkpoints/7/b.png", "__MACOSX/7/b.png",
                 "7/day/z.png"):  # fmt: skip
        path = tmp_path / "digits" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".txt":
            Image.fromarray(digit()).save(path)
    (tmp_path / "digits" / "folder.png").mkdir()
    (tmp_path / "digits" / "7" / "c.heic").touch()
    unread: list[str] = []
    found = list(read([str(tmp_path / "digits")], MNIST, unread=unread))
    assert [each.folder for each in found] == ["digits/3", "digits/7", "digits/7", "digits/7/day"]
    assert [each.name[-5:] for each in found] == ["c.jpg", "a.PNG", "b.png", "z.png"]
    assert unread == [str(tmp_path / "digits" / "7" / "c.heic")]
    (only,) = read([str(tmp_path / "digits" / "3")], MNIST)
    assert only.folder == "3"


def test_images_without_a_suffix(tmp_path):
    Image.fromarray(digit()).save(tmp_path / "photo", "PNG")
    assert len(list(read([str(tmp_path / "photo")], MNIST))) == 1
    with pytest.raises(UsageError, match=r"1 file that looks like an image: .*photo"):
        list(read([str(tmp_path)], MNIST))
    save(tmp_path / "good.png", digit())
    unread: list[str] = []
    assert len(list(read([str(tmp_path)], MNIST, unread=unread))) == 1
    assert unread == [str(tmp_path / "photo")]


def test_a_path_that_cannot_be_read_does_not_keep_the_others(tmp_path):
    good = save(tmp_path / "good.png", digit())
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "a.yaml").write_text("name: a\n")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n")
    words = {"none.png": "there is no file", "empty": "has no images", "pipe": "neither",
             "gone.png": "there is no file", "a.yaml": "is a spec, not an image",
             "broken.png": "broken.png", "x" * 300: "cannot read"}  # fmt: skip
    for name, expected in words.items():
        path = str(tmp_path / name)
        failures: list[Failure] = []
        (found,) = read([path, good], MNIST, failures=failures)
        assert found.name == good
        assert [each.name for each in failures] == [path]
        assert expected in failures[0].error.message
        # Alone there is nothing to go on with, and in a library nothing is passed over.
        for alone in ({"failures": []}, {}) if name != "broken.png" else ():
            with pytest.raises(UsageError, match=expected):
                list(read([path, *([good] if not alone else [])], MNIST, **alone))


def test_networks_that_take_no_pictures(tmp_path):
    path = save(tmp_path / "a.png", digit())
    with pytest.raises(UsageError, match=r"784 numbers, which is no picture"):
        list(read([path], Look((784,))))
    np.save(tmp_path / "a.npy", np.zeros(784, np.uint8))
    assert one(str(tmp_path / "a.npy"), Look((784,))).x.shape == (784,)
    assert one(path, Look((28, 28))).x.shape == (28, 28)


def test_standard_input(monkeypatch):
    class Stdin:
        def __init__(self, data):
            self.buffer = io.BytesIO(data)

        def isatty(self):
            return False

    file = io.BytesIO()
    Image.fromarray(digit()).save(file, "PNG")
    monkeypatch.setattr("sys.stdin", Stdin(file.getvalue()))
    found = one("-")
    assert found.name == "standard input"
    np.testing.assert_array_equal(found.x[..., 0], digit())
    monkeypatch.setattr("sys.stdin", Stdin(b""))
    with pytest.raises(UsageError, match="nothing came"):
        one("-")
