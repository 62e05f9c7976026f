"""Convolutions: Conv1D to Conv3D, depthwise and separable ones."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Outcome, Refusal
from cnnctl.arithmetic.facts import Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.windows import Slid, kernel_window, slid_shape, slide


def bias(call: Call, size: int) -> tuple[Weight, ...]:
    """The bias of a layer with this many outputs, if it has one."""
    return (Weight("bias", (size,)),) if call["use_bias"] else ()


def refuse_uneven(call: Call, channels: int) -> None:
    """Refuse groups that do not divide the channels that come in or those that go out."""
    groups, filters = call["groups"], call["filters"]
    for count, what in ((filters, "filters"), (channels, "channels of its input")):
        if count % groups:
            raise Refusal(
                f"{groups} groups of {call.name} do not divide its {count} {what}"
                if what == "filters"
                else f"{groups} groups of {call.name} do not divide the {count} {what}",
                f"use `groups` that divide {count}: {divisors(count)}",
                rule="uneven-groups",
                argument="groups",
            )


def divisors(count: int) -> str:
    """The divisors of a number, as a hint lists them."""
    found = [str(each) for each in range(1, min(count, 1024) + 1) if count % each == 0]
    return ", ".join(found if len(found) <= 8 else [*found[:7], "…"])


@formula("Conv1D", "Conv2D", "Conv3D")
def convolution(call: Call) -> Outcome:
    """Each filter spans a window and the channels of its group.

    Parameters `k·k·(in/groups)·filters + filters`, multiply-adds `outputs·k·k·(in/groups)·filters`.
    """
    window = kernel_window(call, causal=call.rank == 1)
    filters, groups = call["filters"], call["groups"]
    slid = slide(call, window)
    refuse_uneven(call, slid.channels)
    return _convolved(call, slid, (*window.size, slid.channels // groups, filters), filters)


@formula("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise(call: Call) -> Outcome:
    """Each channel has `depth_multiplier` kernels of its own: `k·k·in·multiplier` and a bias."""
    window = kernel_window(call, exclusive=False)
    slid = slide(call, window)
    multiplier = call["depth_multiplier"]
    kernel = (*window.size, slid.channels, multiplier)
    return _convolved(call, slid, kernel, slid.channels * multiplier)


def _convolved(call: Call, slid: Slid, kernel: tuple[int, ...], filters: int) -> Outcome:
    """What comes of one kernel that slides over the input."""
    return Outcome(
        slid_shape(call, slid, filters),
        (Weight("kernel", kernel), *bias(call, filters)),
        ((*slid.spatial, *kernel),),
        slid.formulas,
        slid.all_links(call),
    )


@formula("SeparableConv1D", "SeparableConv2D")
def separable(call: Call) -> Outcome:
    """A depthwise convolution, then a 1x1 convolution over its channels."""
    window = kernel_window(call, exclusive=False)
    slid = slide(call, window)
    kernel = (*window.size, slid.channels, call["depth_multiplier"])
    filters = call["filters"]
    between = slid.channels * call["depth_multiplier"]
    pointwise = (*(1,) * call.rank, between, filters)
    return Outcome(
        slid_shape(call, slid, filters),
        (
            Weight("depthwise_kernel", kernel),
            Weight("pointwise_kernel", pointwise),
            *bias(call, filters),
        ),
        ((*slid.spatial, *kernel), (*slid.spatial, between, filters)),
        slid.formulas,
        slid.all_links(call),
    )
