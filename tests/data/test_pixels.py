"""Which numbers pixels are: what is recorded, and what is made of it."""

import json

import numpy as np
import pytest

from cnnctl.data.pixels import BYTES, UNIT, Pixels


@pytest.mark.parametrize(("x", "known"), [
    (np.array([[0, 1]], np.uint8), BYTES),
    (np.array([[0, 1]], np.float32), UNIT),
    (np.array([[0.25, 200.5]], np.float32), BYTES),
    (np.array([[-1, 1]], np.float32), (-1, 1)),
    (np.array([[0, 256]], np.float32), (0, 256)),
])  # fmt: skip
def test_ranges(x, known):
    recorded = json.loads(json.dumps(Pixels.of(x).to_dict()))
    ends = (0, 255) if x.dtype == np.uint8 else (x.min(), x.max())
    assert tuple(recorded.values()) == (str(x.dtype), *ends)
    assert Pixels.from_dict(recorded).range == known


def test_every_picture_is_looked_at():
    x = np.zeros((3_000, 28, 28), np.float32)  # more than is looked at at once
    x[0, 0, 0], x[-1, -1, -1] = -7, 9
    assert Pixels.of(x).range == (-7, 9)


@pytest.mark.parametrize("values", [
    None, [], "uint8", {}, {"dtype": "float32", "least": "a", "most": 1},
    {"dtype": "float32", "least": 2, "most": 1}, {"dtype": "f", "least": 0, "most": float("nan")},
    {"dtype": "f", "least": 0, "most": float("inf")}, {"dtype": "f", "least": 10**400, "most": 1},
])  # fmt: skip
def test_a_record_that_is_none(values):
    assert Pixels.from_dict(values) is None
