"""One layer, by its rule: defaults filled in, frozen weights marked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnnctl.arithmetic.calls import Call, Outcome
from cnnctl.arithmetic.facts import Shape
from cnnctl.arithmetic.formula_table import rule_of

if TYPE_CHECKING:
    from cnnctl.specs.components import Component


def evaluate(component: Component, shapes: tuple[Shape, ...]) -> Outcome:
    """What comes of a layer applied to inputs of these shapes.

    Raises:
        Refusal: It does not fit them, or its arguments contradict one another.
        NoFormula: Its class has no rule.
    """
    rule = rule_of(component.name)
    arguments = {**defaults(component), **component.arguments}
    outcome = rule(Call(component.name, arguments, shapes))
    if arguments.get("trainable") is False:
        weights = tuple(replace(weight, trainable=False) for weight in outcome.weights)
        outcome = outcome._replace(weights=weights)
    return outcome


def defaults(component: Component) -> dict[str, Any]:
    """The defaults of a component's arguments, from the catalog; none if it is not in it."""
    from cnnctl.catalog import load

    entry = load().find(component.kind, component.name)
    if entry is None:
        return {}
    return {each.name: each.default for each in entry.arguments if not each.required}
