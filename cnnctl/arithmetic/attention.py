"""Attention, with and without heads.

Vaswani et al. 2017, "Attention Is All You Need"; Ainslie et al. 2023 for grouped queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from cnnctl.arithmetic.calls import Call, Outcome, Refusal
from cnnctl.arithmetic.facts import Shape, Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import shown


def _inputs(call: Call) -> tuple[Shape, Shape, Shape]:
    """The shapes of query, value and key; the value is the key if there is none."""
    if len(call.shapes) not in {2, 3}:
        raise Refusal(
            f"{call.name} takes 2 or 3 inputs (query, value, key) and gets {len(call.shapes)}",
            "for self-attention name the same layer twice in `inputs`",
            rule="wrong-inputs",
        )
    query, value = call.shapes[:2]
    key = call.shapes[2] if len(call.shapes) == 3 else value
    if min(len(query), len(value), len(key)) < 2:
        raise Refusal(
            f"{call.name} takes sequences (length, features) and gets "
            f"{', '.join(shown(shape) for shape in call.shapes)}"
        )
    if value[:-1] != key[:-1]:
        raise Refusal(
            f"{call.name} does not fit its inputs: value is {shown(value)}, key is {shown(key)}",
            "they may differ in the last axis only",
        )
    return query, value, key


@formula("Attention", "AdditiveAttention")
def attention(call: Call) -> Outcome:
    """Values weighed by the match of query and key; at most a scale is learned."""
    query, value, key = _inputs(call)
    if query[-1] != key[-1]:
        raise Refusal(
            f"{call.name} does not fit its inputs: query is {shown(query)}, key is {shown(key)}",
            "give them the same last axis",
        )
    additive = call.name == "AdditiveAttention"
    weights: list[Weight] = []
    if call["use_scale"]:
        weights.append(Weight("scale", (query[-1],) if additive else ()))
    if not additive and call["score_mode"] == "concat":
        weights.append(Weight("concat_score_weight", ()))
    places = (*query[:-1], key[-2])
    return Outcome(
        (*query[:-1], value[-1]), tuple(weights), ((*places, query[-1]), (*places, value[-1]))
    )


@formula("MultiHeadAttention")
def multi_head_attention(call: Call) -> Outcome:
    """Query, key, value and output are projected: four kernels and their biases."""
    query, value, key = _inputs(call)
    heads, key_dim = call["num_heads"], call["key_dim"]
    value_dim = call["value_dim"] or key_dim
    asked = call["output_shape"]
    asked = (asked,) if isinstance(asked, int) else tuple(asked or ())
    out = asked or (query[-1],)
    projections = [
        ("query", (query[-1], heads, key_dim), (heads, key_dim)),
        ("key", (key[-1], heads, key_dim), (heads, key_dim)),
        ("value", (value[-1], heads, value_dim), (heads, value_dim)),
        ("attention_output", (heads, value_dim, *out), out),
    ]
    places = [math.prod(query[:-1]), math.prod(key[:-1]), math.prod(key[:-1])]
    places.append(places[0])
    if call["use_gate"]:
        projections.insert(2, ("gate", (query[-1], heads, value_dim), (heads, value_dim)))
        places.insert(2, places[0])
    scores = _scores(call["attention_axes"], query, key)
    macs = [(count, *kernel) for count, (_, kernel, _) in zip(places, projections, strict=True)]
    macs += [(*scores, heads, key_dim), (*scores, heads, value_dim)]
    return Outcome((*query[:-1], *out), _projected(call, projections), tuple(macs))


def _scores(axes: int | list[int] | None, query: Shape, key: Shape) -> tuple[int, ...]:
    """How many pairs of places are compared: over `attention_axes`, all by default."""
    if axes is None:
        return (math.prod(query[:-1]), math.prod(key[:-1]))
    rank = len(query) + 1
    chosen = {each % rank - 1 for each in ([axes] if isinstance(axes, int) else axes)}
    return (math.prod(query[:-1]), math.prod(key[axis] for axis in chosen if axis < len(key) - 1))


@formula("GroupQueryAttention")
def grouped_query_attention(call: Call) -> Outcome:
    """As with heads, but several query heads share one head of keys and values."""
    query, value, key = _inputs(call)
    if len(query) != 2 or len(value) != 2:
        raise Refusal(f"{call.name} takes sequences (length, features) and gets {shown(query)}")
    if query[-1] != value[-1]:
        raise Refusal(
            f"{call.name} does not fit its inputs: query is {shown(query)}, value is "
            f"{shown(value)}",
            "give them the same last axis",
        )
    size, heads, shared = call["head_dim"], call["num_query_heads"], call["num_key_value_heads"]
    if heads % shared:
        raise Refusal(
            f"{shared} key and value heads do not divide {heads} query heads",
            rule="uneven-groups",
            argument="num_key_value_heads",
        )
    features = query[-1]
    projections = [
        ("query", (features, heads, size), (heads, size)),
        ("key", (key[-1], shared, size), (shared, size)),
        ("value", (value[-1], shared, size), (shared, size)),
        ("attention_output", (heads, size, features), (features,)),
    ]
    places = [query[0], key[0], key[0], query[0]]
    if call["use_gate"]:
        projections.insert(2, ("gate", (features, heads, size), (heads, size)))
        places.insert(2, query[0])
    macs = [(count, *kernel) for count, (_, kernel, _) in zip(places, projections, strict=True)]
    macs += [(query[0], key[0], heads, size)] * 2
    return Outcome(query, _projected(call, projections), tuple(macs))


def _projected(call: Call, projections: Sequence[tuple[str, Shape, Shape]]) -> tuple[Weight, ...]:
    weights = []
    for name, kernel, bias in projections:
        weights.append(Weight(f"{name}/kernel", kernel))
        if call["use_bias"]:
            weights.append(Weight(f"{name}/bias", bias))
    return tuple(weights)
