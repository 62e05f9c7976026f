"""The rows of a network that has layers without a formula: it is built, and Keras says the rest."""

from __future__ import annotations

import math
from typing import Any

from cnnctl import arithmetic
from cnnctl.arithmetic.facts import FLOAT_BYTES, OpenShape
from cnnctl.specs import GraphLayer, Spec
from cnnctl.specs.graph import INPUT


def rows_by_keras(spec: Spec, trace: arithmetic.Trace) -> tuple[arithmetic.LayerFacts, ...]:
    """Build the network with Keras; what has a formula keeps it, behind an unknown layer too.

    Args:
        spec: A checked spec.
        trace: Its arithmetic, with layers in `unknown`.

    Returns:
        One row for each layer, in order of evaluation.

    Raises:
        SpecError: Keras refuses a layer, at its line.
    """
    from cnnctl.startup import quiet

    quiet()
    from cnnctl.network.build import build

    model = build(spec, trace.input_shape)
    shapes = {INPUT: trace.input_shape} | {
        layer.name: tuple(model.get_layer(layer.name).output.shape[1:])
        for layer in spec.graph.layers
    }
    whole = {name: shape for name, shape in shapes.items() if None not in shape}
    known = {
        each.name: each for each in arithmetic.trace(spec.graph, trace.input_shape, whole).layers
    }
    return tuple(
        known[layer.name]
        if layer.name in known
        else _row(layer, model.get_layer(layer.name), shapes)
        for layer in spec.graph.layers
    )


def _row(layer: GraphLayer, built: Any, shapes: dict[str, OpenShape]) -> arithmetic.LayerFacts:
    trainable = tuple(_weight(each, trainable=True) for each in built.trainable_weights)
    frozen = tuple(_weight(each, trainable=False) for each in built.non_trainable_weights)
    shape = shapes[layer.name]
    sizes = [size for size in shape if size is not None]
    return arithmetic.LayerFacts(
        name=layer.name,
        layer=layer.component.name,
        location=layer.location,
        inputs=layer.inputs,
        input_shapes=tuple(shapes[name] for name in layer.inputs),
        output_shape=shape,
        trainable=sum(each.size for each in trainable),
        non_trainable=sum(each.size for each in frozen),
        macs=None,
        memory=math.prod(sizes) * FLOAT_BYTES if len(sizes) == len(shape) else None,
        receptive_field=None,
        weights=(*trainable, *frozen),
        formulas=(),
    )


def _weight(variable: Any, *, trainable: bool) -> arithmetic.Weight:
    return arithmetic.Weight(variable.name, tuple(variable.shape), trainable)
