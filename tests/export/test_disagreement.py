"""How exports disagree, and the layer found from which on they do."""

import numpy as np
import pytest
from arithmetic.twin import graph, layer

from cnnctl.export.disagreement import disagreement, first_layer

GOOD = np.array([[0.5, 2.0], [1.0, -4.0], [0.0, 0.0]])


@pytest.mark.parametrize(("found", "words"), [
    (GOOD, None),
    (GOOD + 0.3, None),  # the most is 0.1 of the largest output, 4
    (GOOD - 0.5, "an output differs by 0.5, and 0.4 is the most on 3 images"),
    (GOOD.reshape(6, 1), "shape (6, 1) where the network gives (3, 2)"),
    (GOOD * [[1, np.nan], [np.inf, np.nan], [1, 1]], "not finite for 2 of 3 images"),
])  # fmt: skip
def test_what_is_wrong_is_said(found, words):
    why = disagreement(found, GOOD, 0.1)
    assert why is None if words is None else words in why


def test_any_difference_is_taken_where_there_is_no_tolerance():
    assert disagreement(GOOD + 100, GOOD, None) is None
    assert "shape" in disagreement(GOOD[:2], GOOD, None)


CHAIN = graph(*(layer("Dense", units=2, name=f"d{number}") for number in range(30)))
FORK = graph(
    layer("Dense", units=2, name="a"),
    layer("Dense", units=2, name="left"),
    layer("Dense", ["a"], units=2, name="right"),
    layer("Add", ["left", "right"], name="sum"),
    layer("Dense", units=2, name="end"),
)


@pytest.mark.parametrize("network", [CHAIN, FORK], ids=["chain", "fork"])
def test_the_layer_whose_inputs_agree_is_found(network):
    """For each layer in turn: its output is wrong, and all that is computed from it."""
    for bad in network.layers:
        wrong, asked = {bad.name}, []
        for each in network.layers:
            if wrong & set(each.inputs):
                wrong.add(each.name)

        def differs(name, wrong=wrong, asked=asked):
            asked.append(name)
            return name in wrong

        if network.output not in wrong:
            continue
        assert first_layer(network, differs) is bad
        assert len(asked) == len(set(asked)) <= 1 + 2 * len(network.layers).bit_length()


def test_no_layer_is_named_where_none_is_known():
    assert first_layer(CHAIN, lambda name: False) is None
    assert first_layer(CHAIN, lambda name: True, seconds=-1) is None
    assert first_layer(CHAIN, lambda name: 1 / 0) is None
