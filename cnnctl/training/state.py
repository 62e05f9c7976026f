"""The state of callbacks, so that a training that goes on does so as if it had never stopped.

Keras keeps none of it. For Keras's own callbacks the attributes that change while they train are
listed in `compat.py`; a plug-in's callback takes part with two methods, `get_state() -> dict` of
JSON values and `set_state(dict)`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnnctl.compat import CALLBACK_STATE
from cnnctl.data.npz import read_arrays
from cnnctl.errors import CheckpointError, DataError, shortened


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds of one callback, checked.

    Args:
        state: Its attributes; for a plug-in's callback, what its `get_state` gave.
        best_weights: Those of an EarlyStopping that restores them.
    """

    state: dict[str, Any]
    best_weights: list[np.ndarray] | None = None


def capture(callbacks: Sequence[keras.callbacks.Callback]) -> list[dict[str, Any]]:
    """The state of each callback, as JSON values."""
    return [{"class": type(each).__name__, "state": _state(each)} for each in callbacks]


def parse(
    names: Sequence[str], states: Any, data: bytes | None, model: keras.Model, checkpoint: Path
) -> list[Saved]:
    """Check captured states, which are read from a file.

    Args:
        names: The classes of the callbacks, in their order.
        states: What `capture` gave.
        data: What `arrays` gave.
        model: The network.
        checkpoint: Where they were read.

    Raises:
        CheckpointError: The states are not of these callbacks, or the arrays not of this network.
    """
    problem = CheckpointError(f"{checkpoint} holds the state of other callbacks than the spec's")
    if not isinstance(states, list) or len(states) != len(names):
        raise problem
    best = _best_weights(names, data, model, checkpoint)
    found = []
    for index, (name, each) in enumerate(zip(names, states, strict=True)):
        if not isinstance(each, dict) or each.get("class") != name:
            raise problem
        state = each.get("state")
        if not isinstance(state, dict):
            raise problem
        for key, kind in CALLBACK_STATE.get(name, {}).items():
            value = state.get(key)
            is_figure = kind is float and (value is None or type(value) is int)
            if type(value) is not kind and not is_figure:
                raise CheckpointError(
                    f"{checkpoint} is damaged: `{key}` of {name} is {value!r:.50}"
                )
        found.append(Saved(state, best.get(index)))
    return found


def restore(callbacks: Sequence[keras.callbacks.Callback], saved: Sequence[Saved]) -> None:
    """Put checked states into callbacks that were made anew.

    Args:
        callbacks: In the same order. Keras's reset themselves in `on_train_begin`: after that.
        saved: What `parse` gave.
    """
    for callback, each in zip(callbacks, saved, strict=True):
        if attributes := _attributes(callback):
            for key in attributes:
                setattr(callback, key, each.state[key])
        elif callable(set_state := getattr(callback, "set_state", None)) and each.state:
            set_state(each.state)
        if each.best_weights is not None:
            callback.best_weights = each.best_weights


def arrays(callbacks: Sequence[keras.callbacks.Callback]) -> bytes | None:
    """The arrays that callbacks keep, as an `.npz` file: the best weights of an EarlyStopping that
    restores them. None if there are none."""
    found: dict[str, Any] = {}
    for index, callback in enumerate(callbacks):
        if isinstance(callback, keras.callbacks.EarlyStopping) and callback.best_weights:
            for number, array in enumerate(callback.best_weights):
                found[f"{index}-{number:05d}"] = _stored(array)
    if not found:
        return None
    buffer = io.BytesIO()
    np.savez(buffer, **found)
    return buffer.getvalue()


def _best_weights(
    names: Sequence[str], data: bytes | None, model: keras.Model, checkpoint: Path
) -> dict[int, list[np.ndarray]]:
    """What `arrays` gave, by the number of the callback."""
    if data is None:
        return {}
    problem = f"{checkpoint} holds arrays that are not this network's"
    weights = model.get_weights()
    stored = [_stored(weight) for weight in weights]
    keys = {
        index: [f"{index}-{number:05d}" for number in range(len(weights))]
        for index, name in enumerate(names)
        if name == "EarlyStopping"
    }
    wanted = {key for each in keys.values() for key in each}
    try:
        found, others = read_arrays(io.BytesIO(data), "it", wanted, 2 * len(data))
    except DataError as error:
        raise CheckpointError(f"{problem}: {error.message}") from error
    best = {}
    for index, each in keys.items():
        mine = [found.pop(key) for key in each if key in found]
        if not mine:
            continue
        if [(a.shape, a.dtype) for a in mine] != [(a.shape, a.dtype) for a in stored]:
            raise CheckpointError(problem)
        best[index] = [a.view(weight.dtype) for a, weight in zip(mine, weights, strict=True)]
        if not all(np.isfinite(a).all() for a in best[index]):
            raise CheckpointError(f"{problem}: they are not finite")
    if others:
        raise CheckpointError(f"{problem}: {shortened(others[0])}")
    return best


def _attributes(callback: keras.callbacks.Callback) -> dict[str, type]:
    """Which attributes of a callback of Keras's are kept; none of another one."""
    is_own = type(callback).__module__.startswith("keras.")
    return CALLBACK_STATE.get(type(callback).__name__, {}) if is_own else {}


def _state(callback: keras.callbacks.Callback) -> dict[str, Any]:
    if attributes := _attributes(callback):
        return {key: _plain(getattr(callback, key, None)) for key in attributes}
    get_state = getattr(callback, "get_state", None)
    return dict(get_state()) if callable(get_state) else {}


def _stored(array: np.ndarray) -> np.ndarray:
    """An array in a type that NumPy's files know: the bits of those that they do not, bfloat16."""
    return array if array.dtype.kind in "biuf" else array.view(f"u{array.dtype.itemsize}")


def _plain(value: Any) -> Any:
    """A number as JSON has it; exact, since float32 is within float64."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return np.asarray(value).item()
