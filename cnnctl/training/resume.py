"""A training that goes on where it was: after a kill, a stop, or for more epochs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnctl import arithmetic, plugins
from cnnctl.compute.plan import Plan, recorded
from cnnctl.data.pixel_normalization import Normalization
from cnnctl.data.preparation import Prepared, Progress, prepare
from cnnctl.errors import CheckpointError, RunError, UsageError
from cnnctl.inference.evaluation import Evaluation
from cnnctl.io.arguments import AnyPath, as_texts, path_or_none, with_epochs
from cnnctl.io.printable import shell
from cnnctl.preflight import passed
from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import SPEC, STATE
from cnnctl.runs.run import Run, checkpoint_name, epoch_of, newest_run
from cnnctl.specs import AnySpec, Spec, load
from cnnctl.training import compatibility
from cnnctl.training.callbacks import Observer, checkpoints_from_spec
from cnnctl.training.checkpoints import forget
from cnnctl.training.interrupt import Interrupt
from cnnctl.training.results import Settings, Start, TrainingResult
from cnnctl.training.session import run_session
from cnnctl.training.train import (
    begin,
    cluster_of,
    write_environment,
    write_spec,
)


def resume(
    source: AnyPath,
    *,
    spec: AnySpec | None = None,
    overrides: str | Iterable[str] = (),
    epochs: int | None = None,
    allow: str | Iterable[str] = (),
    data_dir: AnyPath | None = None,
    full_data: bool = False,
    device: str = "auto",
    finish_epoch: bool = False,
    observer: Observer | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Go on with a run, to the bits that it would have reached without the break.

    Args:
        source: A run folder, or `runs/NAME`, of which the newest run is meant.
        spec: The spec that is meant to go on (itself, its path, or the name of a shipped one); the
            run's own by default.
        overrides: Changes of the spec, such as `fit.epochs=20`.
        epochs: Short for `fit.epochs`.
        allow: Which changes are meant: of `cnnctl.training.compatibility.KINDS`.
        data_dir, full_data, device, finish_epoch, observer, progress: See
            `cnnctl.training.Settings`.

    Returns:
        As `train`; `unchanged` where nothing was left to do.

    Raises:
        UsageError: There is no such run, or it cannot go on as the same training.
        RunError: Another process trains in it, or it cannot be read or written.
        CheckpointError: No checkpoint is intact.
    """
    data_dir = path_or_none(data_dir, "data_dir")
    chosen = Settings(data_dir, full_data, device, finish_epoch, observer, progress)
    overrides, allow = with_epochs(overrides, epochs), as_texts(allow, "allow")
    spec = None if spec is None else passed(spec, overrides)
    unknown = set(allow) - set(compatibility.KINDS)
    if unknown:
        raise UsageError(
            f"--allow takes {', '.join(compatibility.KINDS)}, not {', '.join(unknown)}"
        )
    run = newest_run(source)
    environment = run.environment()
    if "normalization" not in environment:
        raise RunError(
            f"{run} has no readable environment.json, and so cannot go on",
            hint="train anew: no epoch of it was finished, or the file was damaged since",
        )
    plugins.require(environment.get("plugins") or (), run)
    interrupt = Interrupt(finish_epoch=chosen.finish_epoch)
    cluster = cluster_of(spec or load(run.spec_path, overrides, recorded=True))
    leads = cluster is None or cluster.leads
    with interrupt.catching(), run.locked() if leads else nullcontext():
        before = _spec_of_checkpoint(run) or load(run.spec_path, recorded=True)
        now = spec or load(run.spec_path, overrides, recorded=True)
        now.require("data", "compile")
        changes = compatibility.refuse(
            [*compatibility.of_spec(before, now), *compatibility.of_versions(environment)],
            allow,
            run,
        )
        changes += compatibility.refuse(compatibility.of_plugins(environment), allow, run)
        state, history = run.state(), run.history()
        done, is_finished = len(history), state.get("status") == "finished"
        if now.fit.epochs < done and not (is_finished and spec is not None):
            raise UsageError(
                f"{run} has {done} epochs already, which is more than {now.fit.epochs}",
                hint=f"--epochs {done + 1} or more goes on with it",
            )
        if is_finished and not changes and done and _is_done(run, now, done):
            return _unchanged(run, history) if leads else TrainingResult(None, [], None, None)
        fixed = Normalization.from_dict(environment["normalization"], run.path / "environment.json")
        data = prepare(
            now,
            data_dir=chosen.data_dir,
            full_data=chosen.full_data,
            progress=chosen.progress if leads else None,
            fixed=None if any(each.kind == "data" for each in changes) else fixed,
            training=True,
            recorded=True,
        )
        changes += compatibility.refuse(compatibility.of_data(environment, data), allow, run)
        planned = int(state.get("planned") or before.fit.epochs)
        start = _start(run, before, now, data, changes, history)
        plan = recorded(environment)
        if any(each.kind in {"compile", "fit", "model"} for each in changes):
            plan = None
        # Whoever leads changes nothing in the run before all are there, and have read it.
        machine, plan, replicas, began = begin(now, data, chosen, cluster, plan)
        notes = (
            *start.notes,
            *began,
            *(f"changed: {change}" for change in changes),
            *compatibility.of_machine(environment, machine, replicas.count),
            *compatibility.of_schedules(now, planned, start.done),
        )

        def open_run(plan: Plan) -> Run:
            forget(run, start.done)
            if start.path is not None:
                run.point("last", start.path)
            run.rewrite_history(start.rows)
            if now.fit.epochs != before.fit.epochs or changes:
                write_spec(run, now, data)
            if changes:  # what was allowed once is what later commands go by
                write_environment(run, now, data, machine, plan, replicas)
            run.resume(start.done, now.fit.epochs, [str(change) for change in changes])
            return run

        start = replace(start, notes=notes)
        return run_session(now, data, machine, plan, replicas, chosen, interrupt, open_run, start)


