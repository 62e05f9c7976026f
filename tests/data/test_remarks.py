"""What is said of data that fits and may not be meant."""

from __future__ import annotations

import numpy as np
import pytest

from cnnctl.data.dataset import Split, make_dataset
from cnnctl.data.remarks import channels_first, dim_pixels


@pytest.mark.parametrize(("most", "dtype", "fix"), [
    (1, np.uint8, "none"), (16, np.uint8, "standard"), (31, np.uint8, "standard"),
    (4095, np.uint16, "standard"), (1, np.uint16, "none"),
])  # fmt: skip
def test_images_that_would_be_almost_black(most: int, dtype: type, fix: str) -> None:
    x = np.zeros((3, 4, 4), dtype)
    x[2, 3, 3] = most
    data = make_dataset("d", "a test", Split(x, np.zeros(3, np.int64)))
    for kind in ("unit", "signed"):
        (note,) = dim_pixels(data, kind)
        assert f"the largest pixel is {most}" in note
        assert note.endswith(f"Write `normalize: {fix}`")
    assert dim_pixels(data, "standard") == dim_pixels(data, "none") == ()
    x[1] = np.iinfo(dtype).max
    assert dim_pixels(data, "unit") == ()


@pytest.mark.parametrize(("shape", "is_said"), [
    ((3, 32, 32), True), ((1, 28, 28), True), ((3, 224, 160), True),
    ((32, 32, 3), False), ((28, 28), False), ((3, 3, 3), False), ((3, 32, 3), False),
    ((8, 32, 32), False), ((784,), False),
])  # fmt: skip
def test_channels_in_front(shape: tuple[int, ...], is_said: bool) -> None:
    note = channels_first(np.zeros((2, *shape), np.uint8))
    assert bool(note) == is_said
    assert not is_said or "x.transpose(0, 2, 3, 1)" in (note or "")
