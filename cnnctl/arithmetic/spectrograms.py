"""Spectrograms of sound: STFTSpectrogram and MelSpectrogram."""

from __future__ import annotations

import math

from cnnctl.arithmetic.calls import Call, Outcome, Refusal
from cnnctl.arithmetic.facts import Formula, Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import need_axes, refuse_open, shown
from cnnctl.arithmetic.windows import Window, padding, slide


@formula("STFTSpectrogram")
def stft(call: Call) -> Outcome:
    """A convolution of each channel with the waves of `fft_length / 2 + 1` frequencies."""
    need_axes(call, 2)
    length = call["frame_length"]
    step = call["frame_step"] or length // 2
    points = call["fft_length"] or 2 ** math.ceil(math.log2(length))
    if step > length or points < length:
        raise Refusal(
            f"STFTSpectrogram takes `frame_step` of at most `frame_length` and `fft_length` of at "
            f"least it, not {step} and {points} with {length}",
            rule="contradictory-arguments",
            argument="frame_length",
        )
    waves = points // 2 + 1
    mode = call["mode"]
    names = [name for name, other in (("real", "imag"), ("imag", "real")) if mode != other]
    weights = tuple(Weight(f"{name}_kernel", (length, 1, waves)) for name in names)
    sequence = Call("Conv1D", call.arguments, call.shapes)
    slid = slide(sequence, Window((length,), (step,), (1,), padding(call)))
    frames, channels = slid.spatial[0], slid.channels
    if call.channels_first:
        refuse_open(call.name, [channels])
    rows = 2 * waves if mode == "stft" else waves
    macs = ((len(names), frames, channels, length, waves),)
    shape: tuple[int, ...]
    if call["expand_dims"]:
        shape = (channels, frames, rows) if call.channels_first else (frames, rows, channels)
    else:
        width = rows * channels
        shape = (width, frames) if call.channels_first else (frames, width)
    return Outcome(shape, weights, macs, slid.formulas)


@formula("MelSpectrogram")
def mel(call: Call) -> Outcome:
    """`num_mel_bins` x frames of a signal; no parameters, multiply-adds not counted."""
    if len(call.shape) != 1:
        raise Refusal(f"MelSpectrogram takes a signal (samples) and gets {shown(call.shape)}")
    points = call["fft_length"]
    if (call["sequence_length"] or 0) > points:
        raise Refusal(
            f"MelSpectrogram takes `sequence_length` of at most `fft_length`, not "
            f"{call['sequence_length']} with {points}",
            "lower it, or leave it away",
            rule="contradictory-arguments",
            argument="sequence_length",
        )
    if call.shape[0] <= points // 2:
        raise Refusal(
            f"MelSpectrogram mirrors {points // 2} samples at each end, and its signal has "
            f"{call.shape[0]}",
            f"set `fft_length` to less than {2 * call.shape[0]}",
            argument="fft_length",
        )
    stride = call["sequence_stride"]
    frames = (call.shape[0] + stride + 1) // stride
    text = f"⌊({call.shape[0]} + {stride} + 1)/{stride}⌋ = {frames}"
    return Outcome((call["num_mel_bins"], frames), macs=None, formulas=(Formula("frames", text),))
