"""A network's layers one after the other, each with its shapes, parameters and field."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from cnnctl.arithmetic import counting, fields
from cnnctl.arithmetic.calls import Outcome, Refusal
from cnnctl.arithmetic.evaluate import defaults, evaluate
from cnnctl.arithmetic.facts import FLOAT_BYTES, Field, Formula, LayerFacts, NoFormula, Shape, Trace
from cnnctl.arithmetic.shapes import TAKES_AXES, refuse_open, shown
from cnnctl.errors import Diagnostic, SpecError

if TYPE_CHECKING:
    from cnnctl.specs.graph import Graph, GraphLayer

CHAIN_LENGTH = 6
"""How many links of a chain of shapes a message shows."""

MOST = 2**63 - 1
"""The largest figure of a layer: what 64 bits hold."""

_DIGITS_SHOWN = 20


class _Flow(NamedTuple):
    """What flows out of a layer, and where it came from."""

    layer: str
    shape: Shape
    fields: fields.Fields
    parent: _Flow | None = None


def trace(
    graph: Graph, input_shape: Sequence[int], shapes: Mapping[str, Shape] | None = None
) -> Trace:
    """Work out every layer of a network.

    Args:
        graph: The network, layers in order of evaluation.
        input_shape: Shape of one image, without the batch.
        shapes: The output shapes of layers that have no formula, by name, where these are known
            from elsewhere.

    Returns:
        The facts of each layer. A layer without a formula is named in `unknown`; it is left out,
        and what it feeds with it unless `shapes` has its shape. So are a layer that has an error
        already, and what that feeds.

    Raises:
        SpecError: A layer does not fit its input; all that can be told, each at its line.
    """
    from cnnctl.specs.graph import INPUT

    image = tuple(input_shape)
    flows = {INPUT: _Flow(INPUT, image, fields.of_input(image))}
    first = _channels_first(graph)
    done: list[LayerFacts] = []
    unknown: list[str] = []
    found: list[Diagnostic] = []
    for layer in graph.layers:
        inputs = [flows[name] for name in layer.inputs if name in flows]
        if len(inputs) < len(layer.inputs) or layer.component.shape_is_open:
            continue
        before = [flow.fields for flow in inputs]
        try:
            outcome = evaluate(layer.component, tuple(flow.shape for flow in inputs))
            seen = fields.through(outcome.links, before, outcome.shape)
            _refuse_too_large(layer.component.name, outcome, seen)
            for weight in outcome.weights:
                refuse_open(f"the {weight.name} of {layer.component.name}", weight.shape)
        except NoFormula:
            unknown.append(layer.name)
            if shapes and (shape := shapes.get(layer.name)) is not None:
                nothing = (None,) * len(shape)
                flows[layer.name] = _Flow(layer.component.name, shape, nothing, inputs[0])
        except Refusal as refusal:
            found.append(_diagnostic(refusal, layer, inputs[0]))
        else:
            flows[layer.name] = _Flow(layer.component.name, outcome.shape, seen, inputs[0])
            how = fields.formulas(outcome.links, before, seen, channels_first=first)
            field = fields.spatial(seen, channels_first=first)
            done.append(_facts(layer, inputs, outcome, field, how))
    if found:
        raise SpecError(found)
    return Trace(image, tuple(done), tuple(unknown))


def _refuse_too_large(name: str, outcome: Outcome, seen: fields.Fields) -> None:
    """Refuse figures that no tensor can have, before they are spelled out."""
    extents = [(each.size, each.stride, each.start, -each.start) for each in seen if each]
    beyond = {
        "the values of its output": math.prod(outcome.shape) > MOST,
        "its weights": sum(weight.size for weight in outcome.weights) > MOST,
        "its multiply-adds": counting.total(outcome.macs or ()) > MOST,
        "the positions that it sees": any(number > MOST for each in extents for number in each),
    }
    for what, is_beyond in beyond.items():
        if is_beyond:
            raise Refusal(
                f"{name} is too large: {what} are more than 2**63 - 1",
                "make its sizes, or those above it, smaller",
                rule="too-large",
            )


def _channels_first(graph: Graph) -> bool:
    """Whether the images have their channels in front, as the first layer that asks has it.

    A later one may differ: ZeroPadding2D that reads the last axis as its width pads channels.
    """
    for layer in graph.layers:
        arguments = {**defaults(layer.component), **layer.component.arguments}
        if "data_format" in arguments:
            return bool(arguments["data_format"] == "channels_first")
    return False


def _facts(
    layer: GraphLayer,
    inputs: Sequence[_Flow],
    outcome: Outcome,
    field: tuple[Field, ...] | None,
    how: tuple[Formula, ...],
) -> LayerFacts:
    formulas = (*outcome.formulas, *counting.weight_formulas(outcome.weights))
    if outcome.macs:
        formulas = (*formulas, Formula("macs", counting.spell(outcome.macs)))
    memory = Formula("memory", counting.spell([(*outcome.shape, FLOAT_BYTES)]))
    return LayerFacts(
        name=layer.name,
        layer=layer.component.name,
        location=layer.location,
        inputs=layer.inputs,
        input_shapes=tuple(tuple(map(int, flow.shape)) for flow in inputs),
        output_shape=tuple(map(int, outcome.shape)),
        trainable=sum(weight.size for weight in outcome.weights if weight.trainable),
        non_trainable=sum(weight.size for weight in outcome.weights if not weight.trainable),
        weights=outcome.weights,
        formulas=(*formulas, memory, *how),
        macs=None if outcome.macs is None else int(counting.total(outcome.macs)),
        memory=int(math.prod(outcome.shape)) * FLOAT_BYTES,
        receptive_field=field,
    )


def _diagnostic(refusal: Refusal, layer: GraphLayer, flow: _Flow) -> Diagnostic:
    location = layer.location
    if refusal.argument:
        location = layer.component.place(refusal.argument)
    hint = refusal.hint
    chain = _chain(flow)
    longer = re.search(r"target_shape: (\[.*?\])", hint or "")
    if longer and flow.parent is None and longer[1].count(",") == len(flow.shape):
        hint = f"write `input_shape: {longer[1]}` in `model`, or {hint}"
    if hint and TAKES_AXES in hint:
        hint = hint.replace(TAKES_AXES, _flattener(chain))
    if hint and refusal.shrunk:
        pooled = any("Pooling" in each.layer for each in chain)
        hint += ", or remove a pooling layer above" if pooled else ", or make it smaller"
    notes = (_cut(_chain_text(chain, layer.component.name)),)
    return Diagnostic(refusal.rule, _cut(refusal.message), location, hint and _cut(hint), notes)


def _cut(text: str) -> str:
    """A text without the tails of endless numbers."""
    return re.sub(rf"(\d{{{_DIGITS_SHOWN}}})\d+", r"\1…", text)


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
