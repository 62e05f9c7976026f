"""Receptive fields: what a value sees of the network's input.

The recurrences of Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural
Networks" (Distill): through a layer with windows of extent `k`, stride `s` and padding `p`, the
field's size grows by `(k - 1)·j`, its start moves by `-p·j`, and the jump `j` becomes `j·s`.
Branches that meet see the union.
"""

from __future__ import annotations

from collections.abc import Sequence

from cnnctl.arithmetic.calls import Links
from cnnctl.arithmetic.facts import Field, Number, Shape

Fields = tuple["Field | None", ...]
"""One for each axis of a tensor; None for an axis that sees several at once, or none."""


def of_input(shape: Shape) -> Fields:
    """The fields of the input itself: each position sees itself."""
    return tuple(Field(axis, 1, 1, 0) for axis in range(len(shape)))


def through(links: Sequence[Links], inputs: Sequence[Fields], shape: Shape) -> Fields:
    """The fields of a layer's output.

    Args:
        links: For each input, how the output's axes look at it.
        inputs: The fields of each input.
        shape: The output's shape.
    """
    if not links:
        return (None,) * len(shape)
    each = [_one(link, fields) for link, fields in zip(links, inputs, strict=False)]
    merged = each[0]
    for other in each[1:]:
        merged = tuple(
            _union(a, b, count) for a, b, count in zip(merged, other, shape, strict=True)
        )
    return merged


def _one(links: Links, fields: Fields) -> Fields:
    found: list[Field | None] = []
    for link in links:
        field = None if link is None else fields[link.axis]
        if field is None or link is None:
            found.append(None)
            continue
        size = field.size + (link.size - 1) * field.stride
        start = field.start + link.start * field.stride
        found.append(Field(field.axis, size, field.stride * link.step, start))
    return tuple(found)


def _union(one: Field | None, other: Field | None, count: int) -> Field | None:
    """Both; where their strides differ, all that any of the `count` positions sees."""
    if one is None or other is None or one.axis != other.axis:
        return None
    start = min(one.start, other.start)
    stride = one.stride
    if one.stride == other.stride:
        end = max(one.start + one.size, other.start + other.size)
    else:
        stride = 0
        end = max(each.start + each.size + (count - 1) * each.stride for each in (one, other))
    return Field(one.axis, end - start, stride, start)


def spatial(fields: Fields, *, channels_first: bool) -> tuple[Field, ...] | None:
    """The fields of the spatial axes; None if there are none, or one of them has no field."""
    chosen = fields[1:] if channels_first else fields[:-1]
    if not chosen or None in chosen:
        return None
    return tuple(
        Field(each.axis, _plain(each.size), _plain(each.stride), _plain(each.start))
        for each in chosen
        if each is not None
    )


def _plain(value: Number) -> Number:
    return int(value) if value == int(value) else float(value)
