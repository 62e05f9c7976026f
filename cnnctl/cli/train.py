"""`cnnctl train SPEC`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnctl.cli.options import (
    Allow,
    DataDir,
    Device,
    Epochs,
    FinishEpoch,
    FullData,
    Json,
    Plugin,
    Precision,
    RunsDir,
    Set,
    SpecPath,
    Track,
)

if TYPE_CHECKING:
    from cnnctl.cli.progress import Lines
    from cnnctl.play.live import Live
    from cnnctl.specs import Spec


def train(
    spec: SpecPath,
    set_: Set = None,
    epochs: Epochs = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the newest run of this spec, if there is one."),
    ] = False,
    allow: Allow = None,
    finish_epoch: FinishEpoch = False,
    precision: Precision = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    runs_dir: RunsDir = Path("runs"),
    track: Track = None,
    live: Annotated[
        bool, typer.Option("--live", help="Serve a page on which the curves grow.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Of the page of --live, 8600; 0: a free one"),
    ] = None,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Train the network of a spec, and evaluate its best epoch on the test set.

    Everything about the training is kept in a new run folder, runs/NAME/001. Ctrl-C ends it after
    the step in progress, and keeps the epochs that were finished; `cnnctl resume` goes on.
    """
    from cnnctl.cli.progress import observer
    from cnnctl.cli.result import show_result
    from cnnctl.compute.launch import end_with_launcher
    from cnnctl.errors import UsageError
    from cnnctl.io.arguments import with_epochs
    from cnnctl.preflight import preflight
    from cnnctl.startup import quiet
    from cnnctl.trackers.available import chosen
    from cnnctl.trackers.tracking import Tracking

    end_with_launcher()
    if port is not None and not live:
        raise UsageError("--port belongs to --live")
    if allow and not resume:
        raise UsageError("--allow belongs to --resume")
    overrides = [*with_epochs(set_ or (), epochs)]
    overrides += [f"compile.precision={precision}"] if precision else []
    checked = preflight(spec, overrides)
    checked.spec.require("data", "compile")
    earlier = _newest(checked.spec, runs_dir) if resume else None
    trackers = chosen(track, earlier)
    shown = observer(checked.spec)
    live = live and _leads(checked.spec)
    page = _page(shown, 8600 if port is None else port) if live else None
    places: dict[str, Any] = {"data_dir": data_dir, "full_data": full_data, "device": device}
    tracked = Tracking(trackers, page or shown, say=shown.say, **places)
    with page or nullcontext(), shown, tracked:
        if page:
            shown.say(f"live: {page.address}")
        quiet()
        from cnnctl.training.resume import resume as resume_run
        from cnnctl.training.train import train as train_spec

        settings: dict[str, Any] = {
            **places,
            "finish_epoch": finish_epoch,
            "observer": tracked,
            "progress": shown.downloaded,
        }
        if earlier is not None:
            result = resume_run(earlier, spec=checked.spec, allow=allow or (), **settings)
        else:
            if resume:
                shown.say(f"no run of {checked.spec.name} in {runs_dir} to go on with: a new one")
            result = train_spec(checked.spec, runs_dir=runs_dir, **settings)
        if result.unchanged and result.run and track:
            tracked.send(result.run)
    show_result(result, json=json)
    if result.stopped:
        raise typer.Exit(128 + result.stopped)


def _leads(spec: Spec) -> bool:
    """Whether this process speaks to people: of several that train together, one does."""
    from cnnctl.compute.cluster import from_environment

    return spec.fit.distribute != "multi_worker" or from_environment().leads


def _page(shown: Lines, port: int) -> Live:
    from cnnctl.play.live import Live

    return Live(shown, port)


def _newest(spec: Spec, runs_dir: Path) -> Path | None:
    """The newest run of a spec that got so far as to be resumed."""
    from cnnctl.errors import UsageError
    from cnnctl.runs.run import newest_run

    try:
        run = newest_run(runs_dir / spec.name)
    except UsageError:
        return None
    return run.path if run.environment() else None
