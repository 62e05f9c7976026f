"""Every shipped spec: the arithmetic equals the Keras model, layer by layer."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cnnctl import preflight
from cnnctl.arithmetic import trace
from cnnctl.network import build
from cnnctl.specs import load

CONFIGS = sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_arithmetic_of_a_config_equals_keras(path: Path) -> None:
    spec = load(path)
    shape = preflight.input_shape(spec)
    if shape is None:
        pytest.skip("only its pictures tell the input shape")
    traced = trace(spec.graph, shape)
    built = build.build(spec, shape)
    assert not traced.unknown
    for each in traced.layers:
        made = built.get_layer(each.name)
        counts = [
            sum(math.prod(weight.shape) for weight in weights)
            for weights in (made.trainable_weights, made.non_trainable_weights)
        ]
        assert (each.output_shape, each.trainable, each.non_trainable) == (
            tuple(made.output.shape)[1:],
            *counts,
        )
    assert traced.total == built.count_params()


def test_there_are_configs() -> None:
    assert CONFIGS
