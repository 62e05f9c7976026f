"""Every layer of the catalog, in its more and less usual forms, against Keras itself."""

from __future__ import annotations

from typing import Any

import pytest

from cnnctl.arithmetic import known
from cnnctl.catalog import load

from .twin import cell, differences, graph, layer

IMAGE = (9, 8, 6)
FIRST = "channels_first"
NORMALIZERS = ("BatchNormalization", "LayerNormalization", "GroupNormalization")

ONE: dict[str, list[tuple[tuple[int, ...], dict[str, Any]]]] = {
    "Conv1D": [
        ((9, 4), {"filters": 6, "kernel_size": 3}),
        ((9, 4), {"filters": 6, "kernel_size": [4], "padding": "causal", "strides": 2}),
        ((9, 4), {"filters": 6, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}),
        ((4, 9), {"filters": 6, "kernel_size": 2, "data_format": FIRST, "groups": 2}),
    ],
    "Conv2D": [
        (IMAGE, {"filters": 4, "kernel_size": [3, 2], "strides": [2, 3], "use_bias": False}),
        (IMAGE, {"filters": 4, "kernel_size": 3, "padding": "SAME", "strides": 2, "groups": 2}),
        (IMAGE, {"filters": 4, "kernel_size": 3, "dilation_rate": [2, 3]}),
        (IMAGE, {"filters": 4, "kernel_size": 3, "trainable": False}),
        (IMAGE, {"filters": 4, "kernel_size": 3, "data_format": FIRST, "padding": "same"}),
    ],
    "Conv3D": [
        ((5, 6, 7, 2), {"filters": 3, "kernel_size": 2, "strides": [1, 2, 3]}),
        ((2, 5, 6, 7), {"filters": 4, "kernel_size": 3, "data_format": FIRST, "groups": 2}),
    ],
    "DepthwiseConv1D": [((9, 4), {"kernel_size": 3, "depth_multiplier": 2, "strides": 2})],
    "DepthwiseConv2D": [
        (IMAGE, {"kernel_size": 3, "depth_multiplier": 3, "padding": "same", "strides": 2}),
        (IMAGE, {"kernel_size": 2, "data_format": FIRST, "use_bias": False}),
        (IMAGE, {"kernel_size": 2, "dilation_rate": 2}),
    ],
    "SeparableConv1D": [((9, 4), {"filters": 5, "kernel_size": 3, "depth_multiplier": 2})],
    "SeparableConv2D": [
        (IMAGE, {"filters": 5, "kernel_size": 3, "depth_multiplier": 2, "strides": 2}),
        (IMAGE, {"filters": 5, "kernel_size": 3, "data_format": FIRST, "use_bias": False}),
    ],
    "Conv1DTranspose": [
        ((9, 4), {"filters": 6, "kernel_size": 3, "strides": 2}),
        ((9, 4), {"filters": 6, "kernel_size": 2, "strides": 3, "padding": "same"}),
        ((9, 4), {"filters": 6, "kernel_size": 3, "padding": "same", "output_padding": 0}),
    ],
    "Conv2DTranspose": [
        (IMAGE, {"filters": 4, "kernel_size": [2, 3], "strides": [3, 2]}),
        (IMAGE, {"filters": 4, "kernel_size": 3, "strides": 2, "output_padding": [0, 1]}),
        (IMAGE, {"filters": 4, "kernel_size": 4, "strides": 2, "output_padding": 1,
                   "padding": "same"}),
        (IMAGE, {"filters": 4, "kernel_size": 3, "dilation_rate": 2, "data_format": FIRST}),
    ],
    "Conv3DTranspose": [((3, 4, 5, 2), {"filters": 3, "kernel_size": 2, "strides": 2})],
    **{
        f"{kind}Pooling{rank}D": [
            (shape, {"pool_size": 2}),
            (shape, {"pool_size": 3, "strides": 2, "padding": "same"}),
            (shape, {"pool_size": 2, "strides": 1, "data_format": FIRST}),
            *([(shape, {})] if kind == "Max" else []),
        ]
        for kind in ("Max", "Average")
        for rank, shape in ((1, (9, 4)), (2, IMAGE), (3, (5, 6, 7, 4)))
    },
    **{
        f"Global{kind}Pooling{rank}D": [
            (shape, {}), (shape, {"keepdims": True}), (shape, {"data_format": FIRST}),
            (shape, {"data_format": FIRST, "keepdims": True}),
        ]
        for kind in ("Max", "Average")
        for rank, shape in ((1, (9, 4)), (2, IMAGE), (3, (5, 6, 7, 4)))
    },
    **{
        f"Adaptive{kind}Pooling{rank}D": [
            (shape, {"output_size": 3}),
            (shape, {"output_size": [4] * rank, "data_format": FIRST}),
        ]
        for kind in ("Max", "Average")
        for rank, shape in ((1, (9, 4)), (2, IMAGE), (3, (5, 6, 7, 4)))
    },
    "Dense": [
        ((7,), {"units": 3}),
        (IMAGE, {"units": 3, "use_bias": False}),
        ((7,), {"units": 3, "trainable": False}),
    ],
    "EinsumDense": [
        ((7,), {"equation": "ab,bc->ac", "output_shape": 64, "bias_axes": "c"}),
        ((5, 7), {"equation": "abc,cd->abd", "output_shape": [5, 64], "bias_axes": "d"}),
        ((5, 7), {"equation": "abc,cd->abd", "output_shape": [5, 4], "bias_axes": "bd"}),
        ((5, 7), {"equation": "abc,cde->abde", "output_shape": [5, 4, 2], "bias_axes": "d"}),
        ((5, 7), {"equation": "abc,bcd->ad", "output_shape": 4}),
        ((5, 7), {"equation": "...x,xy->...y", "output_shape": 6, "bias_axes": "y"}),
        ((5, 7, 3), {"equation": "ab...,bc->ac...", "output_shape": 6, "bias_axes": "c"}),
    ],
    "Embedding": [((5,), {"input_dim": 11, "output_dim": 4})],
    "ReversibleEmbedding": [
        ((5,), {"input_dim": 11, "output_dim": 4}),
        ((5,), {"input_dim": 11, "output_dim": 4, "tie_weights": False}),
    ],
    "Flatten": [(IMAGE, {}), ((4,), {}), (IMAGE, {"data_format": FIRST})],
    "Reshape": [
        (IMAGE, {"target_shape": [-1, 6]}),
        (IMAGE, {"target_shape": [8, 9, 6]}),
        ((28, 28), {"target_shape": [28, 28, 1]}),
    ],
    "Permute": [(IMAGE, {"dims": [3, 1, 2]}), ((4,), {"dims": [1]})],
    "RepeatVector": [((4,), {"n": 3})],
    **{
        f"{kind}{rank}D": [(shape, {key: form}) for form in forms]
        + ([] if kind == "Cropping" and rank == 1 else [(shape, {"data_format": FIRST})])
        for kind, key in (("ZeroPadding", "padding"), ("Cropping", "cropping"))
        for rank, shape, forms in (
            (1, (9, 8), (1, [0, 2])),
            (2, IMAGE, (2, [1, 2], [[1, 0], [0, 2]])),
            (3, (5, 6, 7, 4), (1, [1, 0, 2], [[1, 0], [0, 2], [1, 1]])),
        )
    },
    "UpSampling1D": [((9, 4), {"size": 3})],
    "UpSampling2D": [
        (IMAGE, {"size": [2, 3]}),
        (IMAGE, {"interpolation": "bilinear", "data_format": FIRST}),
    ],
    "UpSampling3D": [((2, 3, 4, 5), {"size": [1, 2, 3]})],
    "BatchNormalization": [
        (IMAGE, {}),
        (IMAGE, {"axis": 1, "center": False}),
        (IMAGE, {"scale": False, "trainable": False}),
        (IMAGE, {"renorm": True}),
    ],
    "LayerNormalization": [
        (IMAGE, {}), (IMAGE, {"axis": [1, -1], "scale": False}), (IMAGE, {"axis": [3, 2, 1]}),
    ],
    "GroupNormalization": [
        (IMAGE, {"groups": 3}), (IMAGE, {"groups": -1, "center": False}),
        (IMAGE, {"groups": 2, "axis": 2}),
    ],
    "RMSNormalization": [(IMAGE, {}), (IMAGE, {"axis": [-1, -2]})],
    "UnitNormalization": [(IMAGE, {}), (IMAGE, {"axis": [1, 2]})],
    "SpectralNormalization": [
        (IMAGE, {"layer": layer("Conv2D", filters=4, kernel_size=3)}),
        ((7,), {"layer": layer("Dense", units=3, trainable=False)}),
        ((7,), {"layer": layer("Dense", units=3), "trainable": False}),
        ((5,), {"layer": layer("Embedding", input_dim=11, output_dim=4)}),
        (IMAGE, {"layer": layer("Conv2DTranspose", filters=4, kernel_size=3)}),
    ],
    "Normalization": [
        (IMAGE, {}), (IMAGE, {"axis": None}), (IMAGE, {"axis": [1, 3]}),
        (IMAGE, {"mean": 0.5, "variance": 2.0}),
        ((4, 3), {"mean": [0.1, 0.2, 0.3], "variance": [1.0, 1.0, 2.0]}),
    ],
    "PReLU": [(IMAGE, {}), (IMAGE, {"shared_axes": [1, 2]}), (IMAGE, {"shared_axes": [3]})],
    "Softmax": [((7,), {}), (IMAGE, {"axis": [1, 2]})],
    "Activation": [(IMAGE, {"activation": "relu"})],
    **{f"SpatialDropout{n}D": [((4,) * n + (3,), {"rate": 0.2})] for n in (1, 2, 3)},
    **{name: [(IMAGE, {"rate": 0.2})] for name in ("Dropout", "AlphaDropout", "GaussianDropout")},
    "GaussianNoise": [(IMAGE, {"stddev": 0.1})],
    "Rescaling": [(IMAGE, {"scale": 0.5})],
    "CenterCrop": [(IMAGE, {"height": 4, "width": 3}), (IMAGE, {"height": 12, "width": 3})],
    "RandomCrop": [
        ((4, 3, 2), {"height": 4, "width": 3}),
        ((2, 4, 3), {"height": 4, "width": 3, "data_format": FIRST}),
    ],
    "Resizing": [
        (IMAGE, {"height": 4, "width": 30}),
        (IMAGE, {"height": 4, "width": 3, "data_format": FIRST}),
    ],
    "RandomRotation": [(IMAGE, {"factor": 0.1})],
    "RandomTranslation": [(IMAGE, {"height_factor": 0.1, "width_factor": 0.1})],
    "RandomZoom": [(IMAGE, {"height_factor": 0.1})],
    "RandomContrast": [((9, 8, 3), {"factor": 0.1})],
    "RandomBrightness": [((9, 8, 3), {"factor": 0.1})],
    **{
        name: [((9, 8, 3), {"factor": 0.1})]
        for name in ("RandomHue", "RandomSaturation", "RandomSharpness")
    },
    "RandomPosterization": [((9, 8, 3), {"factor": 4})],
    "RandomColorDegeneration": [((9, 8, 3), {"factor": 0.1})],
    **{
        name: [
            ((5, 4), {"units": 3}),
            ((5, 4), {"units": 3, "return_sequences": True, "use_bias": False}),
        ]
        for name in ("SimpleRNN", "LSTM", "GRU")
    },
    "RNN": [
        ((5, 4), {"cell": cell("LSTMCell", units=3), "return_sequences": True}),
        ((5, 4), {"cell": cell("GRUCell", units=3, reset_after=False)}),
        ((5, 4), {"cell": cell("SimpleRNNCell", units=3)}),
        ((5, 4), {"cell": [cell("LSTMCell", units=3), cell("GRUCell", units=2)]}),
        ((5, 4), {"cell": cell("StackedRNNCells", cells=[cell("LSTMCell", units=3)])}),
    ],
    "ConvLSTM1D": [((5, 9, 4), {"filters": 3, "kernel_size": 3})],
    "ConvLSTM2D": [
        ((5, *IMAGE), {"filters": 3, "kernel_size": [3, 2], "return_sequences": True}),
        ((5, *IMAGE), {"filters": 3, "kernel_size": 3, "padding": "same", "strides": 2}),
        ((5, *IMAGE), {"filters": 3, "kernel_size": 3, "data_format": FIRST, "use_bias": False}),
    ],
    "ConvLSTM3D": [((3, 4, 5, 6, 2), {"filters": 3, "kernel_size": 2})],
    "Bidirectional": [
        ((5, 4), {"layer": layer("LSTM", units=3)}),
        ((5, 4), {"layer": layer("GRU", units=3, return_sequences=True), "merge_mode": "sum"}),
        ((5, 4), {"layer": layer("LSTM", units=3),
                  "backward_layer": layer("GRU", units=3, go_backwards=True)}),
        ((5, *IMAGE), {"layer": layer("ConvLSTM2D", filters=3, kernel_size=3)}),
    ],
    "TimeDistributed": [
        ((5, *IMAGE), {"layer": layer("Conv2D", filters=3, kernel_size=3)}),
        ((5, *IMAGE), {"layer": layer("Flatten")}),
        ((5, *IMAGE), {"layer": layer("MaxPooling2D")}),
        ((5, 7), {"layer": layer("Dense", units=3, trainable=False)}),
    ],
    "STFTSpectrogram": [
        ((600, 1), {}),
        ((600, 2), {"mode": "stft", "frame_length": 100, "expand_dims": True}),
        ((600, 2), {"mode": "imag", "frame_length": 100, "padding": "same", "frame_step": 30}),
        ((2, 600), {"mode": "real", "frame_length": 90, "data_format": FIRST}),
    ],
    "MelSpectrogram": [((16000,), {})],
}  # fmt: skip

