"""cnnctl's own layers, worked out by hand, and held against their Keras classes."""

from __future__ import annotations

import importlib

import keras
import pytest

from .twin import last, layer


def test_locally_connected_by_hand() -> None:
    """28x28x1, 5x5, 4 filters: 24·24 places of 5·5·1·4 weights and 4 biases = 59,904."""
    made = last((28, 28, 1), layer("LocallyConnected2D", filters=4, kernel_size=5))
    assert made.output_shape == (24, 24, 4)
    assert made.parameters == 24 * 24 * (5 * 5 * 1 * 4 + 4) == 59_904
    assert made.macs == 24 * 24 * 5 * 5 * 4
    assert "24·24·5·5·1·4 + 24·24·4 = 59,904" in [each.text for each in made.formulas]


def test_locally_connected_with_strides_and_without_bias() -> None:
    made = last(
        (9, 8, 3),
        layer("LocallyConnected2D", filters=2, kernel_size=[3, 2], strides=2, use_bias=False),
    )
    assert made.output_shape == (4, 4, 2)
    assert made.parameters == 4 * 4 * 3 * 2 * 3 * 2


@pytest.mark.parametrize("name", ["LpPooling2D", "WeightedAveragePooling2D"])
def test_pooling_of_our_own_has_the_shapes_of_max_pooling(name: str) -> None:
    for arguments in ({"pool_size": 2}, {"pool_size": 3, "strides": 2, "padding": "same"}):
        made = last((9, 8, 3), layer(name, **arguments))
        pooled = last((9, 8, 3), layer("MaxPooling2D", **arguments))
        assert made.output_shape == pooled.output_shape
        assert made.receptive_field == pooled.receptive_field
        assert made.parameters == 0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("LocallyConnected2D", {"filters": 2, "kernel_size": 3}),
        ("LocallyConnected2D", {"filters": 2, "kernel_size": 3, "strides": 2, "use_bias": False}),
        ("LpPooling2D", {"pool_size": 2}),
        ("WeightedAveragePooling2D", {"pool_size": 3, "strides": 2}),
    ],
)
def test_they_equal_the_layers_themselves(name: str, arguments: dict[str, object]) -> None:
    try:
        made = getattr(importlib.import_module("cnnctl.layers"), name)(**arguments)
    except (ImportError, AttributeError):
        pytest.skip(f"cnnctl.layers has no {name}")
    out = made(keras.KerasTensor((None, 9, 8, 3)))
    ours = last((9, 8, 3), layer(name, **arguments))
    assert ours.output_shape == out.shape[1:]
    assert ours.parameters == made.count_params()
