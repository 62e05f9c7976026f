"""Made pictures of X's and O's, held against pictures drawn by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnctl.data import load, normalization
from cnnctl.data.dataset import Dataset
from cnnctl.errors import DataError

# The lecture's X, and a ring of the same size.
X = """
.........
.#.....#.
..#...#..
...#.#...
....#....
...#.#...
..#...#..
.#.....#.
.........
"""
O = """
.........
...###...
..#...#..
.#.....#.
.#.....#.
.#.....#.
..#...#..
...###...
.........
"""  # noqa: E741


def drawn(text: str) -> np.ndarray:
    rows = text.split()
    return np.array([[255 if c == "#" else 0 for c in row] for row in rows], np.uint8)


def xo(**arguments: Any) -> Dataset:
    return load("xo", arguments, base=Path())


def test_the_canonical_pictures() -> None:
    data = xo(count=10, test_count=4)
    assert data.class_names == ("x", "o")
    assert data.train.x.shape == (10, 9, 9, 1)
    assert np.bincount(data.train.y).tolist() == [5, 5]
    for image, label in zip(data.train.x, data.train.y, strict=True):
        np.testing.assert_array_equal(image[:, :, 0], drawn(O if label else X))


def test_signed_gives_the_lectures_numbers() -> None:
    train = xo(count=2).train
    values = normalization("signed", train).apply(train.x)
    assert set(values.reshape(-1).tolist()) == {-1.0, 1.0}


def test_a_seed_makes_the_same_pictures_and_another_one_others() -> None:
    options = {"count": 50, "rotate": 30, "noise": 0.1, "translate": 1}
    assert xo(**options).fingerprint == xo(**options).fingerprint
    assert xo(**options).fingerprint != xo(**options, seed=1).fingerprint


def test_the_test_pictures_are_not_the_training_pictures() -> None:
    data = xo(count=20, test_count=20, rotate=180)
    assert data.test is not None
    assert not np.array_equal(data.train.x, data.test.x)
    assert xo(test_count=0).test is None


def test_translation_moves_whole_pixels() -> None:
    data = xo(count=300, translate=1)
    moved = {
        np.roll(drawn(X), (down, right), axis=(0, 1)).tobytes()
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }
    seen = {image.tobytes() for image in data.train.x[data.train.y == 0]}
    assert seen == moved  # the figure leaves a margin of one pixel, so that rolling is moving


def test_a_thicker_pen_covers_the_thinner_one() -> None:
    thin, thick = xo(count=4).train.x, xo(count=4, weight=2).train.x
    assert (thick >= thin).all()
    assert thick.sum() > 1.5 * thin.sum()


def test_turning_by_any_angle_keeps_the_stroke_whole() -> None:
    """A stroke of thickness 1 has ink in nearly each of the rows or columns that it crosses."""
    data = xo(count=200, rotate=180)
    ink = (data.train.x > 0).sum(axis=(1, 2, 3))
    assert ink.min() >= 9
    assert ink.max() <= 28


def test_scaling_changes_the_amount_of_ink() -> None:
    data = xo(count=200, scale=0.3)
    rings = data.train.x[data.train.y == 1]
    ink = (rings > 0).sum(axis=(1, 2, 3))
    # a ring of radius r and thickness 1 covers about 2πr pixels: r from 2.1 to 3.9
    assert 2 * np.pi * 2.1 - 4 < ink.min() < 2 * np.pi * 2.5
    assert 2 * np.pi * 3.4 < ink.max() < 2 * np.pi * 3.9 + 4


def test_noise_turns_over_that_share_of_pixels() -> None:
    clean, noisy = xo(count=500).train.x, xo(count=500, noise=0.1).train.x
    assert (clean != noisy).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", 0),
        ("weight", 0.5),
        ("noise", 0.6),
        ("rotate", -1),
        ("scale", 1.0),
        ("seed", -1),
        ("translate", 0.5),
        ("noise", float("nan")),
    ],
)
def test_options_out_of_range(name: str, value: float) -> None:
    with pytest.raises(DataError, match=f"xo: {name} is "):
        xo(**{name: value})
