"""What makes a batch more than its images, so that parts of it would compute something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnctl.specs import Component, Spec

ACROSS = frozenset({
    "BatchNormalization", "CutMix", "Masking", "MelSpectrogram", "MixUp", "SpectralNormalization",
})  # fmt: skip
"""Layers for which an image's output depends on the other images of the batch, or that count
batches. MelSpectrogram measures decibels from the loudest value of the batch."""

MIXING = frozenset({"MelSpectrogram"})
"""Those of them that do so outside training as well."""

ONE_DRAW = frozenset({
    "AugMix", "RandAugment", "RandomCrop", "RandomElasticTransform", "RandomGaussianBlur",
})  # fmt: skip
"""Layers that draw something once for all images of a batch."""

LOSSES_ACROSS = frozenset({"Circle", "Dice", "Tversky"})
"""Losses that are no mean over images."""

MEANS = frozenset({"sum_over_batch_size", "mean", "mean_with_sample_weight"})
"""Reductions of a loss that are the mean over the images, which have no weights here."""

ADAPTING = frozenset({"CategoricalHinge", "Hinge", "SquaredHinge"})
"""Losses and metrics that look whether all labels of the batch are 0 or 1."""


def looking_across(spec: Spec) -> Iterator[Component]:
    """What of a spec sees the batch as a whole, or may: see `may_only`."""
    for layer in spec.graph.layers:
        for component in within(layer.component):
            if component.kind in {"layer", "activation"} and (
                component.name in ACROSS | ONE_DRAW
                or component.arguments.get("stateful")
                or component.arguments.get("mask_zero")
                or _has_noise_of_a_batch(component.arguments.get("noise_shape"))
                or _axes(component) & {0, None}
                or component.is_of_plugin
            ):
                yield component
            penalty = component.arguments.get("activity_regularizer")
            if isinstance(penalty, Component) and penalty.is_of_plugin:
                yield penalty
    yield from losses_across(spec)


def may_only(component: Component) -> bool:
    """Whether it is not known that a component sees the batch as a whole: that of a plug-in, or one
    with an axis that is the batch only where it has few others."""
    return (component.is_of_plugin and not is_no_mean(component)) or None in _axes(component)


def mixing(spec: Spec) -> Iterator[Component]:
    """What gives an image another output or metric in another batch, outside training as well."""
    for layer in spec.graph.layers:
        for component in within(layer.component):
            if component.kind in {"layer", "activation"} and (
                component.name in MIXING or component.is_of_plugin or _axes(component) & {0, None}
            ):
                yield component
    yield from losses_across(spec)
    assert spec.compile is not None
    for metric in spec.compile.metrics:
        axis = metric.arguments.get("axis", -1)
        if metric.is_of_plugin or axis != -1 or (metric.name in ADAPTING and _has_numbers(spec)):
            yield metric


def losses_across(spec: Spec) -> Iterator[Component]:
    """The loss of a spec, where it is no mean over the images of a batch; a plug-in's may be
    none."""
    assert spec.compile is not None
    loss = spec.compile.loss
    if (
        loss.name in LOSSES_ACROSS
        or is_no_mean(loss)
        or loss.arguments.get("ignore_class") is not None  # a mean over what is not ignored
        or loss.arguments.get("axis", -1) != -1
        or (loss.name in ADAPTING and _has_numbers(spec))
        or loss.is_of_plugin
    ):
        yield loss


def within(component: Component) -> Iterator[Component]:
    """A component and those in its arguments."""
    yield component
    for part in component.parts():
        yield from within(part)


def is_no_mean(loss: Component) -> bool:
    """Whether a spec asks for another reduction of a loss than the mean."""
    return loss.kind == "loss" and loss.arguments.get("reduction", "mean") not in MEANS


def _has_numbers(spec: Spec) -> bool:
    """Whether labels are any numbers, rather than classes."""
    return spec.data is not None and spec.data.label_mode == "float"


def _axes(component: Component) -> set[int | None]:
    """Which axes an activation or an attention works along: 0 is the batch. None stands for one
    counted from the end, which may be.

    Those of other layers are told from the batch by the arithmetic, which refuses it.
    """
    if component.kind == "activation":
        given, last = component.arguments.get("axis", -1), -1
    else:
        given, last = component.arguments.get("attention_axes"), -2
    axes = given if isinstance(given, list) else [] if given is None else [given]
    return {None if axis < last else axis for axis in axes}


def _has_noise_of_a_batch(shape: Any) -> bool:
    """Whether dropout's noise has a size of its own along the batch."""
    return bool(shape) and shape[0] is not None
