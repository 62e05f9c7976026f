"""`cnnctl predict RUN FILE…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    Split,
)
from cnnctl.cli.output import remark, say
from cnnctl.io.printable import printable

if TYPE_CHECKING:
    from cnnctl.inference.predictions import Predictions

FEW = 5
"""Pictures that get a table each; more get one line each."""


def predict(
    source: Source,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Image or .npy files, folders of them, - for standard input; without any, the "
            "images of the data set.",
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Classes that are shown.")] = 5,
    invert: Annotated[
        bool | None,
        typer.Option(
            "--invert/--no-invert",
            help="Turn light into dark; by default where the network knows the other.",
        ),
    ] = None,
    centre: Annotated[
        bool | None,
        typer.Option(
            "--centre/--no-centre",
            help="Cut the drawing out and centre it by its mass; by default for MNIST.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw a grid of them: a .png or .svg file."),
    ] = None,
    worst: Annotated[
        bool, typer.Option("--worst", help="Those that the network is most wrong about.")
    ] = False,
    count: Annotated[
        int, typer.Option("--count", min=1, help="How many of the data set's pictures.")
    ] = 32,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides which of them.")] = 0,
    split: Split = "test",
    spec: SpecOfFile = None,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    plugin: Plugin = None,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated lines.")] = False,
) -> None:
    """Tell what a trained network takes pictures for: files, or some of its data set.

    Pictures are made like those that the network was trained on, and what was done is said.
    """
    from cnnctl.cli.output import say_sample
    from cnnctl.errors import UsageError
    from cnnctl.inference import prediction
    from cnnctl.plots.style import check_suffix
    from cnnctl.preflight import check

    if json and csv:
        raise UsageError("--json and --csv are two forms of the same: give one of them")
    if plot is not None:
        check_suffix(plot)
    settings: dict[str, Any] = {
        "spec": check(spec).spec if spec else None,
        "checkpoint": checkpoint,
        "data_dir": data_dir,
        "device": device,
    }
    if files:
        if worst:
            raise UsageError("--worst chooses from the data set: leave the files away")
        found = prediction.predict(source, files, invert=invert, centre=centre, **settings)
    else:
        if invert is not None or centre is not None:
            raise UsageError("--invert and --centre are for files")
        whole = prediction.predict_split(source, split, full_data=full_data, **settings)
        found = whole.some(_chosen(whole, count, seed, worst))
        say_sample(whole.data)
        remark(f"{whole.summary()}{', the worst mistakes' if worst else ''}")
    for note in found.notes:
        remark(f"note: {note}")
    if plot is not None:
        _draw(found, plot, f"{source}: {'the worst mistakes' if worst else 'predicted (true)'}")
    if json:
        _print_json(found, top)
    elif csv:
        _print_csv(found)
    else:
        _print(found, top)
        if plot is not None:
            say(f"{plot}: {len(found.x)} pictures")
    if found.failures:
        sys.stdout.flush()  # the errors come last
        raise prediction.refusal(found.failures)


def _chosen(found: Predictions, count: int, seed: int, worst: bool) -> list[int]:
    import numpy as np

    if worst:
        return found.worst(count)
    count = min(count, len(found.x))
    drawn = np.random.default_rng(seed).choice(len(found.x), count, replace=False)
    return sorted(int(index) for index in drawn)


def _draw(found: Predictions, path: Path, title: str) -> None:
    from cnnctl.errors import UsageError
    from cnnctl.plots.image_grid import predictions
    from cnnctl.plots.style import save

    if found.x.ndim not in (3, 4):
        raise UsageError(f"--plot draws pictures, and these have the shape {found.x.shape[1:]}")
    if len(found.x) == 0:
        remark(f"{path} is not written: there are no such pictures")
        return
    most = 100
    if len(found.x) > most:
        remark(f"note: {path} has the first {most} of {len(found.x):,} pictures")
    save(predictions(found.some(range(min(most, len(found.x)))), title=title, columns=8), path)


def _print(found: Predictions, top: int) -> None:
    from cnnctl.cli.grid import grid
    from cnnctl.cli.output import bar, heading, table

    if not found.class_names:
        rows = [[name, ", ".join(f"{value:.5g}" for value in row)]
                for name, row in zip(found.names, found.outputs, strict=True)]  # fmt: skip
        table(None, ["picture", "output"], rows)
        return
    word = "probability" if found.are_probabilities else "output"
    if len(found.x) <= FEW:
        for index, name in enumerate(found.names):
            heading(name + _true(found, index))
            for step in found.steps[index] if found.steps else ():
                say(f"  {step}")
            most = 1.0 if found.are_probabilities else max(float(found.outputs[index].max()), 1e-9)
            grid(
                ["class", "", word],
                [[each, bar(value / most), f"{value:.4f}"]
                 for each, value in found.top(index, top)],
            )  # fmt: skip
            say()
        return
    columns, rows = ["picture", "class", ""], []
    if found.truth is not None:
        columns.insert(2, "true")
    for index, name in enumerate(found.names):
        (guess, value), *_ = found.top(index, 1)
        row = [name, guess, bar(value, 12), f"{value:.4f}"]
        if found.truth is not None:
            true = found.class_names[int(found.truth[index])]
            row.insert(2, true if true == guess else f"× {true}")
        rows.append(row)
    table(None, [*columns, word], rows)
    _print_steps(found)


def _print_steps(found: Predictions) -> None:
    """What was done to the pictures: once, where it was the same for all."""
    if not found.steps or not any(found.steps):
        return
    if len(set(found.steps)) == 1:
        say("every picture: " + "; ".join(found.steps[0]))
        return
    for name, steps in zip(found.names, found.steps, strict=True):
        if steps:
            say(f"{name}: " + "; ".join(steps))


def _true(found: Predictions, index: int) -> str:
    if found.truth is None:
        return ""
    return f" (true: {found.class_names[int(found.truth[index])]})"


def _entry(found: Predictions, index: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"picture": found.names[index]}
    if found.class_names:
        guess, value = found.top(index, 1)[0]
        entry |= {"class": guess, "value": value}
        if found.truth is not None:
            entry["true"] = found.class_names[int(found.truth[index])]
    elif found.truth is not None:
        entry["true"] = found.truth[index].tolist()
    return entry


def _print_json(found: Predictions, top: int) -> None:
    from cnnctl.cli.output import print_json

    entries = []
    for index in range(len(found.x)):
        entry = _entry(found, index)
        if found.class_names:
            entry["top"] = [{"class": name, "value": value}
                            for name, value in found.top(index, top)]  # fmt: skip
        else:
            entry["output"] = [float(value) for value in found.outputs[index]]
        if found.steps:
            entry["steps"] = list(found.steps[index])
        entries.append(entry)
    failed = [{"picture": each.name, "error": each.error.message} for each in found.failures]
    print_json({
        "checkpoint": found.checkpoint,
        "values": "probabilities" if found.are_probabilities else "outputs",
        "pictures": entries,
        **({"failed": failed} if failed else {}),
    })  # fmt: skip


def _print_csv(found: Predictions) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    outputs = list(found.class_names) or [f"output {n}" for n in range(found.outputs.shape[1])]
    known = found.truth is not None
    head = ["picture", *(["class", "value"] if found.class_names else [])]
    writer.writerow([*head, *(["true"] if known else []), *map(printable, outputs)])
    for index in range(len(found.x)):
        entry = _entry(found, index)
        values = [entry[key] for key in head] + ([entry["true"]] if known else [])
        writer.writerow(
            [*map(printable, values), *(f"{value:.6g}" for value in found.outputs[index])]
        )
