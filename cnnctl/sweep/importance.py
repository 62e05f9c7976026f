"""Which parameters made the difference: fANOVA over the finished trials."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnctl.sweep.space import Space

if TYPE_CHECKING:
    import optuna

METHOD = "fANOVA (Hutter, Hoos and Leyton-Brown 2014)"

TRIALS_EACH = 4
"""How many finished trials a parameter needs; of fewer, a forest of trees tells nothing."""


@dataclass(frozen=True)
class Importance:
    """How much of the variance of the figure each parameter explains.

    Args:
        parts: By path, the greatest first; they add up to 1. Empty if it cannot be told.
        reason: Why it cannot be told.
        method: How it was worked out.
    """

    parts: dict[str, float]
    reason: str | None = None
    method: str = METHOD

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"method": self.method, "parts": self.parts or None, "reason": self.reason}


def importance(study: optuna.Study, space: Space) -> Importance:
    """Work out the importance of each parameter, or say why it cannot be.

    Args:
        study: Optuna's study.
        space: What is varied.
    """
    done = [each for each in study.get_trials(deepcopy=False) if each.state.name == "COMPLETE"]
    varied = [each for each in space if len(each.points) != 1]
    needed = TRIALS_EACH * len(varied)
    if len(varied) < 2:
        return Importance({}, "one parameter alone is varied")
    if len(done) < needed:
        return Importance(
            {}, f"too few trials: {len(done)} finished, and {len(varied)} parameters need {needed}"
        )
    if len({each.value for each in done}) == 1:
        return Importance({}, "every trial came to the same figure")
    if importlib.util.find_spec("sklearn") is None:
        return Importance({}, "it needs scikit-learn: pip install 'cnnctl[sweep]'")
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    found = get_param_importances(
        study, evaluator=FanovaImportanceEvaluator(seed=0), params=[each.path for each in varied]
    )
    return Importance(dict(sorted(found.items(), key=lambda item: -item[1])))
