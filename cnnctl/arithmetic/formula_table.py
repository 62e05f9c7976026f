"""The table of rules: layer class name → the function that does its arithmetic.

A rule takes a `Call` and returns an `Outcome` (`cnnctl.arithmetic.calls`). A plug-in registers one
for its layer in the same way:

    @formula("MyLayer")
    def my_layer(call: Call) -> Outcome:
        return Outcome((call.shape[0], call["units"]))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cnnctl.arithmetic.calls import Call, Outcome
from cnnctl.arithmetic.facts import NoFormula

Rule: TypeAlias = Callable[[Call], Outcome]

_RULES: dict[str, Rule] = {}


def formula(*names: str) -> Callable[[Rule], Rule]:
    """Register the rule of the layers with these class names; the last one registered counts."""

    def register(rule: Rule) -> Rule:
        for name in names:
            _RULES[name] = rule
        return rule

    return register


def rule_of(name: str) -> Rule:
    """The rule of a layer class.

    Raises:
        NoFormula: There is none.
    """
    try:
        return _RULES[name]
    except KeyError:
        raise NoFormula(name) from None


def known() -> frozenset[str]:
    """The class names that have a rule."""
    return frozenset(_RULES)
