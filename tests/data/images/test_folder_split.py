"""The rule that splits a folder without split folders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.data.images.folder_split import SplitRule, split_rule
from cnnctl.errors import DataError


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        # by hand: a tenth, rounded half up, but one of each from three images on
        (1, (1, 0, 0)),
        (2, (2, 0, 0)),
        (3, (1, 1, 1)),
        (4, (2, 1, 1)),
        (10, (8, 1, 1)),
        (14, (12, 1, 1)),
        (15, (11, 2, 2)),
        (100, (80, 10, 10)),
        (1000, (800, 100, 100)),
    ],
)
def test_counts(count: int, expected: tuple[int, int, int]) -> None:
    assert SplitRule().counts(count) == expected


def test_counts_without_validation() -> None:
    rule = split_rule(holds_out=True)
    assert [rule.counts(count) for count in (1, 2, 20)] == [(1, 0, 0), (1, 0, 1), (18, 0, 2)]
    assert split_rule([1, 0, 0]).counts(5) == (5, 0, 0)


def test_at_least_one_image_of_a_class_is_trained_on() -> None:
    assert split_rule([0.1, 0.5, 0.4]).counts(3) == (1, 1, 1)
    assert split_rule([0.02, 0.49, 0.49]).counts(4)[0] >= 1


@given(st.integers(1, 300), st.integers(0, 3), st.floats(0, 0.4), st.floats(0, 0.4))
def test_each_image_is_in_one_split(count: int, seed: int, validation: float, test: float) -> None:
    rule = SplitRule((1 - validation - test, validation, test), seed)
    names = [f"{number}.png" for number in range(count)]
    parts = rule.divide("a", names)
    assert sorted(index for part in parts for index in part) == list(range(count))
    assert tuple(map(len, parts)) == rule.counts(count)
    assert parts == rule.divide("a", names)


def test_seed_class_and_names_decide() -> None:
    names = [f"{number}.png" for number in range(50)]
    base = SplitRule().divide("a", names)
    assert SplitRule(seed=1).divide("a", names) != base
    assert SplitRule().divide("b", names) != base
    # Images that come later move few of those that were there: a test image stays one, or is
    # pushed out by a new one.
    more = SplitRule().divide("a", [*names, "new.png"])
    assert len(set(base[2]) - set(more[2])) <= 1
    # Another part for validation leaves the test images as they are.
    assert split_rule([0.7, 0.2, 0.1]).divide("a", names)[2] == base[2]


def test_percentages_are_fractions() -> None:
    assert split_rule([80, 10, 10]).parts == (0.8, 0.1, 0.1)
    assert split_rule([70, 15, 15]).to_dict() == {"split": [0.7, 0.15, 0.15], "split_seed": 0}


@pytest.mark.parametrize(
    "parts", [[0.8, 0.1, 0.2], [8, 1, 1], [0, 0.5, 0.5], [1.2, -0.1, -0.1], [0.9, 0.1]]
)
def test_parts_that_do_not_add_up(parts: list[float]) -> None:
    with pytest.raises(DataError, match="add up to 1"):
        split_rule(parts)
