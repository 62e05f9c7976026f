"""Contradictions inside one component: arguments that are each right and do not go together.

Keras would find them when the model is built, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnctl.errors import Diagnostic
from cnnctl.specs.components import Component
from cnnctl.specs.spec import Spec

_BOUNDS = (("minval", "maxval"), ("min_value", "max_value"), ("start", "initial_learning_rate"))
"""Arguments of which the first is not above the second."""

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
"""Of an optimizer's arguments: one at most."""


def contradictory(spec: Spec) -> Iterator[Diagnostic]:
    """Every component of a spec whose arguments contradict one another."""
    components = [*spec.model.layers, *spec.fit.callbacks]
    if spec.compile:
        components += [spec.compile.optimizer, spec.compile.loss, *spec.compile.metrics]
    for component in components:
        for each in (component, *component.parts()):
            yield from _bounds(each)
            yield from _clips(each)
            yield from _boundaries(each)


def _bounds(component: Component) -> Iterator[Diagnostic]:
    for lower, upper in _BOUNDS:
        low, high = component.arguments.get(lower), component.arguments.get(upper)
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            yield Diagnostic(
                "start-above-end",
                f"`{lower}` of {component.name} is {low}, and its `{upper}` is {high}",
                component.place(lower),
                f"lower `{lower}`, or raise `{upper}`",
            )


def _clips(component: Component) -> Iterator[Diagnostic]:
    given = [name for name in _CLIPS if component.arguments.get(name) is not None]
    if len(given) > 1:
        first, second = sorted(given, key=list(component.arguments).index)[:2]
        yield Diagnostic(
            "contradictory-arguments",
            f"{component.name} takes one of `{first}` and `{second}`",
            component.place(second),
            "keep one of the two",
        )


def _boundaries(component: Component) -> Iterator[Diagnostic]:
    boundaries, values = (component.arguments.get(key) for key in ("boundaries", "values"))
    if isinstance(boundaries, list) and isinstance(values, list):
        needed = len(boundaries) + 1
        if len(values) != needed:
            yield Diagnostic(
                "contradictory-arguments",
                f"{component.name} has {len(boundaries)} `boundaries` and {len(values)} `values`",
                component.place("values"),
                f"give {needed} `values`: one before each boundary, and one behind the last",
            )
