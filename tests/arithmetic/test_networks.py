"""The networks of the textbooks, worked out by hand, and how the figures come about."""

from __future__ import annotations

import pytest
from counting import calls

from cnnctl.arithmetic import Trace
from cnnctl.specs.components import Component

from .twin import facts, layer


def conv(filters: int, size: int, **more: object) -> Component:
    return layer("Conv2D", filters=filters, kernel_size=size, **more)


def dense(*units: int) -> list[Component]:
    return [layer("Flatten"), *(layer("Dense", units=each) for each in units)]


def pool(size: int = 2) -> Component:
    return layer("MaxPooling2D", pool_size=size)


def parameters(traced: Trace) -> list[int]:
    return [each.parameters for each in traced.layers if each.parameters]


NETWORKS = {
    "mnist": ((28, 28, 1), [conv(32, 5, padding="same"), pool(), conv(64, 5, padding="same"),
                            pool(), *dense(1024, 10)],
              [832, 51_264, 3_212_288, 10_250], 3_274_634),
    "softmax": ((28, 28, 1), dense(10), [7_850], 7_850),
    "sigmoid": ((28, 28, 1), dense(200, 100, 60, 30, 10),
                [157_000, 20_100, 6_060, 1_830, 310], 185_300),
    "book": ((28, 28, 1), [conv(32, 3), pool(), conv(64, 3), pool(), conv(64, 3), *dense(64, 10)],
             [320, 18_496, 36_928, 36_928, 650], 93_322),
    "cifar10": ((32, 32, 3), [conv(16, 2, padding="same"), pool(), conv(32, 2, padding="same"),
                              pool(), conv(64, 2, padding="same"), pool(),
                              layer("Dropout", rate=0.3), *dense(500, 10)],
                [208, 2_080, 8_256, 512_500, 5_010], 528_054),
    "lenet": ((32, 32, 3), [conv(6, 5), pool(), conv(16, 5), pool(), *dense(120, 84, 10)],
              [456, 2_416, 48_120, 10_164, 850], 62_006),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_layer_by_layer(name: str) -> None:
    shape, layers, each, total = NETWORKS[name]
    traced = facts(shape, *layers)
    assert parameters(traced) == each
    assert (traced.total, traced.trainable, traced.non_trainable) == (total, total, 0)
    assert traced.output_shape == (10,)


def test_vgg16_has_the_published_parameters_and_multiply_adds() -> None:
    """138,357,544 parameters (keras.applications), 15.5 G multiply-adds (Simonyan 2014 ff.)."""
    layers: list[Component] = []
    for count, filters in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        layers += [*[conv(filters, 3, padding="same")] * count, pool()]
    traced = facts((224, 224, 3), *layers, *dense(4096, 4096, 1000))
    assert traced.total == 138_357_544
    assert traced.macs == 15_470_264_320


def test_figures_come_with_their_formulas() -> None:
    traced = facts((28, 28, 1), *NETWORKS["mnist"][1])
    texts = [{each.quantity: each.text for each in facts.formulas} for facts in traced.layers]
    assert texts[0] == {
        "height": "⌈28/1⌉ = 28",
        "width": "⌈28/1⌉ = 28",
        "parameters": "5·5·1·32 + 32 = 832",
        "macs": "28·28·5·5·1·32 = 627,200",
        "memory": "28·28·32·4 = 100,352",
        "receptive_field": "1 + (5 − 1)·1 = 5",
        "receptive_start": "0 − 2·1 = −2",
    }
    assert texts[1]["height"] == "⌊(28 − 2)/2⌋ + 1 = 14"
    assert texts[2]["parameters"] == "5·5·32·64 + 64 = 51,264"
    assert texts[4] == {"units": "7·7·64 = 3,136", "memory": "3136·4 = 12,544"}
    assert texts[5]["parameters"] == "3136·1024 + 1024 = 3,212,288"


@pytest.mark.parametrize(
    ("made", "quantity", "text"),
    [
        (conv(8, 3), "height", "⌊(28 − 3)/1⌋ + 1 = 26"),
        (conv(8, 3, dilation_rate=2), "height", "⌊(28 − 2·(3 − 1) − 1)/1⌋ + 1 = 24"),
        (conv(8, 3, padding="same", strides=2), "width", "⌈28/2⌉ = 14"),
        (conv(8, 3, use_bias=False), "parameters", "3·3·4·8 = 288"),
        (conv(8, 3, groups=2), "parameters", "3·3·2·8 + 8 = 152"),
        (layer("BatchNormalization"), "parameters", "2·4 = 8"),
        (layer("BatchNormalization"), "non_trainable", "2·4 = 8"),
        (layer("BatchNormalization", scale=False), "parameters", "4"),
        (layer("ZeroPadding2D", padding=[[1, 2], [0, 0]]), "height", "1 + 28 + 2 = 31"),
        (layer("Cropping2D", cropping=[3, 0]), "height", "28 − 3 − 3 = 22"),
        (layer("UpSampling2D", size=3), "width", "28·3 = 84"),
        (layer("Conv2DTranspose", filters=2, kernel_size=3, strides=2), "height",
         "(28 − 1)·2 + 3 = 57"),
        (layer("Reshape", target_shape=[-1, 4]), "-1", "3,136/4 = 784"),
        (layer("SeparableConv2D", filters=8, kernel_size=3), "parameters",
         "3·3·4·1 + 1·1·4·8 + 8 = 76"),
    ],
)  # fmt: skip
def test_formulas(made: Component, quantity: str, text: str) -> None:
    traced = facts((28, 28, 4), made)
    assert text in [each.text for each in traced.layers[0].formulas if each.quantity == quantity]


def test_frozen_layers_and_moving_averages_are_not_trainable() -> None:
    traced = facts(
        (8, 8, 3),
        conv(4, 3, trainable=False),
        layer("BatchNormalization"),
        layer("BatchNormalization", trainable=False),
    )
    assert [each.trainable for each in traced.layers] == [0, 8, 0]
    assert [each.non_trainable for each in traced.layers] == [112, 8, 16]
    assert (traced.trainable, traced.non_trainable, traced.total) == (8, 136, 144)


def test_memory_is_four_bytes_a_value() -> None:
    traced = facts((28, 28, 1), conv(32, 3), pool())
    assert [each.memory for each in traced.layers] == [26 * 26 * 32 * 4, 13 * 13 * 32 * 4]
    assert sum(each.memory for each in traced.layers) == 108_160


@pytest.mark.parametrize(
    ("shape", "made", "macs"),
    [
        ((9, 9, 4), conv(8, 3, groups=2), 7 * 7 * 9 * 2 * 8),
        ((9, 9, 4), layer("DepthwiseConv2D", kernel_size=3, depth_multiplier=2), 7 * 7 * 9 * 8),
        ((9, 9, 4), layer("SeparableConv2D", filters=5, kernel_size=3), 49 * 9 * 4 + 49 * 4 * 5),
        ((9, 9, 4), layer("Conv2DTranspose", filters=5, kernel_size=3, strides=2), 81 * 9 * 4 * 5),
        ((9, 9, 4), layer("Dense", units=5), 81 * 4 * 5),
        ((9, 4), layer("LSTM", units=5), 9 * (4 * 20 + 5 * 20)),
        ((9, 4), layer("EinsumDense", equation="abc,cd->abd", output_shape=[9, 5]), 9 * 4 * 5),
        ((9, 4), layer("TimeDistributed", layer=layer("Dense", units=5)), 9 * 4 * 5),
        ((9, 9, 4), layer("MaxPooling2D"), 0),
        ((9, 9, 4), layer("BatchNormalization"), 0),
    ],
)
def test_multiply_adds(shape: tuple[int, ...], made: Component, macs: int) -> None:
    assert facts(shape, made).macs == macs


def test_multiply_adds_of_self_attention() -> None:
    """Four projections of 6·8·(2·3), scores and sums of 6·6·(2·3) each."""
    traced = facts((6, 8), layer("MultiHeadAttention", ["input", "input"], num_heads=2, key_dim=3))
    assert traced.macs == 4 * 6 * 8 * 6 + 2 * 6 * 6 * 6


def test_the_work_grows_with_the_layers_and_no_faster() -> None:
    def layers(count: int) -> list[Component]:
        return [conv(4, 3, padding="same")] * count

    few, many = (calls(lambda n=n: facts((16, 16, 3), *layers(n))) for n in (100, 1000))
    assert many < 11 * few
    traced = facts((16, 16, 3), *layers(1000))
    assert traced.layers[-1].receptive_field is not None
    assert traced.layers[-1].receptive_field[0].size == 2001
