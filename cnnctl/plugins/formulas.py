"""The arithmetic of a plug-in's layer: asked as any other rule, and not believed as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnctl.arithmetic.calls import Call, Outcome, Refusal
from cnnctl.arithmetic.facts import Weight
from cnnctl.arithmetic.registry import NoFormula

if TYPE_CHECKING:
    from cnnctl.arithmetic.registry import Rule

RULE = "bad-formula"


def guarded(rule: Rule) -> Rule:
    """A rule whose own failure is a fault of the layer's line, and no traceback.

    Args:
        rule: A plug-in's. It may raise `Refusal` for an input that does not fit, and `NoFormula`.
    """

    def apply(call: Call) -> Outcome:
        try:
            outcome = rule(call)
        except (Refusal, NoFormula):
            raise
        except Exception as error:
            from cnnctl.blame import places_in_plugins

            where = "".join(f" ({place})" for place in places_in_plugins(error))
            reason = f"{type(error).__name__}: {error}{where}"
            raise Refusal(f"the formula of {call.name} fails: {reason}", rule=RULE) from error
        if not _is_sane(outcome):
            raise Refusal(
                f"the formula of {call.name} gives no Outcome of whole numbers: {outcome!r:.100}",
                "return Outcome(shape, weights, macs), see cnnctl/arithmetic/calls.py",
                rule=RULE,
            )
        return outcome

    return apply


def _is_sane(outcome: Any) -> bool:
    return (
        isinstance(outcome, Outcome)
        and _are_sizes(outcome.shape)
        and isinstance(outcome.weights, tuple)
        and all(isinstance(each, Weight) and _are_sizes(each.shape) for each in outcome.weights)
        and (outcome.macs is None or all(map(_are_sizes, outcome.macs)))
    )


def _are_sizes(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)
