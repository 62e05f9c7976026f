"""One fit in a run folder, from its beginning or from one of its checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import keras
import tensorflow as tf

from cnnctl import backend, runs
from cnnctl.blame import failure
from cnnctl.checkpoint import ARRAYS, WEIGHTS
from cnnctl.compute import steps
from cnnctl.compute.plan import Plan
from cnnctl.data.pipeline import Feed
from cnnctl.data.preparation import Prepared
from cnnctl.errors import CnnctlError, RunError, Stopped
from cnnctl.evaluation import Evaluation, figures
from cnnctl.files import replacing, write_json
from cnnctl.model import build, compile_model
from cnnctl.runs import Run
from cnnctl.spec import Spec
from cnnctl.training import state
from cnnctl.training.callbacks import Recorder, checkpoints_from_spec, from_spec
from cnnctl.training.divergence import FiniteLoss
from cnnctl.training.interrupt import Interrupt
from cnnctl.training.randomness import Randomness
from cnnctl.training.values import Facts, Settings, Start, TrainingResult
from cnnctl.weights import load_bytes, load_weights


class _Resumed(keras.callbacks.Callback):
    """Puts the state of the callbacks back, after they have reset themselves."""

    def __init__(
        self, callbacks: list[keras.callbacks.Callback], saved: list[state.Saved] | None
    ) -> None:
        super().__init__()
        self.callbacks = callbacks
        self.saved = saved

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore."""
        if self.saved is not None:
            state.restore(self.callbacks, self.saved)


def run_session(
    spec: Spec,
    data: Prepared,
    device: backend.Device,
    plan: Plan,
    settings: Settings,
    interrupt: Interrupt,
    make_run: Callable[[], Run],
    start: Start | None = None,
) -> TrainingResult:
    """Fit the network of a spec, and evaluate its best epoch.

    Args:
        spec: A checked spec with `data`, `compile` and `fit`.
        data: Its data.
        device: The device that was started.
        plan: How steps are computed.
        settings: Who is told, and how a signal is taken.
        interrupt: Listens to signals.
        make_run: Gives the run folder, locked.
        start: Where the training goes on; None for a new one.

    Raises:
        SpecError, RunError, CheckpointError: Before the first step.
        TrainingError: It diverged, or Keras failed in the middle.
    """
    assert spec.compile
    start = start or Start()
    classes = data.classes if data.one_hot else 0
    place = "CPU:0" if device.name == "cpu" else "GPU:0"
    feed = Feed(
        data.dataset.train,
        data.normalization,
        batch_size=spec.fit.batch_size,
        classes=classes,
        shuffle=spec.fit.shuffle,
        seed=spec.seed,
        device=place,
    )
    model = build(spec, data.input_shape)
    compile_model(model, spec, plan)
    model.optimizer.build(model.trainable_variables)
    model.train_function = steps.train_function(model, feed, plan)
    rate = model.optimizer.learning_rate
    rate = float(rate) if isinstance(rate, keras.Variable | tf.Variable) else None
    saved = None
    if start.path is not None:
        saved = _saved(spec, model, start)
        _load(model, start)
        if start.learning_rate and rate is not None:
            model.optimizer.learning_rate = rate
    run = make_run()
    validation = None
    if (held_out := data.dataset.validation) is not None:
        validation = Feed(held_out, data.normalization, classes=classes, device=place)
        model.test_function = steps.test_function(model, validation, plan.parts_of_evaluation)
    checkpoints = checkpoints_from_spec(spec, run, held_out is not None)
    if start.best[0] is not None and start.best[1] is not None:
        checkpoints.best_epoch, checkpoints.best = start.best[0], start.best[1]
        checkpoints.point_to_best()
    checkpoints.refuse_full_disk(model, spec.fit.epochs - start.done)
    callbacks = from_spec(spec, run, start.done)
    checkpoints.callbacks = callbacks
    if settings.observer:
        parameters = model.count_params()
        settings.observer.started(
            Facts(spec, run, device, plan, data, parameters, feed.steps, start.done, start.notes)
        )
    recorder = Recorder(run, len(data.dataset.train.x), checkpoints, settings.observer, start.rows)
    stopped = None
    try:
        interrupt.gentle = True
        model.fit(
            feed.dataset,
            initial_epoch=start.done,
            epochs=start.done if start.content.get("stopped") else spec.fit.epochs,
            validation_data=validation and validation.dataset,
            callbacks=[
                Randomness(spec.seed, feed),
                FiniteLoss(),
                *callbacks,
                _Resumed(callbacks, saved),
                recorder,
                interrupt,
            ],
            shuffle=False,  # the pipeline shuffles
            verbose=0,
        )
        stopped = interrupt.caught
    except Stopped as signalled:
        recorder.finish()
        stopped = signalled.number
    except CnnctlError as error:
        with suppress(RunError):
            recorder.finish()
        _note_failure(run, error.message)
        kept = run.checkpoints()
        if kept and error.hint and not error.diagnostics:
            error.hint += f"\n{kept[-1]} is the last good checkpoint"
        raise
    except Exception as error:
        with suppress(RunError):
            recorder.finish()
        failed = failure("the training", error, model, spec)
        _note_failure(run, failed.message)
        raise failed from error
    evaluation = None
    try:
        # What is left can be done again by a resume, and waits for no signal.
        interrupt.gentle = False
        best = checkpoints.best_epoch
        if best is not None:
            _keep_best(run, model)
        if stopped is None:
            if best is not None and data.dataset.test is not None:
                evaluation = _evaluate(run, model, data, spec, plan, best)
            run.update_state(status="finished", epochs=len(recorder.rows))
    except Stopped as signalled:
        stopped = signalled.number
    if stopped is not None:
        run.update_state(status="stopped", epochs=len(recorder.rows))
    return TrainingResult(run, recorder.rows, checkpoints.best_epoch, evaluation, stopped)


