"""Receptive fields: what a value sees of the network's input.

The recurrences of Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural
Networks" (Distill): through a layer with windows of extent `k`, stride `s` and padding `p`, the
field's size grows by `(k - 1)·j`, its start moves by `-p·j`, and the jump `j` becomes `j·s`.
Branches that meet see the union.
"""

from __future__ import annotations

from collections.abc import Sequence

from cnnctl.arithmetic.calls import Link, Links
from cnnctl.arithmetic.facts import Field, Formula, Number, Shape
from cnnctl.arithmetic.shapes import AXES

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


def formulas(
    links: Sequence[Links], inputs: Sequence[Fields], found: Fields, *, channels_first: bool
) -> tuple[Formula, ...]:
    """How the fields of a layer's spatial axes came about; empty where they are its input's.

    Args:
        links: As for `through`.
        inputs: As for `through`.
        found: What `through` returned.
        channels_first: As for `spatial`.
    """
    if spatial(found, channels_first=channels_first) is None:
        return ()
    axes = range(1, len(found)) if channels_first else range(len(found) - 1)
    each = [_steps(links, inputs, found, axis) for axis in axes]
    made = []
    for quantity in ("receptive_field", "receptive_stride", "receptive_start"):
        texts = [steps.get(quantity) for steps in each]
        if len(set(texts)) == 1:
            labels = [quantity]
        else:
            labels = [f"{quantity} {name}" for name in AXES.get(len(texts), map(str, axes))]
        made += [Formula(label, text) for label, text in zip(labels, texts, strict=False) if text]
    return tuple(made)


def _steps(
    links: Sequence[Links], inputs: Sequence[Fields], found: Fields, axis: int
) -> dict[str, str]:
    """The formulas of one axis of the output, by quantity."""
    out = found[axis]
    assert out is not None
    if len(links) > 1:
        met = [_one(link, fields)[axis] for link, fields in zip(links, inputs, strict=False)]
        sizes = [_spelled(each.size) for each in met if each is not None]
        same = all(each == out for each in met)
        return {} if same else {"receptive_field": f"{' ∪ '.join(sizes)} = {_spelled(out.size)}"}
    link = links[0][axis]
    field = inputs[0][link.axis] if link else None
    assert link is not None
    assert field is not None
    return _recurrences(link, field, out)


def _recurrences(link: Link, field: Field, out: Field) -> dict[str, str]:
    """The module's recurrences with their numbers in them, where they change something."""
    made = {}
    jump = _spelled(field.stride)
    if link.size != 1:
        size = f"{_spelled(field.size)} + ({_spelled(link.size)} − 1)·{jump}"
        made["receptive_field"] = f"{size} = {_spelled(out.size)}"
    if link.step != 1:
        made["receptive_stride"] = f"{jump}·{_spelled(link.step)} = {_spelled(out.stride)}"
    if link.start:
        sign, moved = ("−", -link.start) if link.start < 0 else ("+", link.start)
        start = f"{_spelled(field.start)} {sign} {_spelled(moved)}·{jump}"
        made["receptive_start"] = f"{start} = {_spelled(out.start)}"
    return made


def _spelled(value: Number) -> str:
    return f"{float(value):g}".replace("-", "−")


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
