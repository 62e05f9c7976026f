"""Windows that slide over an image: what convolution and pooling have in common.

Sizes are those of Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning",
in TensorFlow's reading of `same`: as many outputs as strides fit, the padding that this takes split
evenly, the odd one behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cnnctl.arithmetic.calls import Call, Link, Links, Refusal
from cnnctl.arithmetic.facts import Formula, Shape
from cnnctl.arithmetic.shapes import join, shown, size_formulas, sizes, split


class Window(NamedTuple):
    """A window along all spatial axes, one entry for each.

    Args:
        size: Its extent in taps.
        strides: Steps from one position to the next.
        dilation: Distance between taps.
        padding: `valid`, `same` or `causal`.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str


class Slid(NamedTuple):
    """A window slid over an input.

    Args:
        spatial: The sizes of the output.
        channels: The channels of the input.
        formulas: How the sizes came about.
        links: How the output's spatial axes look at the input's.
    """

    spatial: Shape
    channels: int
    formulas: tuple[Formula, ...]
    links: tuple[Link, ...]

    def all_links(self, call: Call, channel: Link | None = None) -> tuple[Links, ...]:
        """The links of all of the output's axes, the channels' in its place."""
        return ((channel, *self.links) if call.channels_first else (*self.links, channel),)


def padding(call: Call, *, causal: bool = False) -> str:
    """The `padding` argument.

    Raises:
        Refusal: The layer does not take it.
    """
    value = str(call["padding"]).lower()
    allowed = ("valid", "same", "causal") if causal else ("valid", "same")
    if value not in allowed:
        also = "; only Conv1D takes `causal`" if value == "causal" else ""
        raise Refusal(
            f"`padding` of {call.name} takes {' or '.join(allowed)}, not {value}{also}",
            rule="wrong-value",
            argument="padding",
        )
    return value


def kernel_window(call: Call, *, causal: bool = False, exclusive: bool = True) -> Window:
    """The window that the arguments of a convolution describe.

    Args:
        call: The convolution.
        causal: Whether it takes `padding: causal`.
        exclusive: Whether strides and dilation exclude each other.

    Raises:
        Refusal: The arguments contradict one another.
    """
    rank = call.rank
    window = Window(
        sizes(call, "kernel_size", rank),
        sizes(call, "strides", rank),
        sizes(call, "dilation_rate", rank),
        padding(call, causal=causal),
    )
    if exclusive and max(window.strides) > 1 and max(window.dilation) > 1:
        raise Refusal(
            f"{call.name} takes `strides` or `dilation_rate` above 1, not both: "
            f"{shown(window.strides)} and {shown(window.dilation)}",
            "set one of them to 1",
            rule="contradictory-arguments",
            argument="dilation_rate",
        )
    return window


def slide(call: Call, window: Window, noun: str = "kernel") -> Slid:
    """Slide a window over the input of a layer.

    Raises:
        Refusal: The input has not the layer's number of axes, or is smaller than the window.
    """
    spatial, channels = split(call)
    out, texts, links = [], [], []
    offset = 1 if call.channels_first else 0
    for axis, size in enumerate(spatial):
        taps, stride, gap = window.size[axis], window.strides[axis], window.dilation[axis]
        reach = gap * (taps - 1) + 1
        if window.padding == "valid":
            length = (size - reach) // stride + 1
            if length <= 0:
                raise _too_large(call, window, noun, spatial)
            before = 0
            extent = str(taps) if gap == 1 else f"{gap}·({taps} − 1) − 1"
            texts.append(f"⌊({size} − {extent})/{stride}⌋ + 1 = {length}")
        else:
            length = -(-size // stride)
            before = max((length - 1) * stride + reach - size, 0) // 2
            if window.padding == "causal":
                before = reach - 1
            texts.append(f"⌈{size}/{stride}⌉ = {length}")
        out.append(length)
        links.append(Link(axis + offset, reach, stride, -before))
    return Slid(tuple(out), channels, size_formulas(texts), tuple(links))


def slid_shape(call: Call, slid: Slid, channels: int) -> Shape:
    """The output's shape, with this many channels."""
    return join(call, slid.spatial, channels)


def _too_large(call: Call, window: Window, noun: str, spatial: Sequence[int]) -> Refusal:
    what = f"a {shown(window.size)} {noun}"
    if max(window.dilation) > 1:
        what += f" with `dilation_rate` {shown(window.dilation)}"
    if len(spatial) == 1:
        what = f"a {noun} of {window.size[0]}" + what.removeprefix(f"a {shown(window.size)} {noun}")
    return Refusal(
        f"{call.name} does not fit its input: {what} on {shown(spatial)}",
        "use `padding: same`",
        shrunk=True,
    )
