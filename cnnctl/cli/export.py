"""`cnnctl export RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cnnctl.cli.options import (
    Checkpoint,
    DataDir,
    Device,
    FullData,
    Json,
    Plugin,
    Source,
    SpecOfFile,
)
from cnnctl.cli.output import remark, say


def export(
    source: Source,
    form: Annotated[
        Literal["keras", "saved_model", "onnx", "litert"],
        typer.Option("--format", help="What is written."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where; RUN/exports/NAME.… by default."),
    ] = None,
    quantize: Annotated[
        Literal["int8", "float16"] | None,
        typer.Option("--quantize", help="Smaller weights, for litert."),
    ] = None,
    pixels: Annotated[
        bool,
        typer.Option("--pixels", help="Let the export take pixels, and normalize them itself."),
    ] = False,
    images: Annotated[
        int, typer.Option("--images", min=1, help="Test pictures on which it is compared.")
    ] = 1000,
    spec: SpecOfFile = None,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Write a trained network for other programs, and compare what they make of test pictures.

    An export that does not agree with the Keras model is an error, and leaves no file.
    """
    from cnnctl.cli.output import print_json
    from cnnctl.export.export import export as run_export
    from cnnctl.preflight import check

    found = run_export(source, form, out, quantize=quantize, pixels=pixels, images=images,
                       spec=check(spec).spec if spec else None, checkpoint=checkpoint,
                       data_dir=data_dir, full_data=full_data, device=device)  # fmt: skip
    for note in found.notes:
        remark(f"note: {note}")
    if json:
        print_json(found.to_dict())
        return
    what = "pixels as stored" if found.takes == "pixels" else "normalized pictures"
    say(f"{found.path}: {found.bytes / 1e6:.2f} MB, takes {what}")
    say(f"  compared on {found.pictures:,} pictures, by its own runtime")
    say(f"  largest difference  {found.difference:.2g}")
    if found.accuracy is not None and found.accuracy_by_keras is not None:
        say(f"  accuracy            {found.accuracy:.4f} (Keras {found.accuracy_by_keras:.4f})")
        say(f"  same class          {found.agreement:.2%}")
    by_keras = found.milliseconds_by_keras
    say(f"  one picture         {found.milliseconds:.2f} ms (Keras {by_keras:.2f} ms)")
