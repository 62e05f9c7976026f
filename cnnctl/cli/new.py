"""`cnnctl new NAME`."""

from __future__ import annotations

from typing import Annotated

import typer

from cnnctl.cli.options import Json, Plugin
from cnnctl.cli.output import remark
from cnnctl.io.printable import shell


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The spec's name: NAME.yaml is written.")
    ],
    like: Annotated[
        str | None,
        typer.Option(
            "--like",
            metavar="SPEC",
            help="Start from this spec: a shipped one, such as mnist, or a file.",
        ),
    ] = None,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Write a commented spec to start from, and the schema by which editors complete it.

    A file that is there already is never changed.
    """
    from cnnctl.cli.output import print_json
    from cnnctl.scaffold.new import new as write

    started = write(name, like)
    remark(f"wrote {started.path}")
    remark(
        {
            "written": f"wrote {started.schema}, by which editors complete and check the spec",
            "kept": f"{started.schema} was there already",
            "foreign": f"{started.schema} is not cnnctl's, and was left as it is: editors will not "
            "know the spec",
        }[started.schema_is]
    )
    if json:
        print_json(
            {
                "spec": str(started.path),
                "schema": str(started.schema),
                "schema_is": started.schema_is,
            }
        )
        return
    words: list[object] = [started.path]
    for path in plugin or ():
        words += ["--plugin", path]
    remark("next:")
    for verb in ("check", "train")[: 2 if started.trains else 1]:
        remark(f"  cnnctl {verb} {shell(*words)}")
