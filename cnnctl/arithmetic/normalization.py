"""Normalization layers: their weights; the shape stays."""

from __future__ import annotations

from typing import Any

from cnnctl.arithmetic.calls import Call, Outcome, Refusal, same
from cnnctl.arithmetic.convolution import divisors
from cnnctl.arithmetic.evaluate import evaluate
from cnnctl.arithmetic.facts import Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import axes_of, axis_of, shown
from cnnctl.arithmetic.wrappers import RECURRENT


def _affine(call: Call, shape: tuple[int, ...]) -> tuple[Weight, ...]:
    scale = (Weight("gamma", shape),) if call["scale"] else ()
    center = (Weight("beta", shape),) if call["center"] else ()
    return scale + center


@formula("BatchNormalization")
def batch_normalization(call: Call) -> Outcome:
    """Per channel: gamma and beta are trained, the moving mean and variance are kept."""
    shape = (call.shape[axis_of(call, int(call["axis"]))],)
    kept = ["moving_mean", "moving_variance"]
    if call["renorm"]:
        kept += ["moving_stddev", "renorm_mean", "renorm_stddev"]
    weights = (*_affine(call, shape), *(Weight(name, shape, trainable=False) for name in kept))
    return Outcome(call.shape, weights, links=(same(call.shape),))


@formula("LayerNormalization")
def layer_normalization(call: Call) -> Outcome:
    """One gamma and one beta for each place along `axis`; statistics of each image."""
    axes = axes_of(call)
    shape = tuple(call.shape[axis] for axis in axes)
    return Outcome(call.shape, _affine(call, shape), links=(_mixed(call, axes),))


@formula("RMSNormalization")
def rms_normalization(call: Call) -> Outcome:
    """One scale for each place along `axis`; Keras lays it over the last axes in any case."""
    axes = axes_of(call)
    if axes != list(range(len(call.shape) - len(axes), len(call.shape))):
        last = -1 if len(axes) == 1 else list(range(-len(axes), 0))
        raise Refusal(
            f"RMSNormalization takes the last axes of its input alone, in their order, not "
            f"{call['axis']}",
            f"write `axis: {last}`",
            rule="wrong-value",
            argument="axis",
        )
    shape = tuple(call.shape[axis] for axis in axes)
    return Outcome(call.shape, (Weight("scale", shape),), links=(_mixed(call, axes),))


@formula("UnitNormalization")
def unit_normalization(call: Call) -> Outcome:
    """Length 1 along `axis`, no parameters."""
    return Outcome(call.shape, links=(_mixed(call, axes_of(call)),))


@formula("GroupNormalization")
def group_normalization(call: Call) -> Outcome:
    """Gamma and beta per channel; each group of channels is normalized over the whole image."""
    place = axis_of(call, call["axis"])
    channels, groups = call.shape[place], call["groups"]
    if groups == -1:
        groups = channels
    if channels % groups:
        raise Refusal(
            f"{groups} groups of GroupNormalization do not divide {channels} channels",
            f"use `groups` that divide {channels}: {divisors(channels)}",
            rule="uneven-groups",
            argument="groups",
        )
    return Outcome(call.shape, _affine(call, (channels,)))


@formula("SpectralNormalization")
def spectral_normalization(call: Call) -> Outcome:
    """The wrapped layer and one vector, as long as the last axis of its kernel."""
    layer = call.layer("layer")
    inner = evaluate(layer, call.shapes)
    kernel = next((each for each in inner.weights if each.name in {"kernel", "embeddings"}), None)
    if kernel is None or layer.name in {*RECURRENT, "Bidirectional", "TimeDistributed"}:
        raise Refusal(
            f"SpectralNormalization takes a layer with a kernel of its own, and {layer} has none",
            rule="wrong-value",
            argument="layer",
        )
    vector = Weight("vector_u", (1, kernel.shape[-1]), trainable=False)
    return Outcome(inner.shape, (*inner.weights, vector), inner.macs, inner.formulas, inner.links)


@formula("Normalization")
def normalization(call: Call) -> Outcome:
    """Mean and variance that come from the data, and a count of it; none if they are given."""
    axis = call["axis"]
    axes = [] if axis is None else [axis] if isinstance(axis, int) else list(axis)
    shape = tuple(call.shape[place] for place in sorted(axis_of(call, each) for each in axes))
    mean, variance = call["mean"], call["variance"]
    if (mean is None) != (variance is None):
        raise Refusal(
            "Normalization takes `mean` and `variance` together",
            "give both, or neither",
            rule="contradictory-arguments",
            argument="mean" if variance is None else "variance",
        )
    if mean is None:
        kept = (("mean", shape), ("variance", shape), ("count", ()))
        weights = tuple(Weight(name, size, trainable=False) for name, size in kept)
        return Outcome(call.shape, weights, links=(same(call.shape),))
    for argument in ("mean", "variance"):
        given = _nested_shape(call[argument])
        fits = len(given) <= len(shape) and all(
            size in {1, whole}
            for size, whole in zip(reversed(given), reversed(shape), strict=False)
        )
        if not fits or given != _nested_shape(mean):
            raise Refusal(
                f"`{argument}` of Normalization has {shown(given)} values where its input has "
                f"{shown(shape)} along `axis`",
                argument=argument,
            )
    return Outcome(call.shape, links=(same(call.shape),))


def _nested_shape(value: Any) -> tuple[int, ...]:
    if isinstance(value, list | tuple):
        return (len(value), *(_nested_shape(value[0]) if value else ()))
    return ()


def _mixed(call: Call, axes: list[int]) -> tuple[Any, ...]:
    return tuple(None if link and link.axis in axes else link for link in same(call.shape))