def _start(
    run: Run,
    before: Spec,
    spec: Spec,
    data: Prepared,
    changes: Sequence[compatibility.Change],
    history: Sequence[dict[str, Any]],
) -> Start:
    """Where a run goes on: at its newest intact checkpoint, or at its beginning if it has none.

    Raises:
        CheckpointError: It has checkpoints, and none is intact.
    """
    intact, damaged = _intact(run, _limit(spec, data.input_shape))
    notes = [str(error) for _, error in damaged]
    if not intact:
        if damaged:
            raise CheckpointError(
                f"{run} has no intact checkpoint: {damaged[0][1]}", hint="train it anew"
            )
        if history or run.state().get("best_epoch"):
            raise CheckpointError(
                f"{run} has finished epochs, and none of their checkpoints is there",
                hint=f"put them back, or train anew: cnnctl train {shell(run.spec_path)}",
            )
        return Start(notes=("no epoch was finished: it begins anew",))
    done = max(intact)
    files, content = intact[done]
    path = run.checkpoints_dir / checkpoint_name(done)
    if damaged and epoch_of(damaged[0][0]) > done:
        notes.append(f"{path.name} is the newest intact checkpoint: it goes on from there")
    kinds = {change.kind for change in changes}
    if "fit" in kinds:  # the callbacks may be others: they start afresh, and end it anew
        content = {**content, "callbacks": None, "stopped": False}
    optimizers = [each for each in changes if each.what.startswith("compile.optimizer")]
    other = any(each.what == "compile.optimizer" for each in optimizers)
    if other:
        notes.append("the optimizer is another one, and starts afresh")
    return Start(
        path=path,
        files=files,
        content=content,
        rows=tuple(_rows(run, history, done, intact)),
        notes=tuple(notes),
        optimizer=not other,
        before=before if kinds & {"model", "compile", "data"} else None,
        learning_rate=any("learning_rate" in each.what.split(".") for each in optimizers),
        best=_best(run, spec, data, content, intact, notes, changes),
    )


def _spec_of_checkpoint(run: Run) -> Spec | None:
    """The spec by which the newest checkpoint was trained, whatever spec.yaml says by now."""
    for path in reversed(run.checkpoints()):
        try:
            found = checkpoint.read(path, 1 << 24, names={SPEC})
        except CheckpointError:
            continue
        if SPEC in found:
            return load(path / SPEC, recorded=True)
    return None


Intact = dict[int, tuple[dict[str, bytes], dict[str, Any]]]
"""Epoch → the files and the state of its checkpoint."""


