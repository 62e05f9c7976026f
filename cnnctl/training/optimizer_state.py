"""The optimizer's state where a training goes on with other trainable weights or arguments."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

Key = tuple[int | None, str]
"""The number of the weight that a variable belongs to, None for the optimizer's own, and its
role."""


def carry_over(
    before: keras.Model, now: keras.Model, numbers: Mapping[int, int] | None = None
) -> list[str]:
    """Give an optimizer the state that another one had for the same weights.

    Keras stores an optimizer's variables by number, and the numbers are others once a layer is
    frozen or released. Variables belong together if they have the same role for the same weight.

    Args:
        before: The network as it was, compiled, with the optimizer's state.
        now: Compiled, with its weights and a built optimizer.
        numbers: The number of each weight of `now` that is one of `before` → its number there; by
            default the weights are the same.

    Returns:
        The layers for which the optimizer starts afresh.
    """
    old, new = _keys(before), _keys(now)
    if numbers is not None:
        renumbered = {theirs: own for own, theirs in numbers.items()}
        old = [(n if n is None else renumbered.get(n, -1 - n), role) for n, role in old]
    if old == new:
        pairs = list(zip(before.optimizer.variables, now.optimizer.variables, strict=True))
    elif len(set(old)) < len(old) or len(set(new)) < len(new):
        pairs = []  # Adafactor gives several variables the same name
    else:
        known = dict(zip(old, before.optimizer.variables, strict=True))
        pairs = [
            (known[key], variable)
            for key, variable in zip(new, now.optimizer.variables, strict=True)
            if key in known
        ]
    fitting = {id(own): value for value, own in pairs if value.shape == own.shape}
    fresh: dict[str, None] = {}
    for (number, role), variable in zip(new, now.optimizer.variables, strict=True):
        if id(variable) in fitting:
            variable.assign(np.asarray(fitting[id(variable)]))
        elif number is not None:
            fresh[_layers_of(now)[number]] = None
            if role == "average":  # of `use_ema`; it would begin at zero, in the middle of a run
                variable.assign(now.weights[number])
    return list(fresh)


def _keys(model: keras.Model) -> list[Key]:
    """What each variable of a model's optimizer belongs to."""
    optimizer = model.optimizer
    weights = {weight.path.replace("/", "_") + "_": n for n, weight in enumerate(model.weights)}
    found: list[Key] = []
    for variable in optimizer.variables:
        name = variable.path.removeprefix(f"{optimizer.name}/")
        start = max((each for each in weights if name.startswith(each)), key=len, default="")
        found.append((weights.get(start), name.removeprefix(start)))
    return found


def _layers_of(model: keras.Model) -> list[str]:
    """The name of the layer of each weight of a model."""
    return [layer.name for layer in model.layers for _ in layer.weights]
