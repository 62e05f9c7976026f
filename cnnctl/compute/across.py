"""What makes a batch more than its pictures, so that parts of it would compute something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnctl.catalog import load
from cnnctl.spec import Component, Spec

ACROSS = frozenset({
    "BatchNormalization", "CutMix", "Masking", "MixUp", "SpectralNormalization",
})  # fmt: skip
"""Layers for which a picture's output depends on the other pictures of the batch, or that count
batches."""

ONE_DRAW = frozenset({
    "AugMix", "RandAugment", "RandomCrop", "RandomElasticTransform", "RandomGaussianBlur",
})  # fmt: skip
"""Layers that draw something once for all pictures of a batch."""

LOSSES_ACROSS = frozenset({"Circle", "Dice", "Tversky"})
"""Losses that are no mean over pictures."""


def looking_across(spec: Spec) -> Iterator[Component]:
    """What of a spec sees the batch as a whole. A plug-in's layer, loss or regularizer may."""
    for layer in spec.graph.layers:
        for component in within(layer.component):
            if component.kind in {"layer", "activation"} and (
                component.name in ACROSS | ONE_DRAW
                or component.arguments.get("stateful")
                or component.arguments.get("mask_zero")
                or _has_noise_of_a_batch(component.arguments.get("noise_shape"))
                or (component.kind == "activation" and component.arguments.get("axis") == 0)
                or of_plugin(component)
            ):
                yield component
            penalty = component.arguments.get("activity_regularizer")
            if isinstance(penalty, Component) and of_plugin(penalty):
                yield penalty
    yield from losses_across(spec)


def losses_across(spec: Spec) -> Iterator[Component]:
    """The loss of a spec, where it is no mean over the pictures of a batch; a plug-in's may be
    none."""
    assert spec.compile is not None
    loss = spec.compile.loss
    if (
        loss.name in LOSSES_ACROSS
        or is_no_mean(loss)
        or loss.arguments.get("ignore_class") is not None  # a mean over what is not ignored
        or loss.arguments.get("axis", -1) != -1
        or of_plugin(loss)
    ):
        yield loss


def within(component: Component) -> Iterator[Component]:
    """A component and those in its arguments."""
    yield component
    for part in component.parts():
        yield from within(part)


def is_no_mean(loss: Component) -> bool:
    """Whether a spec asks for another reduction of a loss than the mean."""
    return bool(loss.arguments.get("reduction", "sum_over_batch_size") != "sum_over_batch_size")


def of_plugin(component: Component) -> bool:
    """Whether a component is neither Keras's nor cnnctl's own."""
    entry = load().find(component.kind, component.name)
    return entry is not None and entry.is_of_plugin


def _has_noise_of_a_batch(shape: Any) -> bool:
    """Whether dropout's noise has a size of its own along the batch."""
    return bool(shape) and shape[0] is not None
