"""One fit in a run folder, from its beginning or from one of its checkpoints."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from cnnctl import backend, runs
from cnnctl.blame import failure
from cnnctl.checkpoint import ARRAYS, WEIGHTS
from cnnctl.data import pipeline
from cnnctl.data.preparation import Prepared, Progress
from cnnctl.errors import CnnctlError, RunError, Stopped
from cnnctl.evaluation import Evaluation, figures
from cnnctl.files import replacing, write_json
from cnnctl.model import build, compile_model
from cnnctl.runs import Run
from cnnctl.spec import Spec
from cnnctl.training import state
from cnnctl.training.callbacks import Observer, Recorder, checkpoints_from_spec, from_spec
from cnnctl.training.divergence import FiniteLoss
from cnnctl.training.interrupt import Interrupt
from cnnctl.training.randomness import Randomness
from cnnctl.weights import load_bytes, load_weights

STEPS_PER_EXECUTION = 16
"""How many steps one call of the compiled step runs where the spec leaves it open: of the values
from 1 to 50 tried on two cores, more than 16 brought nothing."""


@dataclass(frozen=True)
class Facts:
    """What is settled before the first epoch, for people to see.

    Args:
        spec: The spec.
        run: The run folder.
        device: Where it runs.
        data: The data as the network gets it.
        parameters: Of the network.
        steps: Steps in an epoch.
        done: Epochs of the run that were done before.
        notes: What is worth knowing of a training that goes on.
    """

    spec: Spec
    run: Run
    device: backend.Device
    data: Prepared
    parameters: int
    steps: int
    done: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Args:
        run: The run folder.
        history: The lines of `metrics.jsonl`.
        best_epoch: The epoch (from 1) whose weights are `model.keras`.
        evaluation: Loss and metrics of the best epoch on the test set, if there is one.
        stopped: The number of the signal that ended it early, if one did.
        unchanged: Whether there was nothing left to do.
    """

    run: Run
    history: list[dict[str, Any]]
    best_epoch: int | None
    evaluation: Evaluation | None
    stopped: int | None = None
    unchanged: bool = False


@dataclass(frozen=True)
class Settings:
    """How a training is run, whatever is trained.

    Args:
        data_dir: Where data sets are looked for first.
        full_data: Refuse the small sample that stands in for MNIST without a network.
        device: See `cnnctl.backend.start`.
        finish_epoch: Whether a signal lets the epoch in progress end, not only the step.
        observer: Is told how it goes.
        progress: Is told how a download goes: (file, bytes so far, bytes in all).
    """

    data_dir: Path | None = None
    full_data: bool = False
    device: str = "auto"
    finish_epoch: bool = False
    observer: Observer | None = None
    progress: Progress | None = None


