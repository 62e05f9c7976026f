"""`cnnctl resume RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import (
    Allow,
    DataDir,
    Device,
    Epochs,
    FinishEpoch,
    FullData,
    Json,
    Plugin,
    Set,
    Track,
)


def resume(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            autocompletion=completing.runs,
            help="A run folder, or runs/NAME: the newest of it.",
        ),
    ],
    epochs: Epochs = None,
    set_: Set = None,
    allow: Allow = None,
    finish_epoch: FinishEpoch = False,
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    track: Track = None,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Go on with a run that was stopped or killed, to the very bits that it would have reached.

    With --epochs a finished run gets more. It goes on as the same training: where the model, the
    loss and optimizer, the data or the versions are others, it is refused, unless --allow names it.
    """
    from cnnctl.cli.progress import observer
    from cnnctl.cli.result import show_result
    from cnnctl.compute.launch import end_with_launcher
    from cnnctl.io.arguments import with_epochs
    from cnnctl.preflight import preflight_run
    from cnnctl.runs.run import newest_run
    from cnnctl.startup import quiet
    from cnnctl.trackers.available import chosen
    from cnnctl.trackers.tracking import Tracking

    end_with_launcher()
    found = newest_run(run)
    overrides = [*with_epochs(set_ or (), epochs)]
    shown = observer(preflight_run(found, overrides).spec)
    places: dict[str, Any] = {"data_dir": data_dir, "full_data": full_data, "device": device}
    tracked = Tracking(chosen(track, found.path), shown, say=shown.say, **places)
    with shown, tracked:
        quiet()
        from cnnctl.training.resume import resume as resume_run

        result = resume_run(
            found.path,
            overrides=overrides,
            allow=allow or (),
            finish_epoch=finish_epoch,
            observer=tracked,
            progress=shown.downloaded,
            **places,
        )
        if result.unchanged and result.run and track:
            tracked.send(result.run)
    show_result(result, json=json)
    if result.stopped:
        raise typer.Exit(128 + result.stopped)
