import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.catalog import nearest


@pytest.mark.parametrize(
    ("name", "candidates", "expected"),
    [
        ("kernal_size", ["filters", "kernel_size", "strides"], "kernel_size"),
        ("kernelsize", ["filters", "kernel_size"], "kernel_size"),
        ("CONV2D", ["Conv1D", "Conv2D"], "Conv2D"),
        ("adm", ["Adam", "adam"], "adam"),
        ("Adm", ["adam", "Adam"], "Adam"),
        ("xyzzy", ["filters", "kernel_size"], None),
        ("anything", [], None),
    ],
)
def test_nearest(name, candidates, expected):
    assert nearest(name, candidates) == expected


def test_the_first_of_equals_wins():
    assert nearest("Pool", ["Pool2D", "Pool1D"]) == "Pool2D"


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.data())
def test_a_candidate_is_nearest_to_itself(candidates, data):
    name = data.draw(st.sampled_from(candidates))
    assert nearest(name, candidates) == name


@given(st.text(), st.lists(st.text()))
def test_the_answer_is_a_candidate(name, candidates):
    assert nearest(name, candidates) in [None, *candidates]


def test_many_long_names_cost_little(monkeypatch):
    """At most a few are compared letter by letter, whatever a file names; the likeliest are."""
    import difflib

    compared = []
    ratio = difflib.SequenceMatcher.ratio
    monkeypatch.setattr(
        difflib.SequenceMatcher, "ratio", lambda self: compared.append(1) or ratio(self)
    )
    names = [f"{'a' * 90}{number}" for number in range(100_000)]
    assert nearest("b" * 90, names) is None
    assert nearest("kernal_size", [*names[:300], "kernel_size", *names]) == "kernel_size"
    assert nearest("c" * 60_000, names) is None
    assert len(compared) < 200
