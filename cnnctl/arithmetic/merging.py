"""Layers of several inputs: Add and its kin, Concatenate, Dot."""

from __future__ import annotations

import math

from cnnctl.arithmetic.calls import Call, Link, Links, Outcome, Refusal
from cnnctl.arithmetic.facts import Formula, Shape
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import axis_of, shown


@formula("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")
def elementwise(call: Call) -> Outcome:
    """Value by value; axes of size 1 are stretched, missing ones are taken to stand in front."""
    if call.name == "Subtract" and len(call.shapes) != 2:
        raise Refusal(
            f"Subtract takes 2 inputs and gets {len(call.shapes)}",
            "name both in `inputs`",
            rule="wrong-inputs",
        )
    _need_several(call)
    out = call.shape
    for shape in call.shapes[1:]:
        out = _broadcast(call, out, shape)
    return Outcome(out, links=tuple(_stretched(shape, out) for shape in call.shapes))


def _need_several(call: Call) -> None:
    if len(call.shapes) < 2:
        raise Refusal(
            f"{call.name} takes at least 2 inputs and gets {len(call.shapes)}",
            "name them in `inputs`",
            rule="wrong-inputs",
        )


def _broadcast(call: Call, one: Shape, other: Shape) -> Shape:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    lead = len(longer) - len(shorter)
    pairs = list(zip(longer[lead:], shorter, strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        shapes = " and ".join(shown(shape) for shape in call.shapes)
        hint = "give the branches the same shape"
        if len(one) == len(other) and one[:-1] == other[:-1]:
            hint += f", for example with a 1x1 convolution of {one[-1]} filters on the shortcut"
        else:
            hint += ": the same strides and padding on both"
        raise Refusal(f"{call.name} does not fit its inputs: they are {shapes}", hint)
    return (*longer[:lead], *(b if a == 1 else a for a, b in pairs))


def _stretched(shape: Shape, out: Shape) -> Links:
    lead = len(out) - len(shape)
    return (
        *(None,) * lead,
        *(Link(axis, step=1 if size == out[axis + lead] else 0) for axis, size in enumerate(shape)),
    )


@formula("Concatenate")
def concatenate(call: Call) -> Outcome:
    """One behind the other along `axis`; all other axes agree."""
    _need_several(call)
    axis = axis_of(call, call["axis"])
    rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in call.shapes}
    ranks = {len(shape) for shape in call.shapes}
    if len(rest) != 1 or len(ranks) != 1:
        shapes = " and ".join(shown(shape) for shape in call.shapes)
        raise Refusal(
            f"Concatenate does not fit its inputs: they are {shapes}",
            f"they may differ along axis {call['axis']} only: "
            "give the branches the same strides and padding",
        )
    parts = [shape[axis] for shape in call.shapes]
    total = sum(parts)
    out = (*call.shape[:axis], total, *call.shape[axis + 1 :])
    links = tuple(None if place == axis else Link(place) for place in range(len(out)))
    text = f"{' + '.join(map(str, parts))} = {total}"
    return Outcome(out, formulas=(Formula(f"axis {axis + 1}", text),), links=(links,) * len(parts))


@formula("Dot")
def dot(call: Call) -> Outcome:
    """The products along one axis of each input, summed; the other axes remain."""
    if len(call.shapes) != 2:
        raise Refusal(
            f"Dot takes 2 inputs and gets {len(call.shapes)}",
            "name both in `inputs`",
            rule="wrong-inputs",
        )
    one, other = call.shapes
    axes = call["axes"]
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    first, second = axis_of(call, pair[0], one, "axes"), axis_of(call, pair[1], other, "axes")
    if one[first] != other[second]:
        raise Refusal(
            f"Dot does not fit its inputs: axis {pair[0]} of {shown(one)} is {one[first]}, "
            f"axis {pair[1]} of {shown(other)} is {other[second]}",
            "choose `axes` of the same size",
        )
    left = (*one[:first], *one[first + 1 :])
    right = (*other[:second], *other[second + 1 :])
    return Outcome((*left, *right) or (1,), macs=((math.prod(left), math.prod(right), one[first]),))
