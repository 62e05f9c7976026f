"""The page of several runs, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cnnctl.io.printable import printable_html as escape
from cnnctl.io.printable import shell
from cnnctl.reports.html_page import MOST_FIGURES, Block, Tell, image, number, section, table
from cnnctl.runs.run import Run
from cnnctl.summary.summary import summarize


def comparison_blocks(found: Sequence[Run], tell: Tell) -> Iterator[Block]:
    """Everything about several runs, part by part."""
    from cnnctl.plots.curves import compared
    from cnnctl.preflight import check
    from cnnctl.specs.difference import differences

    yield f"<h1>{len(found)} runs</h1>"
    yield f"<p class=lead>{escape(', '.join(map(str, found)))}</p>"
    summaries = [summarize(run.spec_path) for run in found]
    rows = []
    names = list(dict.fromkeys(name for run in found for name in _figures(run)))[:MOST_FIGURES]
    histories = {str(run): run.history() for run in found}
    for run, summary in zip(found, summaries, strict=True):
        figures, state = _figures(run), run.state()
        seconds = sum(row.get("seconds", 0.0) for row in histories[str(run)])
        rows.append((str(run), str(state.get("status", "")), f"{state.get('epochs', '–')}",
                     f"{state.get('best_epoch', '–')}", f"{summary.total:,}", f"{seconds:,.0f}",
                     *(number(figures.get(name)) for name in names)))  # fmt: skip
    head = ("run", "status", "epochs", "best", "parameters", "seconds",
            *(f"test {name}" for name in names))  # fmt: skip
    yield section("Figures", table(head, rows, numbers=range(2, len(head))))
    tell("curves")
    if any(histories.values()):
        yield section("How they learned", image(compared(histories), "learning curves"))
    first = check(found[0].spec_path, recorded=True).spec
    for run in found[1:]:
        changes = differences(first, check(run.spec_path, recorded=True).spec)
        cells = [(each.path, _origin(each.before), _origin(each.after)) for each in changes]
        what = f"What distinguishes {run} from {found[0]}"
        same = "<p class=note>their specs mean the same</p>"
        yield section(what, table(("value", str(found[0]), str(run)), cells) if cells else same)
    commands = "\n".join(f"cnnctl reproduce {shell(run)}" for run in found)
    yield section("Again", f"<pre>{escape(commands)}</pre>")


def _origin(origin: Any) -> str:
    return "–" if origin is None else str(origin.to_dict().get("value"))


def _figures(run: Run) -> dict[str, Any]:
    return dict(run.evaluation().get("figures", {}))