@dataclass(frozen=True)
class Start:
    """Where a training goes on.

    Args:
        path: The checkpoint; None for the beginning.
        files: Its files, verified.
        content: Its state.
        rows: The history up to it.
        notes: For people.
        optimizer: Whether the optimizer goes on too, or starts afresh.
        learning_rate: Whether the spec's learning rate counts, not the checkpoint's.
        best: The best epoch and its figure among the checkpoints that are there.
        steps_per_execution: As it was.
    """

    path: Path | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    optimizer: bool = True
    learning_rate: bool = False
    best: tuple[int | None, float | None] = (None, None)
    steps_per_execution: int | None = None

    @property
    def done(self) -> int:
        """How many epochs are done."""
        return len(self.rows)


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
    settings: Settings,
    interrupt: Interrupt,
    make_run: Callable[[int], Run],
    start: Start | None = None,
) -> TrainingResult:
    """Fit the network of a spec, and evaluate its best epoch.

    Args:
        spec: A checked spec with `data`, `compile` and `fit`.
        data: Its data.
        device: The device that was started.
        settings: Who is told, and how a signal is taken.
        interrupt: Listens to signals.
        make_run: Gives the run folder, locked; gets the steps in one execution.
        start: Where the training goes on; None for a new one.

    Raises:
        SpecError, RunError, CheckpointError: Before the first step.
        TrainingError: It diverged, or Keras failed in the middle.
    """
    assert spec.compile
    start = start or Start()
    classes = data.classes if data.one_hot else 0
    feed = pipeline.TrainingPipeline(
        data.dataset.train,
        data.normalization,
        batch_size=spec.fit.batch_size,
        shuffle=spec.fit.shuffle,
        seed=spec.seed,
        classes=classes,
    )
    model = build(spec, data.input_shape)
    wanted = spec.compile.steps_per_execution
    several = min(STEPS_PER_EXECUTION, feed.steps) if wanted == "auto" else wanted
    several = start.steps_per_execution or several
    compile_model(model, spec, steps_per_execution=several)
    model.optimizer.build(model.trainable_variables)
    rate = model.optimizer.learning_rate
    rate = float(rate) if isinstance(rate, keras.Variable | tf.Variable) else None
    saved = None
    if start.path is not None:
        saved = _saved(spec, model, start)
        _load(model, start)
        if start.learning_rate and rate is not None:
            model.optimizer.learning_rate = rate
    run = make_run(several)
    held_out = data.dataset.validation
    checkpoints = checkpoints_from_spec(spec, run, held_out is not None)
    if start.best[0] is not None and start.best[1] is not None:
        checkpoints.best_epoch, checkpoints.best = start.best[0], start.best[1]
        checkpoints.point_to_best()
    _need_space(run, model, spec.fit.epochs - start.done, checkpoints.keep)
    callbacks = from_spec(spec, run, start.done)
    checkpoints.callbacks = callbacks
    if settings.observer:
        parameters = model.count_params()
        settings.observer.started(
            Facts(spec, run, device, data, parameters, feed.steps, start.done, start.notes)
        )
    recorder = Recorder(run, len(data.dataset.train.x), checkpoints, settings.observer, start.rows)
    stopped = None
    try:
        interrupt.gentle = True
        model.fit(
            feed.dataset,
            initial_epoch=start.done,
            epochs=start.done if start.content.get("stopped") else spec.fit.epochs,
            validation_data=held_out
            and pipeline.evaluation_dataset(held_out, data.normalization, classes=classes),
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
        stopped = signalled.number
    except CnnctlError as error:
        _note_failure(run, error.message)
        kept = run.checkpoints()
        if kept and error.hint and not error.diagnostics:
            error.hint += f"\n{kept[-1]} is the last good checkpoint"
        raise
    except Exception as error:
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
                evaluation = _evaluate(run, model, data, spec, best)
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


def _evaluate(run: Run, model: keras.Model, data: Prepared, spec: Spec, epoch: int) -> Evaluation:
    """Evaluate the best epoch on the test set, and write it down."""
    assert data.dataset.test is not None
    evaluation = Evaluation(
        source=str(run),
        checkpoint=runs.checkpoint_name(epoch),
        data=data.dataset.name,
        split="test",
        images=len(data.dataset.test.x),
        figures=figures(model, data.dataset.test, data, spec),
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


def _need_space(run: Run, model: keras.Model, epochs: int, keep: float) -> None:
    """Look whether the checkpoints to come will fit on the disk.

    Raises:
        RunError: They will not.
    """
    variables = [*model.variables, *model.optimizer.variables]
    one = sum(math.prod(each.shape) * 4 for each in variables)
    # Those that are kept, the best, the one being written, and `model.keras`.
    needed = one * (min(keep, max(epochs, 0)) + 3)
    free = shutil.disk_usage(run.path).free
    if needed > free:
        raise RunError(
            f"the checkpoints need about {_size(needed)}, and {run.path} has {_size(free)} free",
            hint="free some space, choose another place with --runs-dir, or lower `fit.keep`",
        )


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _note_failure(run: Run, reason: str) -> None:
    """Note why a training failed, if there is still a place to write it to."""
    try:
        run.update_state(status="failed", reason=reason)
    except RunError:
        return
