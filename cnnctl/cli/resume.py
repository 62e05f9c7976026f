"""`cnnctl resume RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    from cnnctl.cli.result import end_with
    from cnnctl.compute.launch import end_with_launcher
    from cnnctl.training.resume import resume as resume_run

    end_with_launcher()
    with observer() as shown:
        result = resume_run(
            run,
            overrides=set_ or (),
            epochs=epochs,
            allow=allow or (),
            finish_epoch=finish_epoch,
            device=device,
            data_dir=data_dir,
            full_data=full_data,
            track=track,
            observers=[shown],
        )
    end_with(result, json=json)