def _intact(run: Run, limit: int | None) -> tuple[Intact, list[tuple[Path, CheckpointError]]]:
    """The intact checkpoints of a run, and the damaged ones, the newest first."""
    intact: Intact = {}
    damaged = []
    for path in reversed(run.checkpoints(complete=False)):
        try:
            files = checkpoint.read(path, limit)
            content = checkpoint.state_of(files, path)
            if content.get("epoch") != epoch_of(path):
                raise CheckpointError(f"{path} is the checkpoint of another epoch")
        except CheckpointError as error:
            damaged.append((path, error))
        else:
            # Only the newest one's bytes are needed; of the others, what they were worth.
            intact[epoch_of(path)] = (files if not intact else {}, content)
    return intact, damaged


def _rows(
    run: Run, history: Sequence[dict[str, Any]], done: int, intact: Intact
) -> Iterator[dict[str, Any]]:
    """The history up to an epoch: the lines that are there, and those in the checkpoints.

    A process that is killed between a checkpoint and its line leaves the line to the checkpoint.

    Raises:
        RunError: A line is missing in both.
    """
    lines = {line["epoch"]: line for line in history}
    for epoch in range(1, done + 1):
        saved = intact[epoch][1].get("row") if epoch in intact else None
        row = saved or lines.get(epoch)
        if not isinstance(row, dict):
            raise RunError(
                f"{run.path / 'metrics.jsonl'} lacks the line of epoch {epoch}",
                hint="the history is needed to go on; restore the file, or train anew",
            )
        yield row


def _best(
    run: Run,
    spec: Spec,
    data: Prepared,
    content: dict[str, Any],
    intact: Intact,
    notes: list[str],
    changes: Sequence[compatibility.Change],
) -> tuple[int | None, float | None]:
    """The best epoch so far and its figure; among the intact ones, where its own is damaged or
    another figure decides now. None where figures of other pictures or losses would be compared."""
    epoch, figure = content.get("best_epoch"), content.get("best")
    if not isinstance(epoch, int) or not isinstance(figure, int | float):
        return None, None
    others = ("data", "model", "pictures", "compile.loss", "compile.metrics")
    if any(change.what.startswith(others) for change in changes):
        notes.append("figures from before do not compare: the best epoch is one of those to come")
        return None, None
    checkpoints = checkpoints_from_spec(spec, run, data.dataset.validation is not None)
    values = {
        number: float(state["row"][checkpoints.monitor])
        for number, (_, state) in intact.items()
        if _is_finite((state.get("row") or {}).get(checkpoints.monitor))
    }
    best_of = max if checkpoints.maximize else min
    best = best_of(values, key=lambda number: values[number], default=None)
    if epoch in intact and all(change.kind != "fit" for change in changes):
        if best is None or best_of(values[best], figure) == figure:
            return epoch, float(figure)
        # An earlier version of cnnctl guessed by the metric's name which values are better.
        better = "higher" if checkpoints.maximize else "lower"
        notes.append(f"`{checkpoints.monitor}` is better {better}: epoch {best} is the best so far")
    if best is None:
        return None, None
    if epoch not in intact:
        problem = f"the best checkpoint, of epoch {epoch}, is damaged"
        notes.append(f"{problem}: that of {best} counts now")
    return best, values[best]


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _limit(spec: Spec, input_shape: Sequence[int]) -> int | None:
    """How many bytes a file of a checkpoint may have: weights and slots, several times over."""
    trace = arithmetic.trace(spec.graph, input_shape)
    return None if trace.unknown else trace.total * 4 * 16 + (64 << 20)


def _is_done(run: Run, spec: Spec, done: int) -> bool:
    """Whether a finished run has all the epochs that are asked for, or ended itself."""
    if spec.fit.epochs <= max(done, int(run.state().get("planned") or 0)):
        return True
    try:
        path = run.checkpoint("last")
        return bool(checkpoint.state_of(checkpoint.read(path, names=[STATE]), path).get("stopped"))
    except (UsageError, CheckpointError):
        return False


def _unchanged(run: Run, history: list[dict[str, Any]]) -> TrainingResult:
    """What a finished run has."""
    evaluation = None
    with suppress(TypeError):  # a file that was changed
        evaluation = Evaluation(**run.evaluation())
    best = run.state().get("best_epoch")
    return TrainingResult(run, history, best, evaluation, unchanged=True)
