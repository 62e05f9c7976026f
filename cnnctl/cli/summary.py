"""`cnnctl summary SPEC…`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import Json, Plugin, Set, or_shipped
from cnnctl.cli.output import say

if TYPE_CHECKING:
    from cnnctl.cli.summary_cells import Choice
    from cnnctl.summary.summary import Summary

Result = TypeVar("Result")

KERAS_LEAST = 80
"""Columns of Keras's table: in fewer it cuts figures off, so that lines run over instead."""
KERAS_MOST = 88
KERAS_MOST_BRANCHED = 130
"""With the names of the layers that feed each one."""


def summary(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="SPEC…",
            callback=or_shipped,
            autocompletion=completing.specs,
            help="The YAML file of a network, or a shipped one's name; several, or a folder.",
        ),
    ],
    set_: Set = None,
    plugin: Plugin = None,
    macs: Annotated[
        bool, typer.Option("--macs", help="Show multiply-adds, for one picture forwards.")
    ] = False,
    receptive_field: Annotated[
        bool,
        typer.Option("--receptive-field", help="Show how much of the input each value sees."),
    ] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Show the bytes of each layer's output.")
    ] = False,
    all_: Annotated[bool, typer.Option("--all", help="Show all of these.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the formulas with the numbers in them.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print GitHub's Markdown.")] = False,
    keras: Annotated[
        bool,
        typer.Option("--keras", help="Build the model and print Keras's own summary of it."),
    ] = False,
    json: Json = False,
) -> None:
    """Print a network's layers, output shapes, parameters and totals; of several, side by side.

    All of it is arithmetic: TensorFlow is started for --keras and for layers without a formula.
    """
    from cnnctl.cli.output import print_json
    from cnnctl.cli.summary_cells import Choice
    from cnnctl.preflight import specs_in
    from cnnctl.summary.summary import summarize

    figures = {"--macs": macs, "--receptive-field": receptive_field, "--memory": memory}
    _refuse_contradictions(
        {"--keras": keras, "--json": json, "--markdown": markdown},
        {"--explain": explain, **figures, "--all": all_},
    )
    specs = [each for given in paths for each in specs_in(given)]
    if keras:
        code = _print_keras(specs, set_ or [])
    else:
        found, code = _of_each(specs, lambda path: summarize(path, set_ or []))
        if json:
            documents = [each.to_dict() for each in found]
            print_json(documents[0] if paths == specs and len(specs) == 1 else documents)
        elif found:
            choice = Choice(macs or all_, memory or all_, receptive_field or all_)
            _print(found, choice, explain=explain, markdown=markdown)
    if code:
        raise typer.Exit(code)


def _refuse_contradictions(forms: dict[str, bool], figures: dict[str, bool]) -> None:
    """Refuse two forms of the output, and what Keras's summary has not."""
    from cnnctl.errors import UsageError

    chosen = [option for option, given in forms.items() if given]
    if len(chosen) > 1:
        raise UsageError(
            f"{' and '.join(chosen)} exclude each other",
            hint="each is a form of the whole output: choose one",
        )
    added = [option for option, given in figures.items() if given]
    if chosen == ["--keras"] and added:
        raise UsageError(
            f"--keras prints Keras's own summary, which knows no {' or '.join(added)}",
            hint=f"leave out --keras, or {' and '.join(added)}",
        )


def _of_each(specs: list[Path], work: Callable[[Path], Result]) -> tuple[list[Result], int]:
    """What comes of the specs, and the exit code; of several, the faulty ones are reported."""
    from cnnctl.cli.boundary import report
    from cnnctl.errors import CnnctlError

    if len(specs) == 1:
        return [work(specs[0])], 0
    found, code = [], 0
    for path in specs:
        try:
            found.append(work(path))
        except CnnctlError as error:
            report(error)
            code = max(code, error.exit_code)
    return found, code


def _print(found: list[Summary], choice: Choice, *, explain: bool, markdown: bool) -> None:
    from cnnctl.cli import summary_compare, summary_explain, summary_table

    if explain:
        for number, each in enumerate(found):
            if number:
                say()
            summary_explain.show(each, as_markdown=markdown)
    elif len(found) == 1:
        summary_table.show(found[0], choice, as_markdown=markdown)
    else:
        summary_compare.show(found, choice, as_markdown=markdown)


def _print_keras(specs: list[Path], overrides: list[str]) -> int:
    """Build the models and have Keras print its summaries; returns the exit code."""
    import os

    from cnnctl.cli.terminal import width
    from cnnctl.summary.summary import traced

    checked, code = _of_each(specs, lambda path: traced(path, overrides))
    if not checked:
        return code
    from cnnctl.compute.device import start_device

    start_device("cpu")  # a GPU is left to those who train
    from cnnctl.network.build import build

    room = max(width(), KERAS_LEAST)
    os.environ["COLUMNS"] = str(room)  # where Keras's printer looks
    for spec, trace in checked:
        most = KERAS_MOST if spec.graph.is_sequential else KERAS_MOST_BRANCHED
        build(spec, trace.input_shape).summary(line_length=min(most, room))
    return code
