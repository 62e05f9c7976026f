"""Transposed convolutions."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Link, Outcome, Refusal
from cnnctl.arithmetic.convolution import bias
from cnnctl.arithmetic.facts import Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import join, size_formulas, sizes, split
from cnnctl.arithmetic.windows import kernel_window


@formula("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def transposed(call: Call) -> Outcome:
    """Each input value is spread over a window of the output, `strides` apart.

    Sizes as in `keras.src.backend.common.backend_utils._get_output_shape_given_tf_padding`;
    multiply-adds `inputs·k·k·filters·in`, those that fall into the cropped border included.
    """
    window = kernel_window(call)
    spatial, channels = split(call)
    extra: tuple[int | None, ...] = (None,) * call.rank
    if call["output_padding"] is not None:
        extra = sizes(call, "output_padding", call.rank, least=0)
        for more, stride in zip(extra, window.strides, strict=True):
            if more is not None and more >= stride:
                raise Refusal(
                    f"`output_padding` of {call.name} is smaller than `strides`, "
                    f"not {more} with strides of {stride}",
                    f"use {stride - 1} or less",
                    rule="contradictory-arguments",
                    argument="output_padding",
                )
    out, texts, links = [], [], []
    for axis, size in enumerate(spatial):
        taps, stride, gap = window.size[axis], window.strides[axis], window.dilation[axis]
        reach = gap * (taps - 1) + 1
        if window.padding == "same" and extra[axis] == 0 and reach % 2 == 0:
            raise Refusal(
                f"TensorFlow cannot compute {call.name} with `padding: same`, an even reach "
                f"of {reach} and `output_padding` of 0",
                "leave `output_padding` away",
                rule="contradictory-arguments",
                argument="output_padding",
            )
        length, text = _length(size, reach, stride, window.padding, extra[axis])
        out.append(length)
        texts.append(text)
        before = _cropped(reach, stride, window.padding, extra[axis])
        links.append(_link(axis + call.channels_first, reach, stride, before))
    filters = call["filters"]
    kernel = (*window.size, filters, channels)
    return Outcome(
        join(call, out, filters),
        (Weight("kernel", kernel), *bias(call, filters)),
        ((*spatial, *kernel),),
        size_formulas(texts),
        ((None, *links) if call.channels_first else (*links, None),),
    )


def _length(size: int, reach: int, stride: int, padding: str, extra: int | None) -> tuple[int, str]:
    """The length of one axis of the output, and its formula."""
    if padding == "same" and extra is None:
        return size * stride, f"{size}·{stride} = {size * stride}"
    if extra is None:
        extra = max(reach, stride) - reach
    base = reach if padding == "valid" else reach % 2
    length = (size - 1) * stride + base + extra
    tail = f" + {extra}" if extra else ""
    return length, f"({size} − 1)·{stride} + {base}{tail} = {length}"


def _cropped(reach: int, stride: int, padding: str, extra: int | None) -> int:
    """How many positions are cropped in front.

    As in `backend_utils._convert_conv_transpose_padding_args_from_keras_to_jax`.
    """
    if padding == "valid":
        return 0
    pad = stride + reach - 2 if extra is None else reach + reach % 2 - 2 + extra
    return reach - 1 - min(pad // 2 + pad % 2, reach - 1)


def _link(axis: int, reach: int, stride: int, cropped: int) -> Link:
    """Output `i` gets from the inputs `p` with `i + cropped - reach < p * stride <= i + cropped`.

    Between the strides the bounds are fractions of a position.
    """
    if stride == 1:
        return Link(axis, reach, 1, cropped - reach + 1)
    from fractions import Fraction

    one = Fraction(1, stride)
    return Link(axis, 1 + (reach - 1) * one, one, (cropped - reach + 1) * one)
