"""Which layers stand beside one another, worked out by eye."""

from conftest import CONFIGS

from cnnctl.summary.align import align
from cnnctl.summary.summary import summarize


def letters(lines, index):
    """One network's column: the first letter of each class, `-` where there is none."""
    return "".join(line[index].layer[0] if line[index] else "-" for line in lines)


def rows(name, *overrides):
    return summarize(CONFIGS / f"{name}.yaml", overrides).rows


def test_a_network_beside_itself():
    lines = align([rows("mnist"), rows("mnist")])
    assert all(one == other for one, other in lines)
    assert len(lines) == 7


def test_one_more_convolution():
    """mnist: conv pool conv pool flatten dense dense; the book's has a third convolution."""
    lines = align([rows("mnist"), rows("mnist_book")])
    assert [letters(lines, index) for index in (0, 1)] == ["CMCM-FDD", "CMCMCFDD"]


def test_the_added_layer_is_the_one_that_is_left_over(tmp_path):
    """Between layers that are alike in shape, not merely of one class."""
    path = tmp_path / "more.yaml"
    text = (CONFIGS / "mnist.yaml").read_text()
    old = "    - Conv2D: {filters: 64, kernel_size: 5, padding: same, activation: relu}\n"
    path.write_text(text.replace(old, old.replace("64", "48") + old))
    lines = align([rows("mnist"), summarize(path).rows])
    left_over = [line[1].output_shape for line in lines if line[0] is None]
    assert left_over == [(14, 14, 48)]


def test_the_last_layers_correspond():
    """mnist ends in two Dense layers, xo in one: it is the one that decides."""
    lines = align([rows("mnist"), rows("xo")])
    assert [letters(lines, index) for index in (0, 1)] == ["C-MC-MFDD", "CRMCRMF-D"]


def test_three_networks():
    networks = [rows("mnist"), rows("mnist_softmax"), rows("cifar10")]
    lines = align(networks)
    for index, network in enumerate(networks):
        assert tuple(line[index] for line in lines if line[index]) == network
    assert [row.output_shape for row in lines[-1]] == [(10,)] * 3
    assert all(len({row.layer for row in line if row}) == 1 for line in lines)


def test_no_networks_and_empty_ones():
    assert align([]) == ()
    assert align([(), rows("mnist_softmax")]) == tuple((None, row) for row in rows("mnist_softmax"))
