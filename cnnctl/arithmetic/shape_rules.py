"""Every rule that needs the shapes of a network: they are worked out, and held against the spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from cnnctl.arithmetic.checked import Checked
from cnnctl.arithmetic.facts import Shape, Trace
from cnnctl.arithmetic.shapes import same_but_for_ones
from cnnctl.arithmetic.trace import trace as trace_of
from cnnctl.arithmetic.weight_ranks import weight_ranks
from cnnctl.errors import Diagnostic, SpecError
from cnnctl.specs import Component, Spec, output_rules


def check_shapes(spec: Spec, shape: Shape | None) -> tuple[Checked, list[Diagnostic]]:
    """Run every rule that needs the shape of an image, and no more.

    `check` does so where the spec tells it, and a training once it has read the data.

    Args:
        spec: A spec or a draft.
        shape: Of one image, without the batch; None where it is not known.

    Returns:
        The spec with the shapes of its layers, if they can be told, and the errors.
    """
    trace = None
    found: list[Diagnostic] = []
    if shape is not None:
        try:
            trace = trace_of(spec.graph, shape)
        except SpecError as error:
            found.extend(error.diagnostics)
    if trace is not None:
        found.extend(_value_errors(spec, trace))
        found.extend(weight_ranks(spec, trace))
    outputs = _output_shape(spec, trace)
    doubtful = spec.doubtful & {"data.label_mode", "model.layers"}
    if trace and outputs and not doubtful:
        found.extend(output_rules.outputs(spec, outputs))
    return Checked(spec, trace, outputs), found


def _value_errors(spec: Spec, trace: Trace) -> Iterator[Diagnostic]:
    """Weights that are written out, and have not the shape of the layer's."""
    layers = {layer.name: layer.component for layer in spec.graph.layers}
    for facts in trace.layers:
        for weight in facts.weights:
            values = layers[facts.name].arguments.get(f"{weight.name}_initializer")
            if not isinstance(values, Component) or values.name != "Values" or values.errors:
                continue
            shape = _shape_of(values.arguments["values"])
            if shape is not None and values.arguments.get("filters_first"):
                shape = (*shape[1:], shape[0])
            if shape is None or not same_but_for_ones(shape, weight.shape):
                came = "ragged lists" if shape is None else "×".join(map(str, shape))
                yield Diagnostic(
                    "values-shape",
                    f"the {weight.name} of {facts.layer} is {'×'.join(map(str, weight.shape))}, "
                    f"and the values are {came}",
                    values.location,
                    "Keras's order is (height, width, inputs, filters)"
                    if len(weight.shape) == 4
                    else None,
                )


def _shape_of(values: Any) -> tuple[int, ...] | None:
    """The shape of nested lists; None if they are ragged."""
    if not isinstance(values, list):
        return ()
    inner = {_shape_of(each) for each in values}
    shape = inner.pop() if len(inner) == 1 else None
    return None if shape is None else (len(values), *shape)


def _output_shape(spec: Spec, trace: Trace | None) -> Shape:
    """The shape of the network's output; of one that ends in a faulty chain and a `Dense`, the
    number of its units; empty if it cannot be told."""
    last = spec.graph.layers[-1]
    if trace and trace.layers and trace.layers[-1].name == last.name:
        return cast("Shape", trace.layers[-1].output_shape)
    units = last.component.arguments.get("units")
    return (units,) if last.component.name == "Dense" and units else ()
