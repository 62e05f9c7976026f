"""The model that takes the checkpoint of a training's best epoch."""

from __future__ import annotations

import keras

from cnnctl.compute.strategy import Replicas
from cnnctl.data.preparation import Prepared
from cnnctl.network.averages import spec_of
from cnnctl.network.build import build, compile_model
from cnnctl.runs.run import Run
from cnnctl.specs.difference import differences
from cnnctl.training.compiled_model import CompiledModel


def model_of_best(
    run: Run, data: Prepared, compiled: CompiledModel, replicas: Replicas
) -> keras.Model:
    """Return the model that was trained, or another one where the best epoch's weights need it.

    The optimizer of that epoch may be from before a change of the spec; and of several devices or
    processes one saves and evaluates alone.

    Args:
        run: With its checkpoint `best`.
        data: The data, and the spec of the training.
        compiled: The model that was trained.
        replicas: Who trained it.
    """
    best = spec_of(run.checkpoint("best")) or data.spec
    changed = differences(best, data.spec)
    if all(not each.path.startswith("compile.optimizer") for each in changed):
        if replicas.strategy is None:
            return compiled.model
        best = data.spec
    alone = build(best, data.input_shape)
    compile_model(alone, best, compiled.plan)
    alone.optimizer.build(alone.trainable_variables)
    return alone
