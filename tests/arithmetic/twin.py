"""The same network twice: traced by the arithmetic, and built with Keras."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from cnnctl.arithmetic import LayerFacts, Trace, trace
from cnnctl.catalog import load
from cnnctl.errors import Location
from cnnctl.specs.components import Component
from cnnctl.specs.graph import INPUT, Graph, expand


def layer(class_name: str, inputs: Sequence[str] | None = None, **arguments: Any) -> Component:
    """A layer as the spec's reader would make it, its place numbered by its name."""
    place = Location("net.yaml", 1 + sum(map(ord, class_name)) % 97)
    feeds = tuple(inputs) if inputs else None
    return Component("layer", class_name, arguments, place, inputs=feeds)


def cell(class_name: str, **arguments: Any) -> Component:
    return Component("cell", class_name, arguments, Location("net.yaml"))


def graph(*layers: Component) -> Graph:
    return expand(layers)


def facts(shape: Sequence[int], *layers: Component) -> Trace:
    return trace(graph(*layers), shape)


def last(shape: Sequence[int], *layers: Component) -> LayerFacts:
    return facts(shape, *layers).layers[-1]


def construct(component: Component, **extra: Any) -> Any:
    arguments = {key: _value(value) for key, value in component.arguments.items()}
    return getattr(keras.layers, component.name)(**arguments, **extra)


def _value(value: Any) -> Any:
    if isinstance(value, Component):
        return construct(value)
    if isinstance(value, list):
        return tuple(_value(item) for item in value)
    return value


def call(component: Component, tensors: Sequence[Any], name: str) -> tuple[Any, Any]:
    """The layer, and what it makes of its inputs."""
    entry = load().find("layer", component.name)
    assert entry is not None
    made = construct(component)
    if entry.inputs == "list":
        return made, made(list(tensors))
    return made, made(*tensors)


def built(network: Graph, shape: Sequence[int]) -> tuple[keras.Model, dict[str, Any]]:
    """The Keras model, and its layers by name."""
    image = keras.Input(tuple(shape))
    tensors = {INPUT: image}
    layers = {}
    for each in network.layers:
        made, out = call(each.component, [tensors[name] for name in each.inputs], each.name)
        tensors[each.name], layers[each.name] = out, made
    return keras.Model(image, tensors[network.output]), layers


def differences(network: Graph, shape: Sequence[int]) -> list[str]:
    """Where the arithmetic and Keras say different things of a network that both accept."""
    traced = trace(network, shape)
    assert not traced.unknown, traced.unknown
    model, layers = built(network, shape)
    found = []
    for each in traced.layers:
        made = layers[each.name]
        theirs = (
            tuple(made.output.shape)[1:],
            sum(math.prod(weight.shape) for weight in made.trainable_weights),
            sum(math.prod(weight.shape) for weight in made.non_trainable_weights),
            sorted(tuple(weight.shape) for weight in made.weights),
        )
        ours = (
            each.output_shape,
            each.trainable,
            each.non_trainable,
            sorted(weight.shape for weight in each.weights),
        )
        if ours != theirs:
            found.append(f"{each.layer} on {each.input_shapes}: {ours}, Keras {theirs}")
    if not found and traced.total != model.count_params():
        found.append(f"total {traced.total}, Keras {model.count_params()}")
    return found
