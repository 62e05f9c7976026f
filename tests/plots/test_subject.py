"""Which part of a network each kind of figure draws: networks with weights, and no training."""

import numpy as np
import pytest

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.errors import UsageError  # noqa: E402
from cnnctl.network.build import build  # noqa: E402
from cnnctl.plots.figures import KINDS  # noqa: E402
from cnnctl.plots.subject import Choice, Subject  # noqa: E402
from cnnctl.specs import load  # noqa: E402

SPEC = """
data: {dataset: {xo: {count: 60, test_count: 20}}}
model:
  input_shape: [9, 9, 1]
  layers: LAYERS
"""


def subject(tmp_path, layers, **choice):
    """A network with the weights that it begins with, as a file beside its spec."""
    path, weights = tmp_path / "net.yaml", tmp_path / "net.weights.h5"
    path.write_text(SPEC.replace("LAYERS", f"[{layers}, Dense: {{units: 2, activation: softmax}}]"))
    spec = load(path)
    keras.utils.set_random_seed(1)
    build(spec, (9, 9, 1)).save_weights(weights)
    return Subject(weights, Choice(**choice), spec=spec, device="cpu")


def test_the_filters_of_a_transposed_convolution(tmp_path):
    """Its kernel is (height, width, filters, inputs): 5 filters over the 3 channels before it."""
    found = subject(
        tmp_path,
        "Conv2D: {filters: 3, kernel_size: 3}, "
        "Conv2DTranspose: {filters: 5, kernel_size: 3, name: up}, Flatten",
        layer="up",
    )
    made = KINDS["filters"](found)
    assert "up: 5 filters" in made.get_suptitle()
    kernel = np.asarray(found.loaded.model.get_layer("up").kernel)
    assert kernel.shape == (3, 3, 5, 3)
    tiles = [axis.images[0].get_array() for axis in made.axes if axis.images]
    assert len(tiles) == 5
    for index, tile in enumerate(tiles):  # three inputs: in colours around grey
        np.testing.assert_allclose(tile, kernel[:, :, index] / (2 * abs(kernel).max()) + 0.5)


def test_every_weight_has_its_histogram(tmp_path):
    found = subject(
        tmp_path,
        "Reshape: {target_shape: [9, 9]}, "
        "Bidirectional: {layer: {LSTM: {units: 3, return_sequences: true}}}, "
        "LSTM: {units: 2, return_sequences: true}, LSTM: {units: 2}",
    )
    made = KINDS["histograms"](found)
    titles = [axis.get_title("left").split("  ")[0] for axis in made.axes[::2] if axis.axison]
    weights = found.loaded.model.weights
    assert len(weights) == 6 + 3 + 3 + 2
    assert len(set(titles)) == len(weights)
    for title, weight in zip(titles, weights, strict=True):
        assert title.removesuffix("…") in weight.path
    assert titles[-1].startswith("dense")


@pytest.mark.parametrize(
    ("layers", "rows"),
    [
        ("MaxPooling2D, Flatten", 2),
        ("SeparableConv2D: {filters: 2, kernel_size: 3}, Flatten", 3),
        ("DepthwiseConv2D: {kernel_size: 3}, Flatten", 3),
    ],
)
def test_saliency_with_and_without_a_convolution(tmp_path, layers, rows):
    """Pictures and gradients, and Grad-CAM below them where there is a convolution."""
    made = KINDS["saliency"](subject(tmp_path, layers))
    assert made.axes[0].get_subplotspec().get_gridspec().nrows == rows


def test_saliency_of_a_layer_that_is_named(tmp_path):
    layers = "MaxPooling2D: {name: pool}, Flatten: {name: flat}"
    made = KINDS["saliency"](subject(tmp_path, layers, layer="pool"))
    assert made.axes[0].get_subplotspec().get_gridspec().nrows == 3
    with pytest.raises(UsageError, match="flat has no maps") as raised:
        KINDS["saliency"](subject(tmp_path, layers, layer="flat"))
    assert raised.value.hint.endswith("picture: pool")
    layers = (
        "Conv2D: {filters: 2, kernel_size: 3, name: body}, "
        "GlobalAveragePooling2D: {keepdims: true}, "
        "Conv2D: {filters: 2, kernel_size: 1, name: gate}, Flatten"
    )
    with pytest.raises(UsageError, match=r"gate has no maps .* its output is 1×1×2") as raised:
        KINDS["saliency"](subject(tmp_path, layers, layer="gate"))
    assert raised.value.hint.endswith("picture: body")
    made = KINDS["saliency"](subject(tmp_path, layers))
    assert any("Grad-CAM\nbody" in text.get_text() for axis in made.axes for text in axis.texts)
