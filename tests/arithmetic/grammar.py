"""Random networks over the whole grammar of layer arguments, valid or not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from cnnctl.arithmetic import trace
from cnnctl.errors import SpecError
from cnnctl.specs.components import Component
from cnnctl.specs.graph import expand

from .twin import layer

Draw = Callable[[st.SearchStrategy[Any]], Any]
FORMATS = ("channels_last", "channels_last", "channels_last", "channels_first")


def per_axis(rank: int, low: int, high: int) -> st.SearchStrategy[Any]:
    """One number, or one for each axis."""
    number = st.integers(low, high)
    return st.one_of(number, st.lists(number, min_size=rank, max_size=rank))


def mostly(value: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The usual value three times out of four."""
    return st.sampled_from(range(4)).flatmap(lambda each: other if each == 3 else st.just(value))


def pairs(rank: int, high: int) -> st.SearchStrategy[Any]:
    """The spellings of padding and cropping."""
    number = st.integers(0, high)
    if rank == 1:
        return st.one_of(number, st.lists(number, min_size=2, max_size=2))
    pair = st.lists(number, min_size=2, max_size=2)
    return st.one_of(
        number,
        st.lists(number, min_size=rank, max_size=rank),
        st.lists(pair, min_size=rank, max_size=rank),
    )


def window(draw: Draw, rank: int) -> dict[str, Any]:
    arguments = {
        "kernel_size": draw(per_axis(rank, 1, 4)),
        "strides": draw(mostly(1, per_axis(rank, 1, 3))),
        "padding": draw(st.sampled_from(["valid", "same"])),
        "use_bias": draw(st.booleans()),
    }
    if draw(st.integers(0, 3)) == 0:
        arguments["dilation_rate"] = draw(per_axis(rank, 1, 3))
        if draw(st.integers(0, 3)):
            arguments["strides"] = 1
    return arguments


def convolution(draw: Draw, rank: int, fmt: str, channels: int) -> Component:
    arguments = window(draw, rank)
    if rank == 1 and draw(st.integers(0, 2)) == 0:
        arguments["padding"] = "causal"
    groups = draw(mostly(1, st.sampled_from([1, 2, 3, channels])))
    filters = groups * draw(st.integers(1, 3)) + draw(mostly(0, st.integers(0, 1)))
    trainable = draw(mostly(True, st.booleans()))
    return layer(
        f"Conv{rank}D",
        filters=filters,
        groups=groups,
        data_format=fmt,
        trainable=trainable,
        **arguments,
    )


def depthwise(draw: Draw, rank: int, fmt: str, channels: int) -> Component:
    depth = draw(st.integers(1, 3))
    arguments = {**window(draw, rank), "depth_multiplier": depth, "data_format": fmt}
    if draw(st.booleans()):
        return layer(f"DepthwiseConv{rank}D", **arguments)
    return layer(f"SeparableConv{rank}D", filters=draw(st.integers(1, 5)), **arguments)


def transposed(draw: Draw, rank: int, fmt: str, channels: int) -> Component:
    arguments = window(draw, rank)
    if "dilation_rate" not in arguments:
        arguments["strides"] = draw(per_axis(rank, 1, 4))
    strides = arguments["strides"]
    least = strides if isinstance(strides, int) else min(strides)
    low = 1 if arguments["padding"] == "same" else 0  # TensorFlow fails at 0 and an even reach
    if least > low and draw(st.integers(0, 2)) == 0:
        fitting = st.integers(low, least - 1)
        arguments["output_padding"] = draw(mostly(draw(fitting), per_axis(rank, low, 2)))
    filters = draw(st.integers(1, 4))
    return layer(f"Conv{rank}DTranspose", filters=filters, data_format=fmt, **arguments)


def pooling(draw: Draw, rank: int, fmt: str, channels: int) -> Component:
    kind = draw(st.sampled_from(["Max", "Average"]))
    form = draw(st.sampled_from(["", "", "", "Global", "Adaptive"]))
    name = f"{form}{kind}Pooling{rank}D"
    if form == "Global":
        return layer(name, keepdims=draw(st.booleans()), data_format=fmt)
    if form == "Adaptive":
        return layer(name, output_size=draw(per_axis(rank, 2, 5)), data_format=fmt)
    return layer(
        name,
        pool_size=draw(per_axis(rank, 1, 4)),
        strides=draw(st.one_of(st.none(), per_axis(rank, 1, 3))),
        padding=draw(st.sampled_from(["valid", "same"])),
        data_format=fmt,
    )


def border(draw: Draw, rank: int, fmt: str, channels: int) -> Component:
    kind = draw(st.sampled_from(["ZeroPadding", "Cropping", "UpSampling"]))
    arguments: dict[str, Any] = {} if rank == 1 and kind != "ZeroPadding" else {"data_format": fmt}
    if kind == "UpSampling":
        size = draw(st.integers(1, 3)) if rank == 1 else draw(per_axis(rank, 1, 3))
        return layer(f"UpSampling{rank}D", size=size, **arguments)
    key = "padding" if kind == "ZeroPadding" else "cropping"
    return layer(f"{kind}{rank}D", **{key: draw(pairs(rank, 3))}, **arguments)


