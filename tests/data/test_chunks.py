"""Rows of an array on the disk are those of the array, wherever in its file they lie."""

import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.data.chunks import chunks, mapping, read_at_random, rows_of


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same numbers in memory and in a file, behind a head of an odd length."""
    array = np.random.default_rng(0).integers(0, 256, (301, 31, 17, 3), np.uint8)
    path = tmp_path_factory.mktemp("rows") / "rows"
    path.write_bytes(b"?" * 101 + array.tobytes())
    mapped = np.memmap(path, np.uint8, "r", 101, array.shape)
    return array, np.ndarray(array.shape, np.uint8, mapped)


@given(
    numbers=st.lists(st.integers(0, 99), max_size=40),
    start=st.integers(0, 200),
    at_random=st.booleans(),
)
def test_rows_of_a_part_in_any_order(both, numbers, start, at_random):
    array, mapped = both
    part = mapped[start : start + 100]
    assert mapping(part) is not None
    if at_random:
        read_at_random(part)
    wanted = np.array(numbers, np.int64)
    found = rows_of(part, wanted)
    assert mapping(found) is None
    assert np.array_equal(found, array[start : start + 100][wanted])
    assert np.array_equal(rows_of(array[start:], wanted), array[start:][wanted])


def test_the_pages_that_are_asked_for_are_those_of_the_rows(both, monkeypatch):
    array, mapped = both
    asked = []

    class Spy:
        """The mapping, which notes what it is asked."""

        def __init__(self, real):
            self.real = real

        def madvise(self, option, start, length):
            asked.append((option, start, length))
            self.real.madvise(option, start, length)

        def __buffer__(self, flags):
            return memoryview(self.real)

    size = array[0].nbytes
    whole = mapping(mapped)
    if not hasattr(mmap, "MADV_WILLNEED"):
        pytest.skip("this system cannot be asked")
    spied = Spy(whole)
    monkeypatch.setattr("cnnctl.data.chunks.mapping", lambda x: spied)
    monkeypatch.setattr(np, "frombuffer", lambda *_: np.ndarray(len(whole), np.uint8, whole))
    rows_of(mapped[3:], np.array([0, 50, 297]))
    for (option, start, length), row in zip(asked, (3, 53, 300), strict=True):
        first = 101 + row * size
        assert option == mmap.MADV_WILLNEED
        assert start % mmap.PAGESIZE == 0
        assert start <= first < start + mmap.PAGESIZE
        assert start + length == first + size


def test_walking_it_gives_all_of_it(both):
    array, mapped = both
    assert np.array_equal(np.concatenate([rows for _, rows in chunks(mapped, 7)]), array)
