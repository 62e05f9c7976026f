"""How the values of a trial are drawn, and when one is not worth going on: by Optuna."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from cnnctl.sweep.definition import Definition
from cnnctl.sweep.space import Parameter, Value

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial


def suggest(trial: Trial, parameter: Parameter) -> Value:
    """Let Optuna give a trial its value: one of the texts of a list, or a number of a range."""
    path = parameter.path
    if parameter.kind == "choice":
        return trial.suggest_categorical(path, parameter.values)
    if parameter.kind == "int":
        last = int(parameter.points[-1])
        return trial.suggest_int(path, int(parameter.low), last, step=parameter.step)
    is_log = parameter.kind == "log_uniform"
    return trial.suggest_float(path, parameter.low, parameter.high, log=is_log)


def sampler(definition: Definition, number: int) -> BaseSampler:
    """Draws the values of the trial of this number.

    Each trial has a seed of its own: which worker draws, and how many there are, is all the same
    to a random search.
    """
    from optuna.samplers import RandomSampler, TPESampler

    seed = random.Random(f"{definition.seed} {number}").getrandbits(32)
    if definition.method == "tpe":
        return TPESampler(seed=seed, constant_liar=True)
    return RandomSampler(seed=seed)


def pruner(definition: Definition) -> BasePruner:
    """Ends trainings that are not worth going on with."""
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

    if definition.prune == "median":
        return MedianPruner(n_startup_trials=4)
    if definition.prune == "hyperband":
        return HyperbandPruner(max_resource=max(definition.epochs, 2))
    return NopPruner()
