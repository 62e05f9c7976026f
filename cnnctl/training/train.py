"""`train`: a new training, or the newest one of a spec resumed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cnnctl.arithmetic.checked import Checked
from cnnctl.compute.observer import Observer
from cnnctl.errors import UsageError
from cnnctl.io.arguments import AnyPath, as_flag, as_path, as_texts, path_or_none, with_fit
from cnnctl.preflight import check
from cnnctl.runs.find import RUNS_DIR, newest_run
from cnnctl.runs.run import Run
from cnnctl.specs import AnySpec
from cnnctl.startup import quiet
from cnnctl.trackers.available import chosen
from cnnctl.training.results import Settings, TrainingResult
from cnnctl.training.resume import refuse_unknown, resume_run


def train(
    spec: AnySpec,
    *,
    overrides: str | Iterable[str] = (),
    epochs: int | None = None,
    precision: str | None = None,
    resume: bool = False,
    allow: str | Iterable[str] = (),
    finish_epoch: bool = False,
    device: str = "auto",
    data_dir: AnyPath | None = None,
    full_data: bool = False,
    runs_dir: AnyPath = RUNS_DIR,
    track: str | Iterable[str] | None = None,
    live: int | None = None,
    observers: Iterable[Observer] = (),
) -> TrainingResult:
    """Train the network of a spec in a new run folder, and evaluate its best epoch.

    Args:
        spec: A spec with `data`, `compile` and `fit`: its path, the name of a shipped one, or one
            that is loaded.
        overrides: Changes to a spec that is read from a file: `fit.epochs=3`.
        epochs: Short for `fit.epochs`.
        precision: Short for `compile.precision`: `float32` or `mixed_bfloat16`.
        resume: Go on with the newest run of this spec, if there is one.
        allow: With `resume`: which changes are meant, as in `cnnctl.resume`.
        finish_epoch: Whether a signal lets the epoch in progress end, not only the step.
        device: `auto` (a GPU if there is one), `cpu`, `gpu` or `gpu:1`.
        data_dir: Where data sets are looked for first.
        full_data: Refuse the small sample that stands in for MNIST without a network.
        runs_dir: Where the run folder is made.
        track: Trackers: `tensorboard`, `mlflow`, `wandb`.
        live: The port of a page on which the curves grow; 0 takes a free one. None: no page.
        observers: Are told how it goes.

    Returns:
        The run and its metrics. After SIGINT or SIGTERM with `stopped` set.

    Raises:
        UsageError: There is no such device or tracker, or the run cannot go on.
        SpecError, DataError, RunError: Before the first step.
        TrainingError: It diverged, or Keras failed in the middle.

    Example:
        >>> result = cnnctl.train("mnist", epochs=3)
        >>> result.evaluation.figures["accuracy"]
    """
    settings = Settings(
        path_or_none(data_dir, "data_dir"), full_data, device, finish_epoch, tuple(observers)
    )
    allow = as_texts(allow, "allow")
    if allow and not as_flag(resume, "resume"):
        raise UsageError("`allow` belongs to `resume`")
    checked = check(spec, with_fit(overrides, epochs, precision))
    checked.spec.require("data", "compile")
    folder = as_path(runs_dir, "runs_dir")
    refuse_unknown(allow)
    if resume:
        if (earlier := _newest(checked, folder)) is not None:
            return resume_run(
                earlier, checked, settings, allow, track=track, live=live, may_shrink=True
            )
        for each in settings.observers:
            each.say(f"no run of {checked.spec.name} in {folder} to go on with: a new one")
    trackers = chosen(as_texts(track or (), "track"))
    quiet()
    from cnnctl.training.trainer import Trainer
    from cnnctl.training.watching import train_watched

    return train_watched(Trainer(checked, settings, folder), trackers, live)


def _newest(checked: Checked, runs_dir: Path) -> Run | None:
    """The newest run of a spec that got so far as to be resumed."""
    try:
        run = newest_run(runs_dir / checked.spec.name)
    except UsageError:
        return None
    return run if run.environment() else None
