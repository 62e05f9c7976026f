"""Which layer an operation that TensorFlow names belongs to."""

import pytest

from cnnctl.network.failures import _names_in


@pytest.mark.parametrize(("node", "layer"), [
    ("net/conv2d/Relu", "conv2d"),
    ("net/conv2d_1/Relu", "conv2d_1"),
    ("net_1/conv2d_1/Relu", "conv2d"),
    ("net_1/conv2d_1_2/Relu", "conv2d_1"),
    ("while/body/_1/while/net_3/conv2d_2_1/Relu", "conv2d_2"),
    ("gradient_tape/while/net_3/stem_1/convolution", "stem"),
    ("network_1/conv2d_1/Relu", None),
    ("while/conv2d/Relu", None),
])  # fmt: skip
def test_the_names_of_scopes_that_are_opened_again(node, layer):
    layers = {"conv2d", "conv2d_1", "conv2d_2", "stem"}
    assert next((name for name in _names_in(node, "net") if name in layers), None) == layer
