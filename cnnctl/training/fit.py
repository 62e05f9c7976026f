"""One training, from a checked spec to a finished run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from cnnctl import backend, runs
from cnnctl.data import pipeline
from cnnctl.data.preparation import Prepared, Progress, prepare
from cnnctl.errors import CnnctlError, SpecError, TrainingError
from cnnctl.evaluation import Evaluation, figures, reason_of
from cnnctl.files import replacing, write_json, write_text
from cnnctl.model import build, compile_model
from cnnctl.runs import Run
from cnnctl.spec import Spec
from cnnctl.spec.dump import dump
from cnnctl.spec.nodes import plain
from cnnctl.spec.rules import monitored
from cnnctl.training.callbacks import Observer, Recorder, checkpoints_from_spec, from_spec
from cnnctl.training.interrupt import Interrupt, Stopped
from cnnctl.training.randomness import Randomness
from cnnctl.weights import load_weights

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
    """

    spec: Spec
    run: Run
    device: backend.Device
    data: Prepared
    parameters: int
    steps: int


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Args:
        run: The run folder.
        history: The lines of `metrics.jsonl`.
        best_epoch: The epoch (from 1) whose weights are `model.keras`.
        evaluation: Loss and metrics of the best epoch on the test set, if there is one.
        stopped: The number of the signal that ended it early, if one did.
    """

    run: Run
    history: list[dict[str, Any]]
    best_epoch: int | None
    evaluation: Evaluation | None
    stopped: int | None = None


def train(
    spec: Spec,
    *,
    runs_dir: Path = runs.RUNS_DIR,
    data_dir: Path | None = None,
    full_data: bool = False,
    device: str = "auto",
    observer: Observer | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train the network of a spec.

    Args:
        spec: A checked spec with `data`, `compile` and `fit`.
        runs_dir: Where the run folder is made.
        data_dir: Where data sets are looked for first.
        full_data: Refuse the small sample that stands in for MNIST without a network.
        device: See `cnnctl.backend.start`.
        observer: Is told how it goes.
        progress: Is told how a download goes: (file, bytes so far, bytes in all).

    Returns:
        The run and its figures. After SIGINT or SIGTERM with `stopped` set.

    Raises:
        SpecError, DataError, RunError: Before the first step.
        TrainingError: Keras failed in the middle.
    """
    spec.require("data", "compile")
    assert spec.compile
    data = prepare(spec, data_dir=data_dir, full_data=full_data, progress=progress)
    if faults := list(monitored(spec, data.dataset.validation is not None)):
        raise SpecError(faults)
    chosen = backend.start(device, spec.seed, deterministic=spec.deterministic)
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
    compile_model(model, spec, steps_per_execution=several)
    run = runs.create(spec.name, runs_dir)
    describe(run, spec, data, chosen, several)
    if observer:
        observer.started(Facts(spec, run, chosen, data, model.count_params(), feed.steps))
    held_out = data.dataset.validation
    checkpoints = checkpoints_from_spec(spec, run, held_out is not None)
    recorder = Recorder(run, len(data.dataset.train.x), checkpoints, observer)
    interrupt = Interrupt()
    stopped = None
    with interrupt.catching():
        try:
            model.fit(
                feed.dataset,
                epochs=spec.fit.epochs,
                validation_data=held_out
                and pipeline.evaluation_dataset(held_out, data.normalization, classes=classes),
                callbacks=[
                    Randomness(spec.seed, feed),
                    interrupt,
                    *from_spec(spec, run),
                    checkpoints,
                    recorder,
                ],
                shuffle=False,  # the pipeline shuffles
                verbose=0,
            )
        except Stopped as signalled:
            stopped = signalled.number
        except CnnctlError as error:
            run.update_state(status="failed", reason=error.message)
            raise
        except (ValueError, TypeError, RuntimeError, ArithmeticError, tf.errors.OpError) as error:
            reason = reason_of(error)
            run.update_state(status="failed", reason=reason)
            raise TrainingError(f"the training failed: {reason}") from error
    if stopped is not None:
        run.update_state(status="stopped", epochs=len(recorder.rows))
    best = run.state().get("best_epoch")
    evaluation = None
    if best is not None:
        load_weights(model, run.checkpoint("best"))
        with replacing(run.model_path) as partial:
            model.save(partial)
        if data.dataset.test is not None:
            evaluation = Evaluation(
                source=str(run),
                checkpoint=runs.checkpoint_name(best),
                data=data.dataset.name,
                split="test",
                images=len(data.dataset.test.x),
                figures=figures(model, data.dataset.test, data),
            )
            write_json(run.path / "evaluation.json", evaluation.to_dict())
    if stopped is None:
        run.update_state(status="finished", epochs=len(recorder.rows))
    return TrainingResult(run, recorder.rows, best, evaluation, stopped)


def describe(
    run: Run, spec: Spec, data: Prepared, device: backend.Device, steps_per_execution: int
) -> None:
    """Write what a run was made from: the resolved spec, its sources, the environment."""
    tree = plain(spec.tree)
    resolved = {"name": spec.name, **{key: tree[key] for key in tree if key != "name"}}
    resolved.setdefault("seed", spec.seed)
    resolved["model"] = {**tree["model"], "input_shape": list(data.input_shape)}
    dataset = resolved["data"]["dataset"]
    if isinstance(dataset, dict):
        (arguments,) = dataset.values()
        if isinstance(arguments, dict) and "path" in arguments:
            # The resolved spec stands in another folder than the one that the path starts from.
            arguments["path"] = str((spec.data_base / arguments["path"]).resolve())
    write_text(run.spec_path, dump(resolved))
    for index, source in enumerate(spec.sources):
        name = source.path.name if source.path else f"{index}.yaml"
        write_text(run.path / "sources" / (name if index == 0 else f"{index}-{name}"), source.text)
    sizes = {
        name: len(split.x)
        for name in ("train", "validation", "test")
        if (split := getattr(data.dataset, name)) is not None
    }
    write_json(
        run.path / "environment.json",
        {
            **backend.environment(device, spec.seed, spec.deterministic),
            "overrides": list(spec.overrides),
            "data": {
                "name": data.dataset.name,
                "origin": data.dataset.origin,
                "images": sizes,
                "fingerprint": data.dataset.fingerprint,
            },
            "normalization": data.normalization.to_dict(),
            "inferred": list(data.inferred),
            "steps_per_execution": steps_per_execution,
        },
    )
    run.update_state(status="running", epochs=0, planned=spec.fit.epochs)
