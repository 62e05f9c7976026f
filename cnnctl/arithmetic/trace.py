"""A network's layers one after the other, each with its shapes, parameters and field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from cnnctl.arithmetic import counting, fields
from cnnctl.arithmetic.calls import Outcome, Refusal
from cnnctl.arithmetic.evaluate import evaluate
from cnnctl.arithmetic.facts import FLOAT_BYTES, Field, Formula, LayerFacts, Shape, Trace
from cnnctl.arithmetic.registry import NoFormula
from cnnctl.arithmetic.shapes import TAKES_AXES, shown
from cnnctl.errors import Diagnostic, SpecError

if TYPE_CHECKING:
    from cnnctl.spec.graph import Graph, GraphLayer

CHAIN_LENGTH = 6
"""How many links of a chain of shapes a message shows."""


class _Flow(NamedTuple):
    """What flows out of a layer, and where it came from."""

    layer: str
    shape: Shape
    fields: fields.Fields
    parent: _Flow | None = None


def trace(graph: Graph, input_shape: Sequence[int]) -> Trace:
    """Work out every layer of a network.

    Args:
        graph: The network, layers in order of evaluation.
        input_shape: Shape of one picture, without the batch.

    Returns:
        The facts of each layer. A layer without a formula is named in `unknown`; it and what it
        feeds are left out. So are a layer that has a fault already, and what that feeds.

    Raises:
        SpecError: A layer does not fit its input; all that can be told, each at its line.
    """
    from cnnctl.spec.graph import INPUT

    picture = tuple(input_shape)
    flows = {INPUT: _Flow(INPUT, picture, fields.of_input(picture))}
    first = any(
        each.component.arguments.get("data_format") == "channels_first" for each in graph.layers
    )
    done: list[LayerFacts] = []
    unknown: list[str] = []
    found: list[Diagnostic] = []
    for layer in graph.layers:
        inputs = [flows[name] for name in layer.inputs if name in flows]
        if len(inputs) < len(layer.inputs) or layer.component.shape_is_open:
            continue
        try:
            outcome = evaluate(layer.component, tuple(flow.shape for flow in inputs))
        except NoFormula:
            unknown.append(layer.name)
        except Refusal as refusal:
            found.append(_diagnostic(refusal, layer, inputs[0]))
        else:
            seen = fields.through(outcome.links, [flow.fields for flow in inputs], outcome.shape)
            flows[layer.name] = _Flow(layer.component.name, outcome.shape, seen, inputs[0])
            field = fields.spatial(seen, channels_first=first)
            done.append(_facts(layer, inputs, outcome, field))
    if found:
        raise SpecError(found)
    return Trace(picture, tuple(done), tuple(unknown))


def _facts(
    layer: GraphLayer,
    inputs: Sequence[_Flow],
    outcome: Outcome,
    field: tuple[Field, ...] | None,
) -> LayerFacts:
    formulas = (*outcome.formulas, *counting.weight_formulas(outcome.weights))
    if outcome.macs:
        formulas = (*formulas, Formula("macs", counting.spell(outcome.macs)))
    return LayerFacts(
        name=layer.name,
        layer=layer.component.name,
        location=layer.location,
        inputs=layer.inputs,
        input_shapes=tuple(flow.shape for flow in inputs),
        output_shape=outcome.shape,
        trainable=sum(weight.size for weight in outcome.weights if weight.trainable),
        non_trainable=sum(weight.size for weight in outcome.weights if not weight.trainable),
        weights=outcome.weights,
        formulas=formulas,
        macs=None if outcome.macs is None else counting.total(outcome.macs),
        memory=math.prod(outcome.shape) * FLOAT_BYTES,
        receptive_field=field,
    )


def _diagnostic(refusal: Refusal, layer: GraphLayer, flow: _Flow) -> Diagnostic:
    location = layer.location
    if refusal.argument:
        location = layer.component.place(refusal.argument)
    hint = refusal.hint
    chain = _chain(flow)
    if hint and TAKES_AXES in hint:
        hint = hint.replace(TAKES_AXES, _flattener(chain))
    if hint and refusal.shrunk:
        pooled = any("Pooling" in each.layer for each in chain)
        hint += ", or remove a pooling layer above" if pooled else ", or make it smaller"
    notes = (_chain_text(chain, layer.component.name),)
    return Diagnostic(refusal.rule, refusal.message, location, hint, notes)


def _chain(flow: _Flow) -> list[_Flow]:
    """The layers that led here, from the input on, along each one's first input."""
    chain: list[_Flow] = []
    at: _Flow | None = flow
    while at is not None:
        chain.append(at)
        at = at.parent
    return chain[::-1]


def _flattener(chain: Sequence[_Flow]) -> str:
    """The last layer of a chain that has fewer axes than its input."""
    names = [b.layer for a, b in pairwise(chain) if len(b.shape) < len(a.shape)]
    return names[-1] if names else TAKES_AXES


def _chain_text(chain: Sequence[_Flow], last: str) -> str:
    """`shapes: 32x32x3 → Conv2D 30x30x32 → … → Conv2D 1x1x64 → MaxPooling2D`."""
    words = [shown(chain[0].shape), *(f"{each.layer} {shown(each.shape)}" for each in chain[1:])]
    if len(words) > CHAIN_LENGTH:
        words = [*words[: CHAIN_LENGTH // 2], "…", *words[-(CHAIN_LENGTH // 2) + 1 :]]
    return f"shapes: {' → '.join([*words, last])}"
