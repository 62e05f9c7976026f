"""One self-contained HTML file about a run, or about several side by side.

It needs no network and runs no script; every image is in it. What a run folder says of itself is
text here, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnctl import plugins
from cnnctl.errors import UsageError
from cnnctl.reports.comparison_report import comparison_blocks
from cnnctl.reports.html_page import Tell, page
from cnnctl.reports.run_report import run_blocks
from cnnctl.runs.find import find_run

MOST_RUNS = 8


def report(
    sources: Sequence[Path],
    *,
    data_dir: Path | None = None,
    full_data: bool = False,
    device: str = "auto",
    tell: Tell = lambda part: None,
) -> str:
    """Make the page of a run, or of several side by side.

    Args:
        sources: Run folders; one gives everything about it, several a comparison.
        data_dir, full_data, device: As in `cnnctl.inference.evaluation.evaluate`.
        tell: Is told which part is being made.

    Returns:
        The HTML, in UTF-8, with all that it shows.

    Raises:
        UsageError: One is no run folder, or there are more than 8.
    """
    if len(sources) > MOST_RUNS:
        raise UsageError(f"a report compares at most {MOST_RUNS} runs")
    found = [find_run(source) for source in sources]
    for run in found:
        plugins.require(run.environment().get("plugins") or (), run)
    if len(found) == 1:
        blocks = run_blocks(found[0], data_dir, full_data, device, tell)
        title = str(found[0])
    else:
        blocks = comparison_blocks(found, tell)
        title = " and ".join([", ".join(map(str, found[:-1])), str(found[-1])])
    return page(title, "\n".join(blocks))
