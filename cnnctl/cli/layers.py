"""`cnnctl layers [NAME]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cnnctl.catalog import KINDS
from cnnctl.cli import completing
from cnnctl.cli.options import Json, Plugin
from cnnctl.cli.output import say

if TYPE_CHECKING:
    from cnnctl import catalog as catalogs

NARROW = 20
"""With less room than this for each column, a table's cells would be a few letters wide."""


def layers(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", autocompletion=completing.names, help="A layer, optimizer, loss, …."
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", help=f"What to list or look in: {', '.join(KINDS)}, or all.")
    ] = "all",
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """List what a spec may use, or show the arguments of one of them, with an example."""
    from cnnctl import catalog as catalogs
    from cnnctl.catalog.suggest import nearest
    from cnnctl.cli.output import say_left_out
    from cnnctl.errors import UsageError

    if kind != "all" and kind not in KINDS:
        close = nearest(kind, KINDS)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(KINDS)}"
        raise UsageError(f"unknown kind `{kind}`", hint=hint)
    catalog = catalogs.load()
    kinds = KINDS if kind == "all" else (kind,)
    if name is None:
        say_left_out(catalog.complete())
        _list(catalog, kinds, json)
        return
    found = [entry for each in kinds if (entry := catalog.find(each, name))]
    if not found:
        left_out = catalog.complete()
        found = [entry for each in kinds if (entry := catalog.find(each, name))]
        say_left_out(() if found else left_out)
    if found:
        _show(found, json)
        return
    for each in kinds:
        if reason := catalog.refusal(each, name):
            raise UsageError(f"{name} cannot be used in a spec: {reason}")
    close = next(
        (
            near
            for look in (catalog.meant, catalog.nearest)
            for each in kinds
            if (near := look(each, name))
        ),
        None,
    )
    raise UsageError(
        f"a spec knows no `{name}`",
        hint=f"did you mean {close}?" if close else "`cnnctl layers` lists what there is",
    )


def _list(catalog: catalogs.Catalog, kinds: tuple[str, ...], json: bool) -> None:
    from cnnctl.cli.output import print_json

    if json:
        print_json({kind: list(catalog.names(kind)) for kind in kinds})
        return
    for kind in kinds:
        rows = []
        for name in catalog.names(kind):
            entry = catalog.find(kind, name)
            assert entry is not None
            required = ", ".join(each.name for each in entry.arguments if each.required)
            rows.append([name, required, entry.summary])
        _table(f"{kind.replace('_', ' ')}s", ["name", "needs", "what it does"], rows)


def _show(entries: list[catalogs.Entry], json: bool) -> None:
    from dataclasses import asdict

    from cnnctl.catalog.examples import example
    from cnnctl.cli.output import print_json
    from cnnctl.specs.schema import takes

    if json:
        print_json([asdict(entry) for entry in entries])
        return
    for entry in entries:
        rows = [
            [each.name, _default(each), takes(each.schema), each.doc] for each in entry.arguments
        ]
        origin = "" if entry.source == "keras" else f", by {entry.source}"
        say(f"{entry.name} ({entry.kind.replace('_', ' ')}{origin}): {entry.summary}")
        if others := [each for each in entry.identifiers if each != entry.name]:
            say(f"also written: {', '.join(others)}")
        if rows:
            _table(None, ["argument", "default", "takes", "what it is"], rows)
        for argument, reason in entry.managed.items():
            say(f"not in a spec: {argument} ({reason})")
        say(f"in a spec:  {example(entry)}")
        say()


def _table(title: str | None, columns: list[str], rows: list[list[str]]) -> None:
    """A table, or in a narrow terminal each row as a name with lines below it."""
    from textwrap import wrap

    from cnnctl.cli.output import heading, table
    from cnnctl.cli.terminal import width

    if width() >= NARROW * len(columns):
        table(title, columns, rows, right=0)
        return
    if title:
        heading(title)
    for name, *cells in rows:
        say(name)
        for column, cell in zip(columns[1:], cells, strict=True):
            if cell:
                for line in wrap(f"{column}: {cell}", max(width(), NARROW),
                                 initial_indent="  ", subsequent_indent="    "):  # fmt: skip
                    say(line)


def _default(argument: catalogs.Argument) -> str:
    if argument.required:
        return "(required)"
    return _yaml(argument.default)


def _yaml(value: object) -> str:
    import json

    return value if isinstance(value, str) and value else json.dumps(value, default=str)
