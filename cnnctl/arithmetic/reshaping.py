"""Layers that only move values: Flatten, Reshape, Permute, RepeatVector, padding, cropping."""

from __future__ import annotations

import math

from cnnctl.arithmetic.calls import Call, Link, Links, Outcome, Refusal
from cnnctl.arithmetic.facts import Formula, Shape
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import join, need_axes, shown, size_formulas, size_list, sizes, split


@formula("Flatten")
def flatten(call: Call) -> Outcome:
    """All axes in one."""
    total = math.prod(call.shape)
    product = "·".join(map(str, call.shape))
    text = f"{product} = {total:,}" if len(call.shape) > 1 else f"{total:,}"
    links: tuple[Links, ...] = ((Link(0),),) if len(call.shape) == 1 else ()
    return Outcome((total,), formulas=(Formula("units", text),), links=links)


@formula("Reshape")
def reshape(call: Call) -> Outcome:
    """The same values in another shape; one size may be -1 and is worked out."""
    target = tuple(call["target_shape"])
    total = math.prod(call.shape)
    if min(target, default=0) < -1 or target.count(-1) > 1:
        raise Refusal(
            f"`target_shape` of Reshape takes sizes and at most one -1, not {list(target)}",
            rule="wrong-value",
            argument="target_shape",
        )
    known = math.prod(size for size in target if size != -1)
    if (-1 in target and (not known or total % known)) or (-1 not in target and known != total):
        raise Refusal(
            f"Reshape does not fit its input: {shown(call.shape)} is {total:,} values, "
            f"{'x'.join('?' if size == -1 else str(size) for size in target)} "
            + (f"a multiple of {known:,}" if -1 in target else f"is {known:,}"),
            "use sizes with the same product, or -1 for one of them",
        )
    if -1 not in target:
        return Outcome(target, links=_reshape_links(call.shape, target))
    missing = total // known
    shape = tuple(missing if size == -1 else size for size in target)
    text = f"{total:,}/{known:,} = {missing:,}"
    return Outcome(shape, formulas=(Formula("-1", text),), links=_reshape_links(call.shape, shape))


def _reshape_links(shape: Shape, target: Shape) -> tuple[Links, ...]:
    """Axes survive where only axes of size 1 come or go."""
    before = [(axis, size) for axis, size in enumerate(shape) if size != 1]
    if [size for _, size in before] != [size for size in target if size != 1]:
        return ()
    left = iter(before)
    return (tuple(None if size == 1 else Link(next(left)[0]) for size in target),)


@formula("Permute")
def permute(call: Call) -> Outcome:
    """The axes in another order, counted from 1."""
    dims = tuple(call["dims"])
    if sorted(dims) != list(range(1, len(dims) + 1)):
        raise Refusal(
            f"`dims` of Permute takes each of 1 to {len(dims)} once, not {list(dims)}",
            rule="wrong-value",
            argument="dims",
        )
    if len(dims) != len(call.shape):
        raise Refusal(
            f"Permute takes {len(dims)} axes by its `dims` and gets {shown(call.shape)}",
            f"give {len(call.shape)} entries",
        )
    return Outcome(
        tuple(call.shape[dim - 1] for dim in dims), links=(tuple(Link(dim - 1) for dim in dims),)
    )


@formula("RepeatVector")
def repeat_vector(call: Call) -> Outcome:
    """A vector, `n` times."""
    need_axes(call, 1)
    return Outcome((call["n"], *call.shape), links=((None, Link(0)),))


def _pairs(call: Call, argument: str) -> tuple[tuple[int, int], ...]:
    """What is added or taken before and behind each axis, from any of its spellings."""
    rank, value = call.rank, call[argument]
    if rank == 1:
        before, behind = sizes(call, argument, 2, least=0)
        return ((before, behind),)
    given = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(given) != rank:
        raise Refusal(
            f"`{argument}` of {call.name} takes one integer, or {rank} integers or pairs of them, "
            f"not {value}",
            rule="wrong-value",
            argument=argument,
        )
    pairs = [size_list(call, argument, each, 2, least=0) for each in given]
    return tuple((before, behind) for before, behind in pairs)


def _moved(
    call: Call, spatial: Shape, texts: list[str], links: list[Link], channels: int
) -> Outcome:
    channel = Link(0 if call.channels_first else len(spatial))
    return Outcome(
        join(call, spatial, channels),
        formulas=size_formulas(texts),
        links=((channel, *links) if call.channels_first else (*links, channel),),
    )


@formula("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def zero_padding(call: Call) -> Outcome:
    """Zeros around: `before + size + behind`."""
    spatial, channels = split(call)
    pairs = _pairs(call, "padding")
    out = tuple(low + size + high for size, (low, high) in zip(spatial, pairs, strict=True))
    texts = [
        f"{low} + {size} + {high} = {total}"
        for size, (low, high), total in zip(spatial, pairs, out, strict=True)
    ]
    offset = 1 if call.channels_first else 0
    links = [Link(axis + offset, start=-low) for axis, (low, _) in enumerate(pairs)]
    return _moved(call, out, texts, links, channels)


@formula("Cropping1D", "Cropping2D", "Cropping3D")
def cropping(call: Call) -> Outcome:
    """The border off: `size - before - behind`."""
    spatial, channels = split(call)
    pairs = _pairs(call, "cropping")
    out = tuple(size - low - high for size, (low, high) in zip(spatial, pairs, strict=True))
    if min(out) <= 0:
        cropped = "x".join(f"{low}+{high}" for low, high in pairs)
        raise Refusal(
            f"{call.name} does not fit its input: it crops {cropped} off {shown(spatial)}",
            "crop less",
            shrunk=True,
        )
    texts = [
        f"{size} − {low} − {high} = {total}"
        for size, (low, high), total in zip(spatial, pairs, out, strict=True)
    ]
    offset = 1 if call.channels_first else 0
    links = [Link(axis + offset, start=low) for axis, (low, _) in enumerate(pairs)]
    return _moved(call, out, texts, links, channels)


@formula("UpSampling1D", "UpSampling2D", "UpSampling3D")
def up_sampling(call: Call) -> Outcome:
    """Each value repeated `size` times along each axis, or interpolated."""
    spatial, channels = split(call)
    factors = sizes(call, "size", call.rank)
    out = tuple(size * factor for size, factor in zip(spatial, factors, strict=True))
    texts = [
        f"{size}·{factor} = {total}"
        for size, factor, total in zip(spatial, factors, out, strict=True)
    ]
    offset = 1 if call.channels_first else 0
    interpolation = str(call["interpolation"] or "nearest")
    if interpolation not in {"nearest", "bilinear"}:
        return Outcome(join(call, out, channels), formulas=size_formulas(texts))
    links = [_enlarged(axis + offset, factor, interpolation) for axis, factor in enumerate(factors)]
    return _moved(call, out, texts, links, channels)


def _enlarged(axis: int, factor: int, interpolation: str) -> Link:
    """Output `i` repeats input `⌊i/factor⌋`, or lies between the two inputs around its centre."""
    if factor == 1:
        return Link(axis)
    from fractions import Fraction

    step = Fraction(1, factor)
    if interpolation == "nearest":
        return Link(axis, 2 - step, step, step - 1)
    return Link(axis, 3 - step / 2, step, step - Fraction(3, 2))
