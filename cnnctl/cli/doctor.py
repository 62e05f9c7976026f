"""`cnnctl doctor`."""

from __future__ import annotations

import typer

from cnnctl.cli.options import DataDir, Json
from cnnctl.cli.output import say


def doctor(data_dir: DataDir = None, json: Json = False) -> None:
    """Look at what a training depends on: versions, processors, GPUs, data, disk.

    Where there is no GPU, it says why. The exit code is 1 if something will not work.
    """
    from cnnctl.cli.output import heading, print_json
    from cnnctl.doctor import BAD, NOTE, OK, examine

    found = []
    part = ""
    marks = {OK: " ", NOTE: "·", BAD: "×"}
    for each in examine(data_dir):
        found.append(each)
        if json:
            continue
        if each.part != part:
            part = each.part
            heading(part)
        say(f"{marks[each.verdict]} {each.name:<22} {each.value}")
        if each.mend:
            say(f"  {'':<22} → {each.mend}")
    bad = sum(each.verdict == BAD for each in found)
    if json:
        print_json([each.to_dict() for each in found])
    else:
        notes = sum(each.verdict == NOTE for each in found)
        say()
        say(f"{bad} that will not work, {notes} worth knowing" if bad or notes else "all well")
    if bad:
        raise typer.Exit(1)
