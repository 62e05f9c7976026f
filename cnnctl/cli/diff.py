"""`cnnctl diff A B`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import Json, Plugin, or_shipped
from cnnctl.cli.output import say

if TYPE_CHECKING:
    from cnnctl.specs.difference import Difference
    from cnnctl.specs.provenance import Origin


def diff(
    a: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            callback=or_shipped,
            autocompletion=completing.specs_and_runs,
            help="A spec, or a run.",
        ),
    ],
    b: Annotated[
        Path,
        typer.Argument(
            metavar="B",
            callback=or_shipped,
            autocompletion=completing.specs_and_runs,
            help="Another one.",
        ),
    ],
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Compare two specs value by value, with everything filled in that they leave to defaults."""
    from cnnctl.cli.output import print_json
    from cnnctl.preflight import check_spec_or_run
    from cnnctl.specs.difference import differences

    before, after = check_spec_or_run(a), check_spec_or_run(b)
    paths = [each.spec.path for each in (before, after)]
    found = differences(before.spec, after.spec)
    totals = [c.trace.total if c.trace and not c.trace.unknown else None for c in (before, after)]
    if json:
        print_json(
            {
                "a": str(paths[0]),
                "b": str(paths[1]),
                "differences": [each.to_dict() for each in found],
                "parameters": dict(zip("ab", totals, strict=True)),
            }
        )
        return
    if not found:
        say(f"{a} and {b} mean the same")
        return
    say(f"--- {paths[0]}")
    say(f"+++ {paths[1]}")
    for each in found:
        _show(each)
    if None not in totals and totals[0] != totals[1]:
        say(f"parameters: {totals[0]:,} → {totals[1]:,}")


def _show(each: Difference) -> None:
    if each.before and each.after:
        places = " → ".join(dict.fromkeys(_place(origin) for origin in (each.before, each.after)))
        values = f"{_text(each.before)} → {_text(each.after)}"
        say(f"  {each.path}: {values}   ({places})")
    elif each.before:
        say(f"- {each.path}: {_text(each.before)}   ({_place(each.before)})")
    elif each.after:
        say(f"+ {each.path}: {_text(each.after)}   ({_place(each.after)})")


def _place(origin: Origin) -> str:
    return f"line {origin.location.line}" if origin.location else "default"


def _text(origin: Origin) -> str:
    from cnnctl.specs.dump import flow

    return flow(origin.value)
