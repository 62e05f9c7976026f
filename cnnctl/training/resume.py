"""`resume`: a training that goes on where it was."""

from __future__ import annotations

from collections.abc import Iterable

from cnnctl import plugins
from cnnctl.arithmetic.checked import Checked
from cnnctl.compute.observer import Observer
from cnnctl.errors import RunError, UsageError
from cnnctl.io.arguments import AnyPath, as_texts, path_or_none, with_fit
from cnnctl.preflight import check, check_run
from cnnctl.runs.find import newest_run
from cnnctl.runs.run import Run
from cnnctl.specs import AnySpec
from cnnctl.startup import quiet
from cnnctl.trackers.available import chosen
from cnnctl.training.results import Settings, TrainingResult


def resume(
    source: AnyPath,
    *,
    spec: AnySpec | None = None,
    overrides: str | Iterable[str] = (),
    epochs: int | None = None,
    allow: str | Iterable[str] = (),
    finish_epoch: bool = False,
    device: str = "auto",
    data_dir: AnyPath | None = None,
    full_data: bool = False,
    track: str | Iterable[str] | None = None,
    live: int | None = None,
    observers: Iterable[Observer] = (),
) -> TrainingResult:
    """Resume a run. The result is bit-identical to that of an uninterrupted run.

    Args:
        source: A run folder, or `runs/NAME`, of which the newest run is meant.
        spec: The spec that is meant to go on (itself, its path, or the name of a shipped one); the
            run's own by default.
        overrides: Changes of the spec, such as `fit.epochs=20`.
        epochs: Short for `fit.epochs`.
        allow: Which changes are meant: of `cnnctl.training.compatibility.KINDS`.
        track: The trackers; by default those that the run was tracked by, none with `none`.
        finish_epoch, device, data_dir, full_data, live, observers: As in `cnnctl.train`.

    Returns:
        As `cnnctl.train`; `unchanged` where nothing was left to do.

    Raises:
        UsageError: There is no such run, or it cannot go on as the same training.
        RunError: Another process trains in it, or it cannot be read or written.
        CheckpointError: No checkpoint is intact.

    Example:
        >>> cnnctl.resume("runs/mnist", epochs=20)
    """
    settings = Settings(
        path_or_none(data_dir, "data_dir"), full_data, device, finish_epoch, tuple(observers)
    )
    overrides, allow = with_fit(overrides, epochs), as_texts(allow, "allow")
    given = None if spec is None else check(spec, overrides)
    refuse_unknown(allow)
    run = newest_run(source)
    now = given or check_run(run, overrides)
    return resume_run(
        run, now, settings, allow, track=track, live=live, may_shrink=given is not None
    )


def resume_run(
    run: Run,
    checked: Checked,
    settings: Settings,
    allow: tuple[str, ...],
    *,
    track: str | Iterable[str] | None = None,
    live: int | None = None,
    may_shrink: bool,
) -> TrainingResult:
    """Resume a run by a spec that has passed.

    Args:
        may_shrink: Whether a finished run may be asked for fewer epochs than it has, as by a spec
            that is trained again.
        run, checked, settings, allow, track, live: As in `resume`.
    """
    environment = run.environment()
    if "normalization" not in environment:
        raise RunError(
            f"{run} has no readable environment.json, and so cannot go on",
            hint="train anew: no epoch of it was finished, or the file was damaged since",
        )
    plugins.require(environment.get("plugins") or (), run)
    trackers = chosen(None if track is None else as_texts(track, "track"), run.path)
    quiet()
    from cnnctl.training.resumed_trainer import ResumedTrainer
    from cnnctl.training.watching import train_watched

    trainer = ResumedTrainer(run, checked, settings, allow, may_shrink=may_shrink)
    return train_watched(trainer, trackers, live, sends_again=bool(track))


def refuse_unknown(allow: Iterable[str]) -> None:
    """Reject changes that cannot be allowed, before anything is read.

    Raises:
        UsageError: There is no such kind of change.
    """
    from cnnctl.training.compatibility import KINDS

    if unknown := set(allow) - set(KINDS):
        raise UsageError(f"--allow takes {', '.join(KINDS)}, not {', '.join(unknown)}")
