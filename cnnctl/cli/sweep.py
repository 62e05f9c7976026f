"""`cnnctl sweep SPEC`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cnnctl.cli.options import (
    DataDir,
    Device,
    Epochs,
    FullData,
    Json,
    Plugin,
    Precision,
    RunsDir,
    Set,
    SpecPath,
)
from cnnctl.cli.output import say
from cnnctl.io.printable import shell

if TYPE_CHECKING:
    from cnnctl.sweep import Outcome


def sweep(
    spec: SpecPath,
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over",
            metavar="PATH=V1,V2,…",
            help="Values to try, such as fit.batch_size=32,64. May be repeated.",
        ),
    ] = None,
    ranges: Annotated[
        Path | None,
        typer.Option(
            "--ranges", metavar="FILE", help="A YAML file of lists and ranges; docs/sweeps.md."
        ),
    ] = None,
    method: Annotated[
        Literal["grid", "random", "tpe"] | None,
        typer.Option(
            "--method", help="By default grid where all are lists, tpe where there is a range."
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="How many are drawn by random or tpe; 20 by default."),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=1000, help="Trainings in each trial.")
    ] = 1,
    monitor: Annotated[
        str | None,
        typer.Option(
            "--monitor",
            metavar="FIGURE",
            help="What decides: val_accuracy, say. By default what ModelCheckpoint watches, else "
            "val_loss, else loss.",
        ),
    ] = None,
    prune: Annotated[
        Literal["none", "median", "hyperband"] | None,
        typer.Option(
            "--prune", help="End bad trials early; by default none in a grid, else median."
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=1024, help="Processes on this machine.")
    ] = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            help="A database that machines share (mysql://…), or a file; by default a file in the "
            "sweep's folder.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Of the sweep; the spec's by default."),
    ] = None,
    set_: Set = None,
    epochs: Epochs = None,
    precision: Precision = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    runs_dir: RunsDir = Path("runs"),
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Train a spec with many values, and find the best: a grid, random or TPE, by Optuna.

    Each trial is an ordinary run. The same command again goes on with what is not finished, also
    from other terminals and machines at the same time. Ctrl-C ends the trainings after their step.
    """
    from cnnctl.cli.output import print_json, say_sample
    from cnnctl.cli.sweep_screen import watcher
    from cnnctl.io.arguments import with_fit
    from cnnctl.sweep import Request
    from cnnctl.sweep import sweep as run_sweep

    overrides = [*with_fit(set_ or (), epochs)]
    overrides += [f"compile.precision={precision}"] if precision else []
    shown = watcher()
    with shown:
        outcome = run_sweep(
            Request(
                spec=spec,
                overrides=overrides,
                over=over or (),
                ranges=ranges,
                method=method,
                trials=trials,
                seeds=seeds,
                prune=prune,
                monitor=monitor,
                workers=workers,
                storage=storage,
                name=name,
                runs_dir=runs_dir,
                data_dir=data_dir,
                full_data=full_data,
                device=device,
            ),
            shown,
        )
    say_sample(outcome.data or "")
    if json:
        print_json(outcome.to_dict())
    else:
        words = [f"--set {shell(each)}" for each in overrides]
        words += [f"--plugin {shell(each)}" for each in plugin or []]
        show(outcome, spec, words, runs_dir)
    if outcome.stopped is not None:
        raise typer.Exit(128 + outcome.stopped)
    if outcome.best is None:  # all have failed
        raise typer.Exit(1)


def show(outcome: Outcome, spec: Path, words: list[str], runs_dir: Path) -> None:
    """The ranking, the best values, what mattered, and where the files are.

    Args:
        outcome: Of the sweep.
        spec: Its spec.
        words: The flags that every trial has.
        runs_dir: The folder of runs.
    """
    from cnnctl.cli.output import paragraph, table
    from cnnctl.cli.sweep_screen import cells, figure, heads, states

    definition = outcome.definition
    space = definition.space
    title = f"{outcome.name}: {states(outcome.rows)}"
    rows = [cells(row, definition, str(runs_dir)) for row in outcome.rows]
    table(title, heads(definition), rows, right=4)
    for row in outcome.rows:
        if row.reason:
            paragraph(f"trial {row.number} failed: {row.reason}")
    same = [row for row in outcome.rows if row.same_as and row.state != "waiting"]
    for row in same:
        say(f"trial {row.number} drew the values of trial {row.same_as}, and has its figures")
    if (best := outcome.best) is not None:
        from cnnctl.sweep.space import assignments

        sets = [f"--set {shell(each)}" for each in assignments(space, best.values)]
        say(f"the best: trial {best.number}, {definition.monitor} {figure(best)}")
        say(" ".join(["  cnnctl train", shell(_as_typed(spec)), *words, *sets]))
    if outcome.importance.parts:
        say(f"importance, by {outcome.importance.method}:")
        width = max(map(len, outcome.importance.parts))
        for path, part in outcome.importance.parts.items():
            say(f"  {path:<{width}}  {part:.2f}")
    else:
        say(f"importance: {outcome.importance.reason}")
    for kind, file in outcome.files.items():
        say(f"{kind.replace('_', ' ')}: {file}")
    for kind, reason in outcome.left_out.items():
        say(f"{kind.replace('_', ' ')}: not drawn, {reason}")
    if outcome.stopped is not None:
        say("stopped by a signal: the same command goes on")


def _as_typed(spec: Path) -> str | Path:
    """A spec as a command takes it: a shipped one by its name."""
    from cnnctl.catalog import shipped

    names = [name for name in shipped.names() if shipped.find(name) == spec]
    return names[0] if names and spec.is_absolute() else spec
