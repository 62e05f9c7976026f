"""Layers that give back the shape they get: activations, dropout, augmentation of the values."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Outcome, Refusal, same
from cnnctl.arithmetic.facts import Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import axes_of, need_axes


@formula(
    "Activation",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "Identity",
    "Masking",
    "Dropout",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    "Rescaling",
)
def identity(call: Call) -> Outcome:
    """Each value on its own; `noise_shape` and lists of factors have entries for the axes."""
    noise, axes = call["noise_shape"], (None, *call.shape)
    if noise and (
        len(noise) != len(axes)
        or any(
            each not in (None, 1, size) for each, size in zip(noise[1:], call.shape, strict=True)
        )
    ):
        raise Refusal(
            f"`noise_shape` of {call.name} has one entry for each axis, the batch first, which is "
            f"null, 1 or the size: they are [null, {', '.join(map(str, call.shape))}]",
            rule="wrong-value",
            argument="noise_shape",
        )
    for argument in ("scale", "offset"):
        given = call[argument]
        if isinstance(given, list | tuple) and len(given) not in (1, call.shape[-1]):
            raise Refusal(
                f"`{argument}` of {call.name} has {len(given)} numbers, and the last axis of its "
                f"input {call.shape[-1]}",
                "give one number, or one for each place",
                argument=argument,
            )
    return Outcome(call.shape, links=(same(call.shape),))


@formula("Softmax")
def softmax(call: Call) -> Outcome:
    """Normalized along an axis, or several."""
    mixed = axes_of(call)
    links = tuple(None if link and link.axis in mixed else link for link in same(call.shape))
    return Outcome(call.shape, links=(links,))


@formula("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")
def spatial_dropout(call: Call) -> Outcome:
    """Whole channels at once."""
    need_axes(call, call.rank + 1)
    return Outcome(call.shape, links=(same(call.shape),))


@formula("PReLU")
def prelu(call: Call) -> Outcome:
    """One slope for each value of the input, or one along all of `shared_axes`."""
    slopes = list(call.shape)
    shared = call["shared_axes"]
    for axis in [shared] if isinstance(shared, int) else shared or []:
        if not -len(slopes) <= axis - 1 < len(slopes):
            raise Refusal(
                f"`shared_axes` of PReLU names axis {axis} of an input of {len(slopes)} axes",
                f"use 1 to {len(slopes)}",
                argument="shared_axes",
            )
        slopes[axis - 1] = 1
    return Outcome(call.shape, (Weight("alpha", tuple(slopes)),), links=(same(call.shape),))
