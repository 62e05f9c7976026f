"""The compiled model of a training and its input pipelines, ready for the first step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnnctl import compat
from cnnctl.compute import replica_steps as of_replicas
from cnnctl.compute import steps
from cnnctl.compute.computation import Computation
from cnnctl.compute.feed import Feed
from cnnctl.compute.plan import Plan
from cnnctl.compute.strategy import Replicas
from cnnctl.compute.updates import unfuse
from cnnctl.data.preparation import Prepared
from cnnctl.errors import SpecError, listed
from cnnctl.network.build import build, compile_model
from cnnctl.network.failures import reason_of
from cnnctl.network.weights import load_bytes
from cnnctl.runs.checkpoint import ARRAYS, WEIGHTS
from cnnctl.specs import Spec
from cnnctl.specs.monitor_rules import monitored
from cnnctl.training import state
from cnnctl.training.kept_weights import keep_weights
from cnnctl.training.optimizer_state import carry_over
from cnnctl.training.results import Start


@dataclass(frozen=True)
class CompiledModel:
    """What `model.fit` is called with.

    Args:
        model: Compiled, with the weights that it begins with.
        feed: The training images.
        validation: The images held out, if there are any.
        plan: How steps are computed: as was asked, or without what the network does not allow.
        saved: The state of the callbacks; None where they start afresh.
        notes: What users should know of how it begins.
    """

    model: keras.Model
    feed: Feed
    validation: Feed | None
    plan: Plan
    saved: list[state.Saved] | None
    notes: tuple[str, ...] = ()


def compile_for(data: Prepared, computation: Computation, start: Start) -> CompiledModel:
    """Build the network of a training, with its input pipelines and the weights it begins with.

    Args:
        data: The data, and the spec with `compile` and `fit` that it was prepared for.
        computation: Where and by what plan steps are computed.
        start: Where the training begins.

    Raises:
        SpecError: Keras refuses something, or a callback monitors what is not reported.
        CheckpointError: The checkpoint is not of this network, or not of these callbacks.
    """
    spec, plan, replicas = data.spec, computation.plan, computation.replicas
    classes = data.classes if data.one_hot else 0
    # Several devices take their images from the processor's memory.
    place = computation.device.places[0] if replicas.count == 1 else "CPU:0"
    feed = Feed(
        data.dataset.train,
        data.normalization,
        batch_size=spec.fit.batch_size,
        classes=classes,
        shuffle=spec.fit.shuffle,
        seed=spec.seed,
        device=place,
    )
    with replicas.scope():
        model = build(spec, data.input_shape)
    # What TensorFlow distributes is the step, not Keras's loop around it, which fails where several
    # processes share a model (keras-team/keras#20585).
    compat.forget_strategy(model)
    compile_model(model, spec, plan, scope=replicas.scope)
    with replicas.scope():
        model.optimizer.build(model.trainable_variables)
    if replicas.strategy:
        compat.skip_reduction(model.optimizer)  # the steps sum them, before clipping
    rate = model.optimizer.learning_rate
    fixed = isinstance(rate, keras.Variable | tf.Variable)
    rate = float(np.asarray(rate)) if fixed else None
    saved = None
    notes: list[str] = []
    if start.path is not None:
        notes, same = _load(data, model, start)
        saved = _saved(spec, model, start, same)
        if start.learning_rate and rate is not None:
            model.optimizer.learning_rate = rate
    model.train_function, plan, names = _train_function(model, feed, plan, replicas)
    validation = None
    if (held_out := data.dataset.validation) is not None:
        validation = Feed(
            held_out,
            data.normalization,
            batch_size=steps.evaluation_batch(data.checked),
            classes=classes,
            device=place,
        )
        model.test_function = _test_function(
            model, validation, steps.evaluation_parts(data.checked, plan), replicas
        )
    names += [f"val_{name}" for name in names if validation is not None]
    if names and (found := list(monitored(spec, validation is not None, names))):
        raise SpecError(found)
    return CompiledModel(model, feed, validation, plan, saved, tuple(notes))


def _train_function(
    model: keras.Model, feed: Feed, plan: Plan, replicas: Replicas
) -> tuple[Callable[[Any], Any], Plan, list[str]]:
    """The function of a training's steps, how they are computed, and the names of what they report,
    if they could be traced.

    A network that cannot be traced by the plan is trained without what makes the plan fast: no
    optimization ends a training. One that cannot be traced at all fails in its first step, where
    the error is reported at its line.
    """
    if replicas.strategy is not None:
        return of_replicas.train_function(model, feed, plan, replicas.strategy), plan, []
    function = steps.train_function(model, feed, plan)
    try:
        return function, plan, function.trace()
    except (Exception, SystemExit) as error:  # a plug-in may do that
        unfuse(model.optimizer)
        plain = plan.plain(f"computed as by Keras, since the fast way failed: {reason_of(error)}")
        function = steps.train_function(model, feed, plain)
        with suppress(Exception, SystemExit):
            return function, plain, function.trace()
    return function, plan, []


def _test_function(
    model: keras.Model, feed: Feed, parts: int, replicas: Replicas
) -> Callable[[Any], Any]:
    if replicas.strategy is None:
        return steps.test_function(model, feed, parts)
    parts = max(1, parts // replicas.here)  # they share the processor
    return of_replicas.test_function(model, feed, parts, replicas.strategy)


def _load(data: Prepared, model: keras.Model, start: Start) -> tuple[list[str], bool]:
    """Put a checkpoint into the model and its optimizer.

    Returns:
        What is worth knowing: what starts afresh; and whether the weights are those of the same
        layers.

    Raises:
        CheckpointError: It is not of this network.
    """
    assert start.path is not None
    name = start.path / WEIGHTS
    if start.before is None:
        load_bytes(model, start.files[WEIGHTS], name, optimizer=True)
        return [], True
    before = build(start.before, start.before.model.input_shape or data.input_shape)
    if start.optimizer:
        compile_model(before, start.before)
        before.optimizer.build(before.trainable_variables)
    load_bytes(before, start.files[WEIGHTS], name, optimizer=start.optimizer)
    kept = keep_weights(before, model)
    notes, count = [*kept.notes], max(len(before.weights), len(model.weights))
    if start.optimizer:
        fresh = carry_over(before, model, kept.numbers)
        if fresh := [layer for layer in fresh if layer not in kept.fresh]:
            notes.append(f"the optimizer starts afresh for {listed(fresh)}")
    return notes, kept.numbers == {number: number for number in range(count)}


def _saved(spec: Spec, model: keras.Model, start: Start, same: bool) -> list[state.Saved] | None:
    """What a checkpoint holds of the callbacks; None where they start afresh. The best weights of
    an EarlyStopping are those of the same network only.

    Raises:
        CheckpointError: It is not of these callbacks.
    """
    assert start.path is not None
    states = start.content.get("callbacks")
    if states is None:
        return None
    names = [each.name for each in spec.fit.callbacks if each.name != "ModelCheckpoint"]
    arrays = start.files.get(ARRAYS) if same else None
    return state.parse(names, states, arrays, model, start.path)