def anywhere(draw: Draw, shape: tuple[int, ...]) -> Component:
    """A layer that takes an input of any rank."""
    axis = draw(st.integers(-len(shape), len(shape)).filter(bool))
    flags = {"center": draw(st.booleans()), "scale": draw(st.booleans())}
    last = shape[axis] if axis < 0 else shape[axis - 1]
    groups = draw(st.sampled_from([-1, 1, 2, last]))
    shared = draw(st.one_of(st.none(), st.lists(st.integers(1, len(shape)), max_size=2)))
    order = draw(st.permutations(range(1, len(shape) + 1)))
    parts = [-1, draw(st.sampled_from([1, 2, 3, math.prod(shape)]))]
    choices = [
        layer("Dense", units=draw(st.integers(1, 6)), use_bias=draw(st.booleans())),
        layer("BatchNormalization", axis=axis, **flags),
        layer("LayerNormalization", axis=axis, **flags),
        layer("GroupNormalization", axis=axis, groups=groups, **flags),
        layer("RMSNormalization"),
        layer("PReLU", shared_axes=shared),
        layer("Dropout", rate=0.3),
        layer("Activation", activation="relu"),
        layer("Flatten"),
        layer("Permute", dims=order),
        layer("Reshape", target_shape=draw(st.permutations(parts))),
        layer("Normalization", axis=axis),
    ]
    return draw(st.sampled_from(choices))


def of_few_axes(draw: Draw, shape: tuple[int, ...]) -> Component:
    """A layer that takes a vector or a sequence."""
    units = draw(st.integers(1, 4))
    if len(shape) == 1:
        return layer("RepeatVector", n=draw(st.integers(1, 8)))
    name = draw(st.sampled_from(["SimpleRNN", "GRU", "LSTM"]))
    inner = layer(name, units=units, return_sequences=draw(st.booleans()))
    if draw(st.booleans()):
        return inner
    return layer("Bidirectional", layer=inner, merge_mode=draw(st.sampled_from(["concat", "sum"])))


def over_time(draw: Draw, rank: int, fmt: str, channels: int) -> Component:
    """A layer that takes the first axis as time, and a picture of one axis less."""
    arguments = {**window(draw, rank - 1), "filters": draw(st.integers(1, 3)), "data_format": fmt}
    if draw(st.booleans()):
        sequences = draw(st.booleans())
        return layer(f"ConvLSTM{rank - 1}D", return_sequences=sequences, **arguments)
    return layer("TimeDistributed", layer=layer(f"Conv{rank - 1}D", **arguments))


def one(draw: Draw, shape: tuple[int, ...], fmt: str) -> Component:
    """A layer for an input of this shape, though it need not fit."""
    rank = len(shape) - 1
    channels = shape[0] if fmt == "channels_first" else shape[-1]
    if not 1 <= rank <= 3:
        few = rank == 0 and draw(st.integers(0, 2)) == 0
        return of_few_axes(draw, shape) if few else anywhere(draw, shape)
    families = [convolution, convolution, pooling, transposed, border]
    families += [depthwise] if rank < 3 else []
    kind = draw(st.integers(0, 9))
    if kind == 9:
        return of_few_axes(draw, shape) if rank == 1 else over_time(draw, rank, fmt, channels)
    if kind >= 7:
        return anywhere(draw, shape)
    return draw(st.sampled_from(families))(draw, rank, fmt, channels)


@st.composite
def networks(draw: Draw) -> tuple[tuple[int, ...], list[Component]]:
    """An input shape and a network of up to seven layers; only the last one may not fit."""
    rank = draw(st.integers(1, 3))
    fmt = draw(st.sampled_from(FORMATS))
    spatial = tuple(draw(st.integers(3, 14 if rank < 3 else 8)) for _ in range(rank))
    channels = draw(st.integers(1, 4))
    shape = (channels, *spatial) if fmt == "channels_first" else (*spatial, channels)
    first, layers = shape, []
    for step in range(draw(st.integers(1, 5))):
        if draw(st.integers(0, 4)) == 0:
            layers += branches(draw, shape, fmt, step)
        else:
            layers.append(one(draw, shape, fmt))
        try:
            shape = trace(expand(layers), first).output_shape
        except SpecError:
            break
        if math.prod(shape) > 20_000:
            break
    return first, layers


def branches(draw: Draw, shape: tuple[int, ...], fmt: str, step: int) -> list[Component]:
    """Two ways from here, merged."""
    start, ways = f"start_{step}", [f"left_{step}", f"right_{step}"]
    found = [layer("Identity", name=start)]
    made = one(draw, shape, fmt)
    for way in ways:
        if way == ways[1] and draw(st.integers(0, 3)) == 0:
            made = one(draw, shape, fmt)
        arguments = {**made.arguments, "name": way}
        found.append(layer(made.name, [start], **arguments))
    merge = draw(st.sampled_from(["Add", "Multiply", "Average", "Subtract", "Concatenate"]))
    extra = {"axis": draw(st.sampled_from([-1, 1]))} if merge == "Concatenate" else {}
    return [*found, layer(merge, ways, **extra)]
