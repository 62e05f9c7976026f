"""Pooling: with a window, adaptive, and global. None of it has parameters."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Link, Outcome, Refusal
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import join, need_axes, size_formulas, sizes, split
from cnnctl.arithmetic.windows import Window, padding, slid_shape, slide


@formula(
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "LpPooling2D",
    "WeightedAveragePooling2D",
)
def pooling(call: Call) -> Outcome:
    """One value for each window and channel; strides are the window's size by default."""
    rank = call.rank
    size = sizes(call, "pool_size", rank)
    strides = size if call["strides"] is None else sizes(call, "strides", rank)
    window = Window(size, strides, (1,) * rank, padding(call))
    slid = slide(call, window, "window")
    channel = Link(0 if call.channels_first else rank)
    return Outcome(
        slid_shape(call, slid, slid.channels),
        formulas=slid.formulas,
        links=slid.all_links(call, channel),
    )


@formula(
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
)
def adaptive(call: Call) -> Outcome:
    """The output has the size asked for: window `i` is `⌊i·in/out⌋` to `⌈(i + 1)·in/out⌉`."""
    rank = call.rank
    out = sizes(call, "output_size", rank)
    if 1 in out:
        globally = call.name.replace("Adaptive", "Global")
        whole = f"use `{globally}: {{keepdims: true}}`"
        raise Refusal(
            f"TensorFlow cannot compute {call.name} with an `output_size` of 1",
            whole if max(out) == 1 else "use sizes of at least 2",
            rule="wrong-value",
            argument="output_size",
        )
    spatial, channels = split(call)
    if 1 in spatial:
        raise Refusal(
            f"TensorFlow cannot compute {call.name} of an input with a side of 1",
            "pool before that side is 1, or remove the layer",
        )
    offset = 1 if call.channels_first else 0
    links = [
        _adaptive_link(axis + offset, size, count)
        for axis, (size, count) in enumerate(zip(spatial, out, strict=True))
    ]
    channel = Link(0 if call.channels_first else rank)
    return Outcome(
        join(call, out, channels),
        formulas=size_formulas([f"output_size = {size}" for size in out]),
        links=((channel, *links) if call.channels_first else (*links, channel),),
    )


def _adaptive_link(axis: int, size: int, count: int) -> Link:
    """The smallest windows, all alike, that hold those of an axis.

    The bounds `i·size/count` are multiples of `1/q` where `q` is the denominator of `size/count`,
    and every remainder occurs: rounding moves each by up to `(q - 1)/q`.
    """
    if size % count == 0:
        step = size // count
        return Link(axis, step, step)
    from fractions import Fraction

    ratio = Fraction(size, count)
    rounded = 1 - Fraction(1, ratio.denominator)
    return Link(axis, ratio + 2 * rounded, ratio, -rounded)


@formula(
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
)
def global_pooling(call: Call) -> Outcome:
    """One value for each channel; `keepdims` keeps the spatial axes, of size 1."""
    need_axes(call, call.rank + 1)
    spatial, channels = split(call)
    if not call["keepdims"]:
        channel = Link(0 if call.channels_first else call.rank)
        return Outcome((channels,), links=((channel,),))
    offset = 1 if call.channels_first else 0
    links = [Link(axis + offset, size) for axis, size in enumerate(spatial)]
    channel = Link(0 if call.channels_first else call.rank)
    return Outcome(
        join(call, (1,) * call.rank, channels),
        links=((channel, *links) if call.channels_first else (*links, channel),),
    )
