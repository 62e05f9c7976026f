"""Reading sizes from arguments, and finding axes in shapes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from cnnctl.arithmetic.calls import Call, Refusal
from cnnctl.arithmetic.facts import Formula, Open, Shape

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""What the spatial axes are called, by how many there are."""

TAKES_AXES = "the layer that takes the axes away"
"""In a hint: the layer above that has fewer axes than its input, by name where there is one."""

_TAKES = {1: "a sequence", 2: "a picture", 3: "a volume"}


def shown(shape: Sequence[int]) -> str:
    """A shape as messages write it: `28x28x1`."""
    return "x".join(map(str, shape)) or "a single number"


def same_but_for_ones(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    """Whether a shape is another one, but for axes of length 1."""
    return [size for size in shape if size != 1] == [size for size in wanted if size != 1]


def sizes(call: Call, argument: str, count: int, *, least: int = 1) -> tuple[int, ...]:
    """An argument that is one integer for all axes or a list of one for each.

    Raises:
        Refusal: It has the wrong length, or an entry is too small.
    """
    return size_list(call, argument, call[argument], count, least=least)


def size_list(
    call: Call, argument: str, value: Any, count: int, *, least: int = 1
) -> tuple[int, ...]:
    """As `sizes`, for a value that is part of an argument."""
    given = (value,) * count if isinstance(value, int) else tuple(value)
    if len(given) != count or not all(isinstance(each, int) for each in given):
        numbers = "one integer" if count == 1 else f"one integer or {count}"
        raise Refusal(
            f"`{argument}` of {call.name} takes {numbers}, not {_listed(value)}",
            rule="wrong-value",
            argument=argument,
        )
    if min(given) < least:
        raise Refusal(
            f"`{argument}` of {call.name} takes integers of at least {least}, not {_listed(value)}",
            rule="wrong-value",
            argument=argument,
        )
    return given


def _listed(value: Any) -> str:
    return f"[{', '.join(map(_listed, value))}]" if isinstance(value, list | tuple) else str(value)


def split(call: Call) -> tuple[Shape, int]:
    """The spatial sizes and the channels of the input.

    Raises:
        Refusal: The input has not as many axes as the layer is made for.
    """
    need_axes(call, call.rank + 1)
    if call.channels_first:
        return call.shape[1:], call.shape[0]
    return call.shape[:-1], call.shape[-1]


def join(call: Call, spatial: Sequence[int], channels: int) -> Shape:
    """The other way round: a shape in the layer's `data_format`."""
    return (channels, *spatial) if call.channels_first else (*spatial, channels)


def need_axes(call: Call, count: int) -> None:
    """Refuse an input that has not this many axes, the batch not counted."""
    shape = call.shape
    if len(shape) == count:
        return
    if axes := AXES.get(count - 1):
        names = ", ".join(("channels", *axes) if call.channels_first else (*axes, "channels"))
        takes = f"{_TAKES[count - 1]} ({names})"
    else:
        takes = f"{count} {'axis' if count == 1 else 'axes'}"
    if len(shape) == 1 < count:
        hint = f"put {call.name} above {TAKES_AXES}, or a Reshape before it"
    elif len(shape) == count - 1:
        longer = (1, *shape) if call.channels_first else (*shape, 1)
        hint = f"put `Reshape: {{target_shape: {_listed(longer)}}}` before it"
    elif count == 2:
        hint = sequence_hint(shape)
    elif count == 1:
        hint = "put `Flatten` before it"
    else:
        hint = "put a Reshape before it"
    raise Refusal(f"{call.name} takes {takes} and gets {shown(shape)}", hint)


def refuse_open(what: str, needed: Iterable[int]) -> None:
    """Refuse sizes that Keras does not know when it builds the network.

    Args:
        what: What needs them: `the kernel of Dense`.
        needed: The sizes.
    """
    for size in needed:
        if isinstance(size, Open):
            raise Refusal(
                f"{what} needs the size {size}, which Keras does not know: a null in the "
                "`output_shape` of an EinsumDense leaves it open",
                size.fix,
            )


def sequence_hint(shape: Shape) -> str:
    """The fix where a sequence is needed: the same values as steps of the first axis."""
    return f"put `Reshape: {{target_shape: [{shape[0]}, {math.prod(shape[1:])}]}}` before it"


def axis_of(call: Call, axis: int, shape: Shape | None = None, argument: str = "axis") -> int:
    """The place in a shape without the batch of an axis as Keras counts it, the batch being 0.

    Raises:
        Refusal: There is no such axis, or it is the batch.
    """
    shape = call.shape if shape is None else shape
    rank = len(shape) + 1
    place = axis + rank if axis < 0 else axis
    if 0 < place < rank:
        return place - 1
    what = "is the batch" if place == 0 else "does not exist"
    raise Refusal(
        f"`{argument}: {axis}` of {call.name} {what} in its input of {shown(shape)}",
        f"use -1 for the last axis, or 1 to {rank - 1}",
        argument=argument,
    )


def axes_of(call: Call) -> list[int]:
    """The places of the axes that `axis` names, one or several, in Keras's order.

    Raises:
        Refusal: One does not exist, is the batch, or is named twice.
    """
    axis = call["axis"]
    named = sorted(axis) if isinstance(axis, list | tuple) else [axis]
    places = [axis_of(call, each) for each in named]
    if len(set(places)) < len(places):
        raise Refusal(
            f"`axis` of {call.name} names an axis twice: {_listed(axis)}",
            "name each once",
            rule="wrong-value",
            argument="axis",
        )
    return places


def size_formulas(texts: Sequence[str]) -> tuple[Formula, ...]:
    """Formulas of the spatial sizes, in order of the axes."""
    return tuple(Formula(axis, text) for axis, text in zip(AXES[len(texts)], texts, strict=True))