SEVERAL: dict[str, list[tuple[list[tuple[int, ...]], dict[str, Any]]]] = {
    **{
        name: [([(4, 5, 3), (4, 5, 3)], {}), ([(4, 5, 3), (1, 1, 3)], {}), ([(4, 5, 3), (3,)], {})]
        for name in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")
    },
    "Concatenate": [
        ([(4, 5, 3), (4, 5, 2), (4, 5, 1)], {}),
        ([(4, 5, 3), (2, 5, 3)], {"axis": 1}),
        ([(4, 5, 3), (4, 2, 3)], {"axis": -2}),
    ],
    "Dot": [
        ([(5,), (5,)], {"axes": 1}),
        ([(4, 5), (6, 5)], {"axes": -1}),
        ([(4, 5), (4, 6)], {"axes": [1, 1]}),
        ([(4, 5), (5, 6)], {"axes": [2, 1], "normalize": True}),
    ],
    "Attention": [
        ([(4, 5), (6, 5)], {}),
        ([(4, 5), (6, 7), (6, 5)], {"use_scale": True, "score_mode": "concat"}),
    ],
    "AdditiveAttention": [([(4, 5), (6, 5)], {}), ([(4, 5), (6, 5)], {"use_scale": False})],
    "MultiHeadAttention": [
        ([(4, 5), (6, 7)], {"num_heads": 2, "key_dim": 3}),
        ([(4, 5), (6, 7), (6, 8)], {"num_heads": 2, "key_dim": 3, "value_dim": 4}),
        ([(4, 5), (6, 7)], {"num_heads": 2, "key_dim": 3, "output_shape": 9, "use_bias": False}),
        ([(4, 5), (6, 7)], {"num_heads": 2, "key_dim": 3, "use_gate": True}),
        ([(4, 4, 5), (4, 4, 5)], {"num_heads": 2, "key_dim": 3, "attention_axes": [2]}),
    ],
    "GroupQueryAttention": [
        ([(4, 6), (5, 6)], {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}),
        ([(4, 6), (5, 6), (5, 6)], {"head_dim": 3, "num_query_heads": 4,
                                    "num_key_value_heads": 1, "use_bias": False}),
    ],
}  # fmt: skip
"""Several inputs of these shapes, made from one by Dense layers and Reshapes."""

