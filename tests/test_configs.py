"""Every shipped spec: checked, built, counted against the sources, and fitted for a step."""

import re

import numpy as np
import pytest
from conftest import CONFIGS

from cnnctl.compute.device import start_device
from cnnctl.preflight import check

SPECS = sorted(CONFIGS.glob("*.yaml"))
"""The networks; the worked examples below them are for `test_inspection`."""

# The counts that the sources print (issue tables; He et al. 2015, table 6, rounds to 0.27 M: the
# exact one is that of nine 3x3 stages without biases, batch normalization and a dense layer).
PARAMETERS = {
    "mnist": 3_274_634,
    "mnist_softmax": 7_850,
    "mnist_sigmoid": 185_300,
    "mnist_dense": 101_770,
    "mnist_book": 93_322,
    "mnist_logits": 93_322,
    "cifar10": 528_054,
    "cifar10_lenet": 62_006,
    # 12·12 positions with 5·5·1·8 + 8 weights each; 12·12·8·64 + 64; 64·10 + 10
    "mnist_local": 144 * (25 * 8 + 8) + (144 * 8 * 64 + 64) + 650,
    # (3·3·1 + 1)·3; (3·3·3 + 1)·3; 3·3·3·2... 7x7 is pooled to 4x4, then to 2x2
    "xo": 30 + 84 + (2 * 2 * 3 * 2 + 2),
}
LAYERS = {
    "cifar10": [208, 2_080, 8_256, 512_500, 5_010],
    "mnist_book": [320, 18_496, 36_928, 36_928, 650],
    "mnist": [832, 51_264, 3_212_288, 10_250],
}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_it_is_built_as_the_arithmetic_says_and_takes_a_step(path):
    from cnnctl.network.build import build, compile_model

    checked = check(path)
    spec, trace = checked.spec, checked.trace
    assert trace is not None
    start_device("cpu", spec.seed)
    model = build(spec, trace.input_shape)
    compile_model(model, spec)
    assert model.count_params() == trace.total
    assert model.output_shape[1:] == trace.output_shape
    by_name = {layer.name: layer for layer in model.layers}
    for facts in trace.layers:
        assert tuple(by_name[facts.name].output.shape[1:]) == facts.output_shape
        assert by_name[facts.name].count_params() == facts.trainable + facts.non_trainable
    rng = np.random.default_rng(0)
    x = rng.random((8, *trace.input_shape), np.float32)
    y = rng.integers(0, trace.output_shape[-1], 8)
    if spec.data.label_mode == "categorical":
        y = np.eye(trace.output_shape[-1], dtype=np.float32)[y]
    before = [np.copy(weight) for weight in model.get_weights()]
    loss = model.fit(x, y, batch_size=8, verbose=0).history["loss"][0]
    assert np.isfinite(loss)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_published_parameter_counts(name):
    trace = check(CONFIGS / f"{name}.yaml").trace
    assert trace.total == PARAMETERS[name]


@pytest.mark.parametrize("name", LAYERS)
def test_the_published_counts_layer_by_layer(name):
    trace = check(CONFIGS / f"{name}.yaml").trace
    counts = [each.trainable for each in trace.layers if each.trainable]
    assert counts == LAYERS[name]


def test_the_book_counts_its_convolutions_apart():
    trace = check(CONFIGS / "mnist_book.yaml").trace
    assert sum(each.trainable for each in trace.layers if each.layer == "Conv2D") == 55_744


def test_resnet_has_the_parameters_of_resnet_20():
    """16-16·6, 16-32, 32·5, 32-64, 64·5 convolutions of 3x3 without bias, their batch
    normalizations (2 trainable and 2 moving figures a channel), and 64·10 + 10."""
    convolutions = 9 * (3 * 16 + 6 * 16 * 16 + 16 * 32 + 5 * 32 * 32 + 32 * 64 + 5 * 64 * 64)
    channels = 7 * 16 + 6 * 32 + 6 * 64
    trace = check(CONFIGS / "cifar10_resnet.yaml").trace
    assert trace.trainable == convolutions + 2 * channels + 650 == 269_722
    assert trace.non_trainable == 2 * channels


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_header_says_what_the_network_is(path):
    """Source, command, parameter count, published and measured figure, in the leading comment."""
    header = re.match(r"(#.*\n)+", path.read_text()).group()
    assert f"cnnctl train configs/{path.name}" in header
    count = int(re.search(r"Parameters: ([\d,]+)", header).group(1).replace(",", ""))
    assert count == check(path).trace.total
    for word in ("Source:", "Published:", "Measured:"):
        assert word in header
