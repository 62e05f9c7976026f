"""`cnnctl train SPEC`."""

from __future__ import annotations

from pathlib import Path

import typer

from cnnctl.cli.options import DataDir, Device, FullData, Json, RunsDir, Set, SpecPath


def train(
    spec: SpecPath,
    set_: Set = None,
    epochs: int | None = typer.Option(None, "--epochs", min=1, help="Short for fit.epochs."),
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Train the network of a spec, and evaluate its best epoch on the test set.

    Everything about the training is kept in a new run folder, runs/NAME/001. Ctrl-C ends it after
    the step in progress, and keeps the epochs that were finished.
    """
    from cnnctl.backend import quiet
    from cnnctl.cli.progress import observer, show_result
    from cnnctl.preflight import preflight

    overrides = [*(set_ or []), *([f"fit.epochs={epochs}"] if epochs else [])]
    checked = preflight(spec, overrides)
    checked.spec.require("data", "compile")
    shown = observer(checked.spec)
    with shown:
        quiet()
        from cnnctl.training import train as run_training

        result = run_training(
            checked.spec,
            runs_dir=runs_dir,
            data_dir=data_dir,
            full_data=full_data,
            device=device,
            observer=shown,
            progress=shown.downloaded,
        )
    show_result(result, json=json)
    if result.stopped:
        raise typer.Exit(128 + result.stopped)