OURS = {"LocallyConnected2D", "LpPooling2D", "WeightedAveragePooling2D"}
"""Not in Keras: see test_own.py."""


@pytest.mark.parametrize("name", sorted(set(load().names("layer")) - OURS - set(SEVERAL)))
def test_a_layer_of_one_input_equals_keras(name: str) -> None:
    for shape, arguments in ONE.get(name, [((9, 8, 3), {})]):
        assert not differences(graph(layer(name, **arguments)), shape), arguments


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_a_layer_of_several_inputs_equals_keras(name: str) -> None:
    for shapes, arguments in SEVERAL[name]:
        assert not differences(graph(*several(name, shapes, arguments)), (2,)), arguments


def several(name: str, shapes: list[tuple[int, ...]], arguments: dict[str, Any]) -> list[Any]:
    """A network in which a layer of several inputs gets them in these shapes."""
    layers, names = [], []
    for number, shape in enumerate(shapes):
        size = 1
        for each in shape:
            size *= each
        layers.append(layer("Dense", ["input"], units=size))
        layers.append(layer("Reshape", target_shape=list(shape), name=f"way_{number}"))
        names.append(f"way_{number}")
    return [*layers, layer(name, names, **arguments)]


def test_every_layer_of_the_catalog_has_a_rule() -> None:
    assert set(load().names("layer")) <= known()
