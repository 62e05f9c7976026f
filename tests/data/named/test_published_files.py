"""The published layouts: IDX and CIFAR's binary version, made by hand and read back."""

from __future__ import annotations

import dataclasses
import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from cnnctl.data.named.published_files import is_published, read_cifar, read_idx, split_sha256
from cnnctl.data.named.sources import SOURCES, Source
from cnnctl.errors import DataError
from data.conftest import idx

CIFAR10 = dataclasses.replace(SOURCES["cifar10"], train=10, test=3)
CIFAR100 = dataclasses.replace(SOURCES["cifar100"], train=4, test=3)
FASHION = dataclasses.replace(SOURCES["fashion_mnist"], train=3, test=2)


def record(*labels: int, red: int, green: int, blue: int) -> bytes:
    """A picture of one colour, but for a last pixel of 255, 254, 253."""
    planes = [
        bytes([value]) * 1023 + bytes([255 - k]) for k, value in enumerate((red, green, blue))
    ]
    return bytes(labels) + b"".join(planes)


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def cifar10_members() -> dict[str, bytes]:
    members = {
        f"cifar-10-batches-bin/data_batch_{i}.bin": b"".join(
            record(2 * i - 2 + k, red=i, green=k, blue=9) for k in range(2)
        )
        for i in range(1, 6)
    }
    members["cifar-10-batches-bin/readme.html"] = b"<html>"
    members["cifar-10-batches-bin/test_batch.bin"] = record(7, red=1, green=2, blue=3) * 3
    return dict(reversed(members.items()))


def test_cifar10(tmp_path: Path) -> None:
    train, test = read_cifar(CIFAR10, archive(tmp_path / "c.tar.gz", cifar10_members()))
    assert train.x.shape == (10, 32, 32, 3)
    assert train.x.dtype == np.uint8
    assert train.y.tolist() == list(range(10))
    assert train.x[5, 0, 0].tolist() == [3, 1, 9]
    assert train.x[5, 31, 30].tolist() == [3, 1, 9]
    assert train.x[5, 31, 31].tolist() == [255, 254, 253]
    assert test.y.tolist() == [7, 7, 7]
    assert test.x[0, 0, 0].tolist() == [1, 2, 3]


def test_cifar100_has_two_labels(tmp_path: Path) -> None:
    members = {
        "cifar-100-binary/train.bin": record(11, 98, red=1, green=2, blue=3) * 4,
        "cifar-100-binary/test.bin": record(3, 4, red=1, green=2, blue=3) * 3,
    }
    path = archive(tmp_path / "c.tar.gz", members)
    fine, _ = read_cifar(CIFAR100, path)
    coarse, test = read_cifar(CIFAR100, path, coarse=True)
    assert fine.y.tolist() == [98] * 4
    assert coarse.y.tolist() == [11] * 4
    assert test.y.tolist() == [3] * 3
    np.testing.assert_array_equal(fine.x, coarse.x)
    assert fine.x[0, 0, 0].tolist() == [1, 2, 3]


def test_a_cifar_archive_that_lacks_a_part_or_is_damaged(tmp_path: Path) -> None:
    members = cifar10_members()
    path = archive(tmp_path / "c.tar.gz", members)
    whole = path.read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError, match=r"damaged|missing"):
            read_cifar(CIFAR10, path)
    members["cifar-10-batches-bin/data_batch_4.bin"] += b"!"
    with pytest.raises(DataError, match=r"data_batch_4\.bin is missing or not of its size"):
        read_cifar(CIFAR10, archive(path, members))


def test_idx(tmp_path: Path) -> None:
    paths = write_idx(tmp_path, FASHION)
    train, test = read_idx(FASHION, paths)
    assert train.x.shape == (3, 28, 28)
    assert train.x[2, 1, 0] == (2 * 784 + 28) % 256
    assert train.y.tolist() == [0, 1, 2]
    assert test.x.shape == (2, 28, 28)


def test_idx_of_another_size_or_damaged(tmp_path: Path) -> None:
    paths = write_idx(tmp_path, FASHION)
    more = dataclasses.replace(FASHION, train=4)
    with pytest.raises(DataError, match="expected IDX data of shape"):
        read_idx(more, paths)
    paths[0].write_bytes(paths[0].read_bytes()[:-3])
    with pytest.raises(DataError, match="is damaged"):
        read_idx(FASHION, paths)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    paths = write_idx(tmp_path, FASHION)
    paths[1].write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(DataError, match="is not fashion_mnist's"):
        read_idx(FASHION, paths)


def write_idx(folder: Path, source: Source) -> tuple[Path, ...]:
    paths = []
    for file, count in zip(source.files, (source.train,) * 2 + (source.test,) * 2, strict=True):
        path = folder / file.path
        path.parent.mkdir(exist_ok=True)
        shape = (count, 28, 28) if "images" in file.path else (count,)
        array = (np.arange(np.prod(shape)) % 256).astype(np.uint8).reshape(shape)
        path.write_bytes(idx(array))
        paths.append(path)
    return tuple(paths)


def test_the_sum_of_a_split_is_that_of_the_publisher_s_bytes(tmp_path: Path) -> None:
    import hashlib

    members = cifar10_members()
    train, test = read_cifar(CIFAR10, archive(tmp_path / "c.tar.gz", members))
    batches = [members[f"cifar-10-batches-bin/data_batch_{i}.bin"] for i in range(1, 6)]
    train_sum = hashlib.sha256(b"".join(batches)).hexdigest()
    test_sum = hashlib.sha256(members["cifar-10-batches-bin/test_batch.bin"]).hexdigest()
    assert split_sha256(CIFAR10, train) == train_sum
    known = dataclasses.replace(CIFAR10, train_sha256=train_sum, test_sha256=test_sum)
    assert is_published(known, train, test) is True
    assert is_published(CIFAR10, train, test) is False
    assert is_published(CIFAR100, train, test) is None
