"""Reading `.npz` files, sound and unsound."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnctl.data.npz import load_npz
from cnnctl.errors import DataError


def write(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        out, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return out.getvalue()


X = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
Y = np.array([[1], [0]], np.uint8)


def test_keras_layout(tmp_path: Path) -> None:
    path = write(
        tmp_path / "mine.npz", x_train=X, y_train=Y, x_test=X[:1], y_test=Y[:1], x_val=X, y_val=Y
    )
    data = load_npz(path)
    assert data.name == "mine"
    np.testing.assert_array_equal(data.train.x, X)
    assert data.train.y.tolist() == [1, 0]
    assert data.test is not None
    assert data.test.x.shape == (1, 4, 3)
    assert data.validation is not None
    assert data.pixel_range == (0, 255)
    assert data.notes == ()


@pytest.mark.parametrize("compressed", [True, False])
def test_any_order_and_dtype_reads_as_numpy_reads_it(tmp_path: Path, compressed: bool) -> None:
    arrays = {
        "x_train": np.asfortranarray(np.random.RandomState(0).rand(5, 3, 2)),
        "y_train": np.array([0.5, 1, 2, 3, 4], ">f8"),
    }
    path = tmp_path / "a.npz"
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    data = load_npz(path)
    assert data.train.x.dtype == np.float32
    np.testing.assert_array_equal(data.train.x, arrays["x_train"].astype(np.float32))
    assert data.train.y.dtype == np.float32
    np.testing.assert_array_equal(data.train.y, arrays["y_train"])
    assert data.class_names == ()


def test_other_arrays_are_named_in_a_note(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", x_train=X, y_train=Y, secret=np.array([{}], object))
    assert load_npz(path).notes == ("a.npz: not read: secret",)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": X}, "has no array `y_train`"),
        ({"images": X}, "has no array `x_train`"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "has no array `y_test`"),
        ({"x_train": X, "y_train": np.array([{}, {}], object)}, r"Python objects \(a pickle\)"),
        ({"x_train": X.astype(str), "y_train": Y}, "holds values of type <U"),
        ({"x_train": X, "y_train": np.zeros((2, 2, 2), int)}, "expected class numbers"),
        ({"x_train": X[:, 0, 0], "y_train": Y}, r"has shape \(2,\)"),
        ({"x_train": X.astype(complex), "y_train": Y}, "complex"),
    ],
)
def test_what_is_no_data_set(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_npz(write(tmp_path / "a.npz", **arrays))


def test_a_missing_file_a_folder_and_another_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("not an archive")
    for name, message in (("nowhere.npz", "no file"), (".", "no file"), ("text.npz", "damaged")):
        with pytest.raises(DataError, match=message):
            load_npz(tmp_path / name)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.npz", x_train=X, y_train=Y).read_bytes()
    path = tmp_path / "cut.npz"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            load_npz(path)


def test_a_changed_pixel_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", x_train=X, y_train=Y)
    content = path.read_bytes()
    assert content.count(X.tobytes()) == 1
    path.write_bytes(content.replace(X.tobytes(), X[::-1].tobytes()))
    with pytest.raises(DataError, match="damaged"):
        load_npz(path)


@pytest.mark.parametrize(
    "member",
    [
        header((10**12,)),  # declares a terabyte
        header((2, 4, 3)) + bytes(5),
        header((-2, 4)) + bytes(8),
        header((2, 4, 3)) + bytes(100),
        b"\x93NUMPY\x09\x00" + bytes(50),
        b"\x93NUMPY\x01\x00\x10\x27" + b"-" * 9999 + b"1",
        b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000,
        b"",
    ],
)
def test_declared_sizes_are_not_believed(tmp_path: Path, member: bytes) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", member)
        archive.writestr("y_train.npy", header((2,)) + bytes(2))
    with pytest.raises(DataError, match="damaged"):
        load_npz(path)


def test_more_than_memory_is_refused_before_it_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.npz", x_train=X, y_train=Y)
    content = bytearray(path.read_bytes())
    # the central directory's sizes of the first member: 4 GiB is the most that 32 bits can say
    directory = content.index(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (0xFFFFFFFE).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataError):
        load_npz(path)


def test_a_long_header_is_not_given_to_numpy(tmp_path, monkeypatch):
    """NumPy reads and decodes a header of any length, and then advises `allow_pickle=True`."""
    import io
    import struct

    from cnnctl.data.npz import read_array

    read = []
    monkeypatch.setattr("numpy.lib.format.read_array_header_2_0", lambda file: read.append(file))
    start = b"\x93NUMPY\2\0"
    for length in (10_001, 1 << 20, 2**32 - 1):
        member = io.BytesIO(start + struct.pack("<I", length) + b" " * 100_000)
        with pytest.raises(DataError, match=f"its header has {length:,} bytes") as caught:
            read_array(member, 1 << 40, "x")
        assert "allow_pickle" not in str(caught.value)
        assert member.tell() < 100
    assert not read


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_version_of_a_header_is_read(version, order):
    import io

    from cnnctl.data.npz import read_array

    array = np.asarray(np.arange(24, dtype=">i2").reshape(2, 3, 4), order=order)
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version)
    size = file.tell()
    file.seek(0)
    assert np.array_equal(read_array(file, size, "x"), array)
