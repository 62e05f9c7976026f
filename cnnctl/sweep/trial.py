"""What a trial of Optuna's is to a sweep: its ticket, whether it counts, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def is_void(trial: FrozenTrial) -> bool:
    """Whether a trial was lost with its worker, given back, or is one too many: it does not count.

    A trial that failed of itself says why.
    """
    return trial.state.name == "FAIL" and "reason" not in trial.user_attrs


def ticket_of(trial: FrozenTrial) -> int:
    """The ticket of a trial; 0 of one that is not cnnctl's."""
    ticket = trial.user_attrs.get("ticket")
    return ticket if isinstance(ticket, int) else 0


def counting(trials: Sequence[FrozenTrial]) -> dict[int, FrozenTrial]:
    """The trial that counts of each ticket that has one."""
    found: dict[int, FrozenTrial] = {}
    for trial in sorted(trials, key=lambda each: each.number):
        if ticket_of(trial) and not is_void(trial):
            found.setdefault(ticket_of(trial), trial)
    return found


def owner_of(trial: FrozenTrial) -> tuple[str, str]:
    """The folder and the name of the worker that took a trial; empty if it does not say."""
    owner = trial.user_attrs.get("owner")
    if isinstance(owner, list) and len(owner) == 2:
        return str(owner[0]), str(owner[1])
    return "", ""


def copy_of(lost: FrozenTrial) -> FrozenTrial:
    """A trial to be taken up again, with what was drawn, reported and trained."""
    import optuna

    kept = {k: v for k, v in lost.user_attrs.items() if k not in {"owner", "beat", "given_back"}}
    if not lost.user_attrs.get("given_back"):
        kept["losses"] = int(kept.get("losses", 0)) + 1
    return optuna.create_trial(
        state=optuna.trial.TrialState.WAITING,
        params=lost.params,
        distributions=lost.distributions,
        user_attrs=kept,
        system_attrs={k: v for k, v in lost.system_attrs.items() if k == "fixed_params"},
        intermediate_values=lost.intermediate_values,
    )
