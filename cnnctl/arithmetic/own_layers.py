"""Layers of cnnctl's own that have parameters."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Outcome
from cnnctl.arithmetic.facts import Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import sizes
from cnnctl.arithmetic.windows import Window, padding, slid_shape, slide


@formula("LocallyConnected2D")
def locally_connected(call: Call) -> Outcome:
    """A convolution with weights of its own, bias included, at each place of the output.

    Parameters `out_h·out_w·(k·k·in·filters + filters)`; multiply-adds those of the convolution.
    """
    window = Window(
        sizes(call, "kernel_size", 2),
        sizes(call, "strides", 2),
        (1, 1),
        padding(call) if call["padding"] else "valid",
    )
    slid = slide(call, window)
    filters = call["filters"]
    kernel = (*slid.spatial, *window.size, slid.channels, filters)
    weights: tuple[Weight, ...] = (Weight("kernel", kernel),)
    if call["use_bias"]:
        weights = (*weights, Weight("bias", (*slid.spatial, filters)))
    return Outcome(
        slid_shape(call, slid, filters), weights, (kernel,), slid.formulas, slid.all_links(call)
    )