def _keep_best(run: Run, model: keras.Model) -> None:
    """Write `model.keras`, of the best epoch."""
    load_weights(model, run.checkpoint("best"))
    with replacing(run.model_path) as partial:
        model.save(partial)


def _evaluate(
    run: Run, model: keras.Model, data: Prepared, spec: Spec, plan: Plan, epoch: int
) -> Evaluation:
    """Evaluate the best epoch on the test set, and write it down."""
    assert data.dataset.test is not None
    evaluation = Evaluation(
        source=str(run),
        checkpoint=runs.checkpoint_name(epoch),
        data=data.dataset.name,
        split="test",
        images=len(data.dataset.test.x),
        figures=figures(model, data.dataset.test, data, spec, plan),
    )
    write_json(run.path / "evaluation.json", evaluation.to_dict())
    return evaluation


def _load(model: keras.Model, start: Start) -> None:
    """Put a checkpoint into the model and its optimizer.

    Raises:
        CheckpointError: It is not of this network.
    """
    assert start.path is not None
    name = start.path / WEIGHTS
    if start.optimizer:
        load_bytes(model, start.files[WEIGHTS], name, optimizer=True)
        return
    # Another optimizer starts afresh: Keras reads into a model only what the model has.
    optimizer, model.optimizer = model.optimizer, None
    try:
        load_bytes(model, start.files[WEIGHTS], name)
    finally:
        model.optimizer = optimizer


def _saved(spec: Spec, model: keras.Model, start: Start) -> list[state.Saved] | None:
    """What a checkpoint holds of the callbacks; None where they start afresh.

    Raises:
        CheckpointError: It is not of these callbacks.
    """
    assert start.path is not None
    states = start.content.get("callbacks")
    if states is None:
        return None
    names = [each.name for each in spec.fit.callbacks if each.name != "ModelCheckpoint"]
    return state.parse(names, states, start.files.get(ARRAYS), model, start.path)


def _note_failure(run: Run, reason: str) -> None:
    """Note why a training failed, if there is still a place to write it to."""
    try:
        run.update_state(status="failed", reason=reason)
    except RunError:
        return
