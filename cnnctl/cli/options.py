"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cnnctl.cli import completing

Source = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        autocompletion=completing.runs,
        help="A run folder, a checkpoint in one, a .keras or .weights.h5 file.",
    ),
]
SpecOfFile = Annotated[
    Path | None,
    typer.Option(
        "--spec",
        metavar="SPEC",
        autocompletion=completing.specs,
        help="The network and data of a single file.",
    ),
]
Checkpoint = Annotated[
    str | None,
    typer.Option("--checkpoint", metavar="NAME", help="best (default), last or epoch-0003."),
]
Split = Annotated[
    Literal["test", "validation", "train"],
    typer.Option("--split", help="Which pictures of the data set."),
]


def or_shipped(given: Any) -> Any:
    """Paths as they are, and the name of a shipped spec as its path where there is no such file."""
    from cnnctl.catalog import shipped

    if isinstance(given, list):
        return [or_shipped(each) for each in given]
    return given if given is None else shipped.locate(given)


SpecPath = Annotated[
    Path,
    typer.Argument(
        metavar="SPEC",
        callback=or_shipped,
        autocompletion=completing.specs,
        help="The YAML file of the network, or the name of a shipped one: mnist.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a value of the spec, such as fit.epochs=3. May be repeated.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Where data sets are looked for first; CNNCTL_DATA_DIR by default.",
    ),
]
FullData = Annotated[
    bool,
    typer.Option("--full-data", help="Fail rather than take the 5,000-image sample of MNIST."),
]


def _known_device(context: typer.Context, device: str) -> str:
    if device != "auto" and not context.resilient_parsing:  # which it is for completion
        from cnnctl.compute.device import refuse_device

        refuse_device(device)
    return device


Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        callback=_known_device,
        help="auto (a GPU if there is one), cpu, gpu or gpu:1; gpu:0,gpu:1 by fit.distribute.",
    ),
]
RunsDir = Annotated[
    Path, typer.Option("--runs-dir", metavar="DIR", help="Where the run folders are made.")
]


def _load_plugins(paths: list[Path] | None) -> list[Path] | None:
    if paths:
        from cnnctl.plugins import load

        load(paths)
    return paths


Plugin = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        callback=_load_plugins,
        help="A Python file whose registered classes and functions the spec may name. It is run: "
        "give only files that you trust. May be repeated.",
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="WHAT",
        help="Go on although this is not as it was: model, compile, data, fit, seed, versions or "
        "plugins. May be repeated.",
    ),
]
FinishEpoch = Annotated[
    bool,
    typer.Option(
        "--finish-epoch", help="Let a signal wait for the end of the epoch, not of the step."
    ),
]
Precision = Annotated[
    Literal["float32", "mixed_bfloat16"] | None,
    typer.Option(
        "--precision",
        help="Short for compile.precision: mixed_bfloat16 is faster, and less exact.",
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="NAME",
        autocompletion=completing.trackers,
        help="Send figures and files to tensorboard, mlflow or wandb too; a run that goes on is "
        "tracked as before, unless this says others or none. May be repeated.",
    ),
]
Epochs = Annotated[int | None, typer.Option("--epochs", min=1, help="Short for fit.epochs.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
