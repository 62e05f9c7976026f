"""The weights of a checkpoint as they are used: averaged, where the optimizer averages them.

With `use_ema: true` Keras's `fit` trains and validates the weights as they are, and ends by putting
their moving averages in their place. A checkpoint keeps both, since a training that goes on needs
both; whoever predicts takes the averages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from cnnctl.compat import SWAPPED
from cnnctl.network.build import build, construct
from cnnctl.network.weights import load_weights
from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import SPEC, STATE
from cnnctl.specs import Spec, load

_MAX_SPEC = 1 << 24


def load_averaged(model: keras.Model, path: Path) -> None:
    """Put the weights of a file into a model, as Keras's `fit` would have ended with them.

    Args:
        model: As in `load_weights`.
        path: As in `load_weights`; only a checkpoint folder has averages beside the weights.

    Raises:
        CheckpointError: As in `load_weights`.
    """
    load_weights(model, path)
    spec = _averaging(path) if path.is_dir() else None
    if spec is None:
        return
    assert spec.compile
    twin = build(spec, model.input_shape[1:])
    twin.compile(construct(spec.compile.optimizer))
    twin.optimizer.build(twin.trainable_variables)
    load_weights(twin, path)
    twin.optimizer.finalize_variable_values(twin.trainable_variables)
    model.set_weights(twin.get_weights())


def spec_of(folder: Path) -> Spec | None:
    """The spec that a checkpoint was trained by; None if it does not hold it, as of old versions.

    Raises:
        CheckpointError: The checkpoint is damaged.
    """
    files = checkpoint.read(folder, _MAX_SPEC, names={SPEC})
    return load(folder / SPEC, recorded=True) if SPEC in files else None


def _averaging(folder: Path) -> Spec | None:
    """The spec of a checkpoint whose averages are beside its weights, not among them already."""
    spec = spec_of(folder)
    if not (spec and spec.compile and spec.compile.optimizer.arguments.get("use_ema", False)):
        return None
    files = checkpoint.read(folder, names={STATE})
    return None if _swapped(checkpoint.state_of(files, folder)) else spec


def _swapped(state: dict[str, Any]) -> bool:
    """Whether `SwapEMAWeights: {swap_on_epoch: true}` had put the averages into the model."""
    saved = [each.get("state") for each in state.get("callbacks") or () if isinstance(each, dict)]
    return any(isinstance(each, dict) and each.get(SWAPPED) for each in saved)
