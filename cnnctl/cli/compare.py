"""`cnnctl compare RUN RUN…`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import Json, Plugin
from cnnctl.cli.output import say

if TYPE_CHECKING:
    from cnnctl.reports.overview import Entry
    from cnnctl.reports.run_groups import Group, Spread


def compare(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            autocompletion=completing.runs,
            help="Run folders, or folders with runs below them.",
        ),
    ],
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Their curves in one figure: .png or .svg."),
    ] = None,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Set what differs in the specs of runs beside what differs in their figures.

    Finished runs of the same data that differ in the seed alone are taken together, each seed
    once: mean ± standard deviation.
    """
    from cnnctl.cli.output import print_json, table
    from cnnctl.plots.style import check_suffix
    from cnnctl.reports.run_groups import compare as run_comparison

    if plot is not None:
        check_suffix(plot)
    groups = run_comparison(sources)
    if plot is not None:
        _draw(groups, plot)
    if json:
        print_json([each.to_dict() for each in groups])
        return
    names = list(dict.fromkeys(name for group in groups for name in group.figures))
    rows = [
        [_called(group), *(_spread(group.figures.get(name)) for name in names)] for group in groups
    ]
    table(None, ["runs", *names], rows, right=len(names))
    for group in groups:
        for each in group.left_out:
            why = f"seed {each.seed} again" if each.status == "finished" else each.status
            say(f"left out: {each.path} ({why})")
    data = groups[0].runs[0].data
    for group in groups[1:]:
        say(f"{_called(group)}, beside {_called(groups[0])}:")
        if group.runs[0].data != data:
            say(f"  data: {_fingerprint(data)} → {_fingerprint(group.runs[0].data)}")
        for change in group.changes:
            before, after = (
                "–" if each is None else str(each.to_dict().get("value"))
                for each in (change.before, change.after)
            )
            say(f"  {change.path}: {before} → {after}")
    if plot is not None:
        say(f"{plot}: the curves of {sum(len(_all(group)) for group in groups)} runs")


def _all(group: Group) -> tuple[Entry, ...]:
    return (*group.runs, *group.left_out)


def _called(group: Group) -> str:
    first, *others = group.runs
    if others:
        return f"{first.path} and {len(others)} with other seeds"
    return first.path if first.status == "finished" else f"{first.path} ({first.status})"


def _fingerprint(data: str | None) -> str:
    return "not recorded" if data is None else f"fingerprint {data[:8]}"


def _spread(found: Spread | None) -> str:
    if found is None:
        return "–"
    return f"{found.mean:.4f}" + (
        f" ± {found.deviation:.4f}" if found.deviation is not None else ""
    )


def _draw(groups: list[Group], path: Path) -> None:
    from cnnctl.plots.curves import compared
    from cnnctl.plots.style import save
    from cnnctl.runs.run import Run

    histories = {
        each.path: Run(Path(each.path)).history() for group in groups for each in _all(group)
    }
    save(compared(histories), path)
