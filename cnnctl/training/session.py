"""One fit in a run folder, from its beginning or from one of its checkpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata

import keras

from cnnctl.compute.device import Device
from cnnctl.compute.plan import Plan
from cnnctl.compute.strategy import Replicas
from cnnctl.data.preparation import Prepared
from cnnctl.errors import CnnctlError, RunError, Stopped
from cnnctl.inference.evaluation import Evaluation, figures
from cnnctl.io.atomic import replacing, write_json
from cnnctl.network.averages import load_averaged, spec_of
from cnnctl.network.build import build, compile_model
from cnnctl.network.failures import failure
from cnnctl.runs.checkpoint import WEIGHTS
from cnnctl.runs.run import Run, checkpoint_name
from cnnctl.specs import Spec
from cnnctl.specs.difference import differences
from cnnctl.specs.dump import dump
from cnnctl.specs.nodes import plain
from cnnctl.training.callbacks import Recorder, checkpoints_from_spec, from_spec
from cnnctl.training.follower import Agreement, follow
from cnnctl.training.interrupt import Interrupt
from cnnctl.training.network import ready
from cnnctl.training.results import Facts, Settings, Start, TrainingResult


def run_session(
    spec: Spec,
    data: Prepared,
    device: Device,
    plan: Plan,
    replicas: Replicas,
    settings: Settings,
    interrupt: Interrupt,
    make_run: Callable[[Plan], Run],
    start: Start | None = None,
) -> TrainingResult:
    """Fit the network of a spec, and evaluate its best epoch.

    Args:
        spec: A checked spec with `data`, `compile` and `fit`.
        data: Its data.
        device: The device that was started.
        plan: How steps are computed.
        replicas: Who computes them. A process that does not lead them leaves the run folder, the
            figures and the evaluation to the one that does.
        settings: Who is told, and how a signal is taken.
        interrupt: Listens to signals.
        make_run: Gives the run folder, locked, for the plan by which the network is trained.
        start: Where the training goes on; None for a new one.

    Raises:
        SpecError, RunError, CheckpointError: Before the first step.
        UsageError: Another process is about to train something else.
        TrainingError: It diverged, Keras failed in the middle, or another process is gone.
    """
    assert spec.compile
    start = start or Start()
    replicas.compare(_facts(spec, data, plan, start))
    with replicas.together():
        network = ready(spec, data, device, plan, replicas, start)
    if not replicas.leads:
        return follow(spec, network, replicas, interrupt, start)
    model, plan = network.model, network.plan
    run = make_run(plan)
    checkpoints = checkpoints_from_spec(spec, run, network.validation is not None)
    recorder = Recorder(run, len(data.dataset.train.x), checkpoints, settings.observer, start.rows)
    stopped = None
    try:
        if start.best[0] is not None and start.best[1] is not None:
            checkpoints.best_epoch, checkpoints.best = start.best[0], start.best[1]
            checkpoints.point_to_best()
        checkpoints.refuse_full_disk(model, spec.fit.epochs - start.done)
        checkpoints.callbacks = callbacks = from_spec(spec, run, start.done)
        if settings.observer:
            parameters = model.count_params()
            settings.observer.started(
                Facts(
                    spec, run, device, plan, data, parameters, network.feed.steps, start.done,
                    (*start.notes, *network.notes), replicas.count,
                )
            )  # fmt: skip
        interrupt.listen()
        interrupt.gentle = True
        agreement = [Agreement(interrupt, replicas)] if replicas.cluster else []
        network.fit(spec, start, callbacks, recorder, *agreement, interrupt)
        stopped = interrupt.caught
    except Stopped as signalled:
        recorder.finish()
        stopped = signalled.number
    except CnnctlError as error:
        with suppress(RunError):
            recorder.finish()
        _note_failure(run, error.message, len(recorder.rows))
        kept = run.checkpoints()
        if kept and error.hint and not error.diagnostics:
            error.hint += f"\n{kept[-1]} is the last good checkpoint"
        raise
    except (Exception, SystemExit) as error:  # a plug-in's `sys.exit` is no end of the training
        with suppress(RunError):
            recorder.finish()
        failed = replicas.failure(error) or failure("the training", error, model, spec)
        _note_failure(run, failed.message, len(recorder.rows))
        raise failed from error
    evaluation = None
    try:
        # What is left can be done again by a resume, and waits for no signal.
        interrupt.gentle = False
        best = checkpoints.best_epoch
        if best is not None:
            model = _of_best(run, spec, data, plan, replicas, model)
            load_averaged(model, run.checkpoint("best"))
            with replacing(run.model_path) as partial:
                model.save(partial)
        if stopped is None:
            if best is not None and data.dataset.test is not None:
                evaluation = _evaluate(run, model, data, spec, plan, best)
            run.update_state(status="finished", epochs=len(recorder.rows))
        replicas.wait()
    except Stopped as signalled:
        stopped = signalled.number
    if stopped is not None:
        run.update_state(status="stopped", epochs=len(recorder.rows))
    return TrainingResult(
        run, recorder.rows, checkpoints.best_epoch, evaluation, stopped, notes=start.notes
    )


def _of_best(
    run: Run, spec: Spec, data: Prepared, plan: Plan, replicas: Replicas, model: keras.Model
) -> keras.Model:
    """The network that takes the best epoch's checkpoint, for the one process that saves and
    evaluates it: with the optimizer of that epoch, which may be from before a change of the spec.
    """
    best = spec_of(run.checkpoint("best")) or spec
    if all(not each.path.startswith("compile.optimizer") for each in differences(best, spec)):
        if replicas.strategy is None:
            return model
        best = spec
    alone = build(best, data.input_shape)
    compile_model(alone, best, plan)
    alone.optimizer.build(alone.trainable_variables)
    return alone


def _evaluate(
    run: Run, model: keras.Model, data: Prepared, spec: Spec, plan: Plan, epoch: int
) -> Evaluation:
    """Evaluate the best epoch on the test set, and write it down."""
    assert data.dataset.test is not None
    evaluation = Evaluation(
        source=str(run),
        checkpoint=checkpoint_name(epoch),
        data=data.dataset.name,
        split="test",
        images=len(data.dataset.test.x),
        figures=figures(model, data.dataset.test, data, spec, plan),
    )
    write_json(run.path / "evaluation.json", evaluation.to_dict())
    return evaluation


def _facts(spec: Spec, data: Prepared, plan: Plan, start: Start) -> dict[str, str]:
    """What all processes of a training have to have alike."""
    return {
        "spec": dump(plain(spec.tree)),
        "data set": data.dataset.fingerprint,
        "checkpoint": hashlib.sha256(start.files.get(WEIGHTS, b"")).hexdigest(),
        "way to compute": f"{plan.steps_per_execution} {plan.precision}",
        "version of TensorFlow, Keras or cnnctl": " ".join(
            metadata.version(each) for each in ("tensorflow", "keras", "cnnctl")
        ),
    }


def _note_failure(run: Run, reason: str, epochs: int) -> None:
    """Note why a training failed, if there is still a place to write it to."""
    try:
        run.update_state(status="failed", reason=reason, epochs=epochs)
    except RunError:
        return
