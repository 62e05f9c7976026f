"""`cnnctl check PATH…`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import Json, Plugin, Set, or_shipped
from cnnctl.cli.output import say

if TYPE_CHECKING:
    from cnnctl.specs.provenance import Origin


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH…",
            callback=or_shipped,
            autocompletion=completing.specs,
            help="Specs, or folders of specs.",
        ),
    ],
    set_: Set = None,
    origin: Annotated[
        bool,
        typer.Option("--origin", help="Show every value, and the line, flag or default behind it."),
    ] = False,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Check specs: every fault, with its line and the mend. Starts neither TensorFlow nor data."""
    from cnnctl.cli.boundary import report
    from cnnctl.cli.output import print_json
    from cnnctl.errors import CnnctlError, SpecError, UsageError
    from cnnctl.preflight import check as check_spec
    from cnnctl.preflight import specs_in
    from cnnctl.specs.provenance import origins

    rows, errors = [], 0
    for path in [each for given in paths for each in specs_in(given)]:
        try:
            checked = check_spec(path, set_ or ())
        except CnnctlError as error:
            found = len(error.diagnostics) if isinstance(error, SpecError) else 1
            errors += found
            rows.append(_failed(path, error))
            if not json:
                report(error)
            continue
        total = checked.trace.total if checked.trace and not checked.trace.unknown else None
        row: dict[str, object] = {"spec": str(path), "ok": True, "parameters": total, "errors": []}
        if origin:
            found_origins = list(origins(checked.spec))
            row["origins"] = [each.to_dict() for each in found_origins]
        rows.append(row)
        if origin and not json:
            _show_origins(path, found_origins)
        elif not json:
            size = f", {total:,} parameters" if total is not None else ""
            if checked.trace and checked.trace.unknown:
                names = ", ".join(checked.trace.unknown)
                size = f", but nothing behind {names} was checked: there is no formula for it"
            say(f"{path}: ok{size}")
    if json:
        print_json(rows)
    if not rows:
        raise UsageError(f"no spec in {', '.join(map(str, paths))}")
    if errors:
        raise typer.Exit(2)


def _show_origins(path: Path, found: list[Origin]) -> None:
    from cnnctl.cli.output import table
    from cnnctl.specs.dump import flow

    rows = [[each.path, flow(each.value), each.source] for each in found]
    table(str(path), ["value", "is", "from"], rows, right=0)


def _failed(path: Path, error: Exception) -> dict[str, object]:
    from cnnctl.errors import Diagnostic, SpecError

    found = (
        error.diagnostics if isinstance(error, SpecError) else (Diagnostic("usage", str(error)),)
    )
    return {
        "spec": str(path),
        "ok": False,
        "parameters": None,
        "errors": [
            {
                "rule": each.rule,
                "message": each.message,
                "file": each.location.file if each.location else None,
                "line": each.location.line if each.location else None,
                "column": each.location.column if each.location else None,
                "hint": each.hint,
                "notes": list(each.notes),
            }
            for each in found
        ],
    }
