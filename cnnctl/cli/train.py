"""`cnnctl train SPEC`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    from cnnctl.cli.result import end_with
    from cnnctl.compute.launch import end_with_launcher
    from cnnctl.errors import UsageError
    from cnnctl.training.train import train as train_spec

    end_with_launcher()
    if port is not None and not live:
        raise UsageError("--port belongs to --live")
    if allow and not resume:
        raise UsageError("--allow belongs to --resume")
    with observer() as shown:
        result = train_spec(
            spec,
            overrides=set_ or (),
            epochs=epochs,
            precision=precision,
            resume=resume,
            allow=allow or (),
            finish_epoch=finish_epoch,
            device=device,
            data_dir=data_dir,
            full_data=full_data,
            runs_dir=runs_dir,
            track=track,
            live=(8600 if port is None else port) if live else None,
            observers=[shown],
        )
    end_with(result, json=json)
