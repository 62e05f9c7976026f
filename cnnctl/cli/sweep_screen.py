"""A sweep as people watch it: a live table on a terminal, one line a finished trial elsewhere."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cnnctl.cli.output import remark
from cnnctl.io.printable import printable
from cnnctl.sweep.space import Value, short_names
from cnnctl.sweep.table import DONE
from cnnctl.sweep.value_checks import labels

if TYPE_CHECKING:
    from typing import Self

    from rich.live import Live

    from cnnctl.sweep.definition import Definition
    from cnnctl.sweep.outcome import Start
    from cnnctl.sweep.table import Row

ROWS_SHOWN = 20
"""How many trials the live table shows; those that train, and the best."""


def watcher() -> Lines:
    """Who shows a sweep: `Screen` on a terminal, `Lines` elsewhere."""
    return Screen() if sys.stderr.isatty() else Lines()


class Lines:
    """One line a finished trial on standard error; a context manager, as `Screen` is."""

    def __init__(self) -> None:
        self.start: Start | None = None
        self._told: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def said(self, text: str) -> None:
        """Print a line of progress."""
        remark(text)
        sys.stderr.flush()

    def started(self, start: Start) -> None:
        """Say what will be tried."""
        self.start = start
        for line in introduction(start):
            self.said(line)
        self._told = {row.number for row in start.rows if row.state in DONE}

    def changed(self, rows: list[Row]) -> None:
        """Print the lines of the trials that are finished now."""
        assert self.start is not None
        definition = self.start.definition
        for row in rows:
            if row.state in DONE and row.number not in self._told:
                self._told.add(row.number)
                self.said(line(row, definition, len(rows)))


class Screen(Lines):
    """A live table: what trains now, and the best so far."""

    def __init__(self, console: Any = None) -> None:
        super().__init__()
        from cnnctl.cli.console import PlainConsole

        self.console = console or PlainConsole(sys.stderr)
        self.rows: list[Row] = []
        self.live: Live | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.live:
            self.live.stop()

    def said(self, text: str) -> None:
        """Print a line above the table."""
        self.console.print(printable(text), markup=False)

    def started(self, start: Start) -> None:
        """Say what will be tried, and show the table."""
        super().started(start)
        self.rows = start.rows
        if start.workers:
            from cnnctl.cli.console import PlainLive

            self.live = PlainLive(self, console=self.console, refresh_per_second=4, transient=True)
            self.live.start()

    def changed(self, rows: list[Row]) -> None:
        """Show the trials as they are now."""
        self.rows = rows

    def __rich__(self) -> Any:
        """What is on the screen now."""
        from rich.box import SIMPLE_HEAD
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        from cnnctl.sweep.table import best, ranked

        assert self.start is not None
        definition = self.start.definition
        shown = Table(box=SIMPLE_HEAD)
        for index, head in enumerate(heads(definition)[:-1]):
            right = index == 0 or head in ("epochs", "seconds", definition.monitor)
            shown.add_column(Text(printable(head)), justify="right" if right else "left")
        top = best(self.rows, definition.maximize)
        order = ranked([row for row in self.rows if row.state != "running"], definition.maximize)
        chosen = [row for row in self.rows if row.state == "running"]
        room = max(3, min(ROWS_SHOWN, self.console.height - 8))
        chosen = [*chosen, *order][:room]
        for row in sorted(chosen, key=lambda each: each.number):
            style = "bold green" if row is top else "dim" if row.state == "waiting" else None
            texts = (Text(printable(each)) for each in cells(row, definition, "")[:-1])
            shown.add_row(*texts, style=style)
        return Group(shown, Text(printable(f"{self.start.name}: {states(self.rows)}")))


def introduction(start: Start) -> list[str]:
    """What is tried, how, by what it is judged, and by whom."""
    definition = start.definition
    seeds = f", {definition.seeds} seeds each" if definition.seeds > 1 else ""
    pruned = {"none": "no trial is pruned"}.get(definition.prune, f"pruned by {definition.prune}")
    aim = "the largest" if definition.maximize else "the least"
    held_out = definition.monitor.startswith("val_")
    seen = "" if held_out else ", of the images that are trained on"
    lines = [
        f"sweep {start.name}: {definition.method}, {_count(len(start.rows), 'trial')}{seeds}",
        *(f"over {each}" for each in labels(definition.space)),
        f"monitor: {aim} {definition.monitor}{seen}; {pruned}",
    ]
    if start.workers:
        threads = _count(start.threads, "thread")
        each = f" with {threads} each" if start.workers > 1 else f" with {threads}"
        lines.append(f"workers: {start.workers}{each}")
    done = sum(row.state in DONE for row in start.rows)
    if done:
        rest = "the others follow" if done < len(start.rows) else "nothing is left to train"
        lines.append(f"{_count(done, 'trial')} of them finished before: {rest}")
    return [*lines, f"folder: {start.folder}"]


def line(row: Row, definition: Definition, count: int) -> str:
    """A finished trial in a line."""
    names = short_names(definition.space)
    values = "  ".join(f"{names[path]} {shown(value)}" for path, value in row.values.items())
    parts = [f"trial {row.number}/{count}", row.state, values]
    if row.value is not None:
        parts.append(f"{definition.monitor} {figure(row)}")
    parts += [f"epoch {row.epoch}/{row.planned}", f"{row.seconds:.1f} s", row.reason or ""]
    if row.same_as:
        parts.append(f"as trial {row.same_as}")
    return "  ".join(filter(None, parts))


def heads(definition: Definition) -> list[str]:
    """The columns of the table."""
    names = short_names(definition.space)
    return ["trial", *names.values(), "state", definition.monitor, "epochs", "seconds", "run"]


def cells(row: Row, definition: Definition, runs_dir: str) -> list[str]:
    """A trial in the cells of the table."""
    values = [shown(row.values[each.path]) if row.values else "–" for each in definition.space]
    more = f" + {len(row.runs) - 1}" if len(row.runs) > 1 else ""
    run = f"{runs_dir}/{row.runs[0]}{more}" if row.runs else "–"
    return [
        str(row.number), *values, row.state, figure(row), f"{row.epoch}/{row.planned}",
        f"{row.seconds:.1f}", run,
    ]  # fmt: skip


def figure(row: Row) -> str:
    """The figure of a trial, with its spread over the seeds."""
    if row.value is None:
        return "–"
    spread = f" ± {digits(row.deviation)}" if row.deviation is not None else ""
    return f"{digits(row.value)}{spread}"


def digits(value: float) -> str:
    """Four decimals; of a small number, three digits."""
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.001 else f"{value:.2e}"


def shown(value: Value) -> str:
    """A value as a table shows it: four digits of a number that was drawn."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def states(rows: Sequence[Row]) -> str:
    """How many trials there are of each state: `3 finished, 1 running`."""
    counts = Counter(row.state for row in rows)
    order = (*DONE, "running", "stopped", "waiting")
    return ", ".join(f"{counts[state]} {state}" for state in order if counts[state])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
