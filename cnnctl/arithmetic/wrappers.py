"""Layers around another layer: Bidirectional and TimeDistributed."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Link, Links, Outcome, Refusal
from cnnctl.arithmetic.evaluate import defaults, evaluate
from cnnctl.arithmetic.facts import NoFormula
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import shown

RECURRENT = {"SimpleRNN", "GRU", "LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "RNN"}
"""The layers whose weights lie in a cell."""


@formula("Bidirectional")
def bidirectional(call: Call) -> Outcome:
    """The layer forwards and, with weights of its own, backwards; `concat` doubles the width."""
    from cnnctl.catalog import load

    layer = call.layer("layer")
    backward = call["backward_layer"] or layer
    for argument, inner in (("layer", layer), ("backward_layer", backward)):
        if inner.name in RECURRENT:
            continue
        entry = load().find("layer", inner.name)
        if entry and entry.is_of_plugin:
            raise NoFormula(f"Bidirectional around {inner}")
        raise Refusal(
            f"Bidirectional takes a recurrent layer, and {inner} is none",
            "such as `LSTM: {units: 32}`",
            rule="wrong-value",
            argument=argument,
        )
    if call["merge_mode"] is None:
        raise NoFormula("Bidirectional that does not merge")
    first, second = evaluate(layer, call.shapes), evaluate(backward, call.shapes)
    ways = [{**defaults(each), **each.arguments} for each in (layer, backward)]
    turned = bool(ways[0].get("go_backwards"))
    if turned == (bool(ways[1].get("go_backwards")) if call["backward_layer"] else True):
        raise Refusal(
            "the layers of Bidirectional run the same way",
            "set `go_backwards: true` on `backward_layer` alone",
            rule="contradictory-arguments",
            argument="backward_layer" if call["backward_layer"] else "layer",
        )
    if first.shape != second.shape:
        raise Refusal(
            f"the layers of Bidirectional have different outputs: {shown(first.shape)} and "
            f"{shown(second.shape)}",
            "give them the same `units` and `return_sequences`",
        )
    shape = first.shape
    if call["merge_mode"] == "concat":
        shape = (*shape[:-1], 2 * shape[-1])
    macs = None if first.macs is None or second.macs is None else (*first.macs, *second.macs)
    return Outcome(shape, (*first.weights, *second.weights), macs, first.formulas)


@formula("TimeDistributed")
def time_distributed(call: Call) -> Outcome:
    """The same layer, with the same weights, at each place along the first axis."""
    if len(call.shape) < 2:
        raise Refusal(
            f"TimeDistributed takes a sequence of at least 2 axes and gets {shown(call.shape)}"
        )
    steps, *each = call.shape
    inner = evaluate(call.layer("layer"), (tuple(each),))
    links: tuple[Links, ...] = ()
    if inner.links:
        moved = (link and link._replace(axis=link.axis + 1) for link in inner.links[0])
        links = ((Link(0), *moved),)
    macs = None if inner.macs is None else tuple((steps, *term) for term in inner.macs)
    return Outcome((steps, *inner.shape), inner.weights, macs, inner.formulas, links)
