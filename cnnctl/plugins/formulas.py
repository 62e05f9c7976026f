"""The arithmetic of a plug-in's layer: asked as any other rule, and not believed as one."""

from __future__ import annotations

from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

from cnnctl.arithmetic.calls import Call, Link, Outcome, Refusal
from cnnctl.arithmetic.facts import Formula, NoFormula, Shape, Weight
from cnnctl.plugins.traceback import places_in_plugins

if TYPE_CHECKING:
    from cnnctl.arithmetic.formula_table import Rule

RULE = "bad-formula"


def guarded(rule: Rule) -> Rule:
    """A rule whose own failure is an error of the layer's line, and no traceback.

    Args:
        rule: A plug-in's. It may raise `Refusal` for an input that does not fit, and `NoFormula`.
    """

    def apply(call: Call) -> Outcome:
        try:
            outcome = rule(call)
        except (Refusal, NoFormula):
            raise
        except Exception as error:
            where = "".join(f" ({place})" for place in places_in_plugins(error))
            reason = f"{type(error).__name__}: {error}{where}"
            raise Refusal(f"the formula of {call.name} fails: {reason}", rule=RULE) from error
        if not _is_sane(outcome, call):
            raise Refusal(
                f"the formula of {call.name} gives no sound Outcome: {outcome!r:.100}",
                "return Outcome(shape, weights, macs, links=links), see `cnnctl.Outcome`",
                rule=RULE,
            )
        return outcome

    return apply


def _is_sane(outcome: Any, call: Call) -> bool:
    return (
        isinstance(outcome, Outcome)
        and _are_sizes(outcome.shape)
        and _are(outcome.weights, Weight)
        and all(_are_sizes(each.shape) for each in outcome.weights)
        and (outcome.macs is None or _are(outcome.macs, (tuple, list)))
        and all(_are_sizes(tuple(each)) for each in outcome.macs or ())
        and _are(outcome.formulas, Formula)
        and _are(outcome.links, tuple)
        and all(map(partial(_fit, outcome), outcome.links, call.shapes))
        and len(outcome.links) <= len(call.shapes)
    )


def _are(values: Any, kind: Any) -> bool:
    return isinstance(values, tuple) and all(isinstance(each, kind) for each in values)


def _are_sizes(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)


def _fit(outcome: Outcome, links: Any, shape: Shape) -> bool:
    """Whether there is a link for each axis of the output, to an axis that the input has."""
    return len(links) == len(outcome.shape) and all(
        each is None
        or (
            isinstance(each, Link)
            and each.axis in range(len(shape))
            and all(isinstance(figure, Real) for figure in each)
        )
        for each in links
    )
