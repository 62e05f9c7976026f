"""Random networks: the arithmetic and Keras accept the same ones and agree on each layer."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from conftest import examples
from hypothesis import HealthCheck, given

from cnnctl.arithmetic import trace
from cnnctl.errors import SpecError
from cnnctl.specs.components import Component
from cnnctl.specs.graph import Graph

from .grammar import networks
from .twin import built, differences, graph


@examples(300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(networks())
def test_random_networks_equal_keras(network: tuple[tuple[int, ...], list[Component]]) -> None:
    shape, layers = network
    whole = graph(*layers)
    if (error := refused(whole, shape)) is None:
        assert not differences(whole, shape)
        return
    try:
        # What Keras builds may still fail to compute: adaptive pooling of a side of 1.
        tf.function(built(whole, shape)[0])(np.zeros((2, *shape), "float32"))
    except Exception:
        return
    raise AssertionError(f"Keras accepts what is refused here: {error}")


def refused(whole: Graph, shape: tuple[int, ...]) -> SpecError | None:
    try:
        trace(whole, shape)
    except SpecError as error:
        return error
    return None
