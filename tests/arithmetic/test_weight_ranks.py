"""What `check` says of initializers, regularizers and constraints, against Keras itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cnnctl.arithmetic.weight_ranks import RANKS
from cnnctl.catalog import load as load_catalog
from cnnctl.errors import SpecError
from cnnctl.preflight import check

from .twin import keras

SHAPES = [(4,), (4, 5), (3, 4, 5), (3, 3, 4, 5), (3, 3, 3, 4, 5)]
ARGUMENTS: dict[str, dict[str, Any]] = {"MinMaxNorm": {"min_value": 0.5}}


def keras_takes(kind: str, name: str, shape: tuple[int, ...]) -> bool:
    made = getattr(getattr(keras, f"{kind}s"), name)(**ARGUMENTS.get(name, {}))
    try:
        made(shape) if kind == "initializer" else made(keras.ops.ones(shape))
    except (TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize("kind", ["initializer", "regularizer", "constraint"])
def test_every_component_on_every_rank(kind: str) -> None:
    for name in load_catalog().names(kind):
        if name == "Values":
            continue
        low, high = RANKS.get(name, (0, 99))
        for shape in SHAPES:
            assert keras_takes(kind, name, shape) == (low <= len(shape) <= high), (name, shape)


LAYERS: list[tuple[str, dict[str, Any], str, list[int], int]] = [
    ("Dense", {"units": 4}, "kernel", [6], 2),
    ("Dense", {"units": 4}, "bias", [6], 1),
    ("Conv1D", {"filters": 4, "kernel_size": 3}, "kernel", [6, 2], 3),
    ("Conv2D", {"filters": 4, "kernel_size": 3}, "kernel", [6, 6, 2], 4),
    ("DepthwiseConv2D", {"kernel_size": 3}, "depthwise", [6, 6, 2], 4),
    ("SeparableConv2D", {"filters": 4, "kernel_size": 3}, "pointwise", [6, 6, 2], 4),
    ("SimpleRNN", {"units": 3}, "recurrent", [5, 4], 2),
    ("BatchNormalization", {}, "gamma", [6], 1),
]


@pytest.mark.parametrize(("layer", "arguments", "weight", "shape", "rank"), LAYERS)
def test_the_penalty_of_a_matrix(
    layer: str, arguments: dict[str, Any], weight: str, shape: list[int], rank: int, tmp_path: Any
) -> None:
    penalty = {f"{weight}_regularizer": "OrthogonalRegularizer"}
    path = tmp_path / "net.yaml"
    path.write_text(json.dumps(
        {"model": {"input_shape": shape, "layers": [{layer: {**arguments, **penalty}}]}}
    ))  # fmt: skip
    made = getattr(keras.layers, layer)(
        **arguments, **{f"{weight}_regularizer": keras.regularizers.OrthogonalRegularizer()}
    )
    made(keras.Input(tuple(shape)))
    if rank == 2:
        assert made.losses
        check(path)
        return
    with pytest.raises(ValueError, match="rank 2"):
        assert made.losses
    with pytest.raises(SpecError, match="OrthogonalRegularizer needs a weight of rank 2"):
        check(path)


@pytest.mark.parametrize(("given", "message"), [
    ({"kernel_initializer": "identity"}, "Identity needs a weight of rank 2"),
    ({"bias_initializer": "orthogonal"}, "Orthogonal needs a weight of rank 2 or more"),
    ({"activity_regularizer": "OrthogonalRegularizer"}, "may have any size"),
    ({"kernel_constraint": {"MaxNorm": {"axis": 4}}}, "MaxNorm has `axis: 4`"),
])  # fmt: skip
def test_others(given: dict[str, Any], message: str, tmp_path: Any) -> None:
    path = tmp_path / "net.yaml"
    layer = {"Conv2D": {"filters": 4, "kernel_size": 3, **given}}
    path.write_text(json.dumps({"model": {"input_shape": [6, 6, 2], "layers": [layer]}}))
    with pytest.raises(SpecError, match=message):
        check(path)
