"""Initializers, regularizers and constraints that take weights of certain ranks only."""

from __future__ import annotations

from collections.abc import Iterator

from cnnctl.arithmetic.facts import LayerFacts, Trace
from cnnctl.errors import Diagnostic
from cnnctl.specs import Component, Spec

ROLES = ("initializer", "regularizer", "constraint")

RANKS: dict[str, tuple[int, int]] = {
    "Identity": (2, 2),
    "Orthogonal": (2, 99),
    "OrthogonalRegularizer": (2, 2),
    "STFT": (3, 3),
}
"""The lowest and the highest rank that Keras takes. `tests/arithmetic/test_weight_ranks.py` tries
each on all ranks."""

_INSTEAD = {
    "Identity": "it makes matrices: use it for a Dense or recurrent kernel",
    "Orthogonal": "use it for a kernel",
    "OrthogonalRegularizer": "it compares the rows of a matrix: use it for a Dense kernel, or `L2`",
    "STFT": "it makes the kernel of a Conv1D",
}

_ATTENTION = frozenset({"GroupQueryAttention", "MultiHeadAttention"})
"""Layers whose kernels are those of dense layers inside: (inputs, heads, size)."""


def weight_ranks(spec: Spec, trace: Trace) -> Iterator[Diagnostic]:
    """Yield the components that Keras cannot apply to the weight that they are given for."""
    layers = {layer.name: layer.component for layer in spec.graph.layers}
    for facts in trace.layers:
        layer = layers[facts.name]
        for weight, shape in _weights(facts):
            for role in ROLES:
                component = layer.arguments.get(f"{weight}_{role}")
                if isinstance(component, Component) and not component.errors:
                    yield from _misplaced(component, facts.layer, weight, shape)
        penalty = layer.arguments.get("activity_regularizer")
        if isinstance(penalty, Component) and penalty.name == "OrthogonalRegularizer":
            yield Diagnostic(
                "weight-rank",
                "OrthogonalRegularizer needs a matrix whose size is known, and a batch of outputs "
                "may have any size",
                penalty.location,
                f"use `L2`, or `kernel_regularizer` of {facts.layer}",
            )


def _weights(facts: LayerFacts) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The weights of a layer as its arguments call them, and their shapes."""
    if facts.layer in _ATTENTION:
        yield "kernel", (0, 0, 0)
    for weight in facts.weights:
        name = weight.name.removesuffix("_kernel")
        if facts.layer.startswith("DepthwiseConv") and name == "kernel":
            name = "depthwise"
        yield name, weight.shape


def _misplaced(
    component: Component, layer: str, weight: str, shape: tuple[int, ...]
) -> Iterator[Diagnostic]:
    low, high = RANKS.get(component.name, (0, 99))
    size = "×".join(map(str, shape)) if all(shape) else f"of rank {len(shape)}"
    if not low <= len(shape) <= high:
        wanted = f"rank {low}" + (" or more" if high > low else "")
        yield Diagnostic(
            "weight-rank",
            f"{component.name} needs a weight of {wanted}, and the {weight} of {layer} is {size}",
            component.location,
            _INSTEAD[component.name],
        )
    axis = component.arguments.get("axis")
    axes = axis if isinstance(axis, list) else [axis]
    if component.kind == "constraint":
        for each in axes:
            if isinstance(each, int) and not -len(shape) <= each < len(shape):
                yield Diagnostic(
                    "weight-rank",
                    f"{component.name} has `axis: {each}`, and the {weight} of {layer} is {size}",
                    component.place("axis"),
                    f"use an axis from 0 to {len(shape) - 1}",
                )
