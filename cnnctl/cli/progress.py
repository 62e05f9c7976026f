"""A training as people watch it: a live table on a terminal, one line an epoch elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cnnctl.cli.output import remark, say_sample, sparkline
from cnnctl.compute.observer import Observer
from cnnctl.io.printable import printable
from cnnctl.specs.metrics import in_short, is_one_of_several

if TYPE_CHECKING:
    from typing import Self

    from rich.console import Console
    from rich.live import Live

    from cnnctl.compute.observer import Facts

NOT_FIGURES = ("epoch", "seconds", "images_per_second", "learning_rate")
ROWS_SHOWN = 20
"""How many past epochs the live table shows; `metrics.jsonl` has them all."""


def observer() -> Lines:
    """Who shows a training: `Screen` on a terminal, `Lines` elsewhere."""
    return Screen() if sys.stderr.isatty() else Lines()


@contextmanager
def heard_or_not() -> Iterator[None]:
    """Nobody who stops listening to the progress (`2>&1 | head`) ends a training: what is said from
    then on goes nowhere."""
    try:
        yield
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


class Lines(Observer):
    """One line per epoch on standard error; a context manager, as `Screen` is."""

    def __init__(self) -> None:
        self.facts: Facts | None = None
        self._told: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def epochs(self) -> int:
        """How many epochs the training has."""
        return self.facts.spec.fit.epochs if self.facts else 0

    def say(self, text: str) -> None:
        """Print a line of progress."""
        with heard_or_not():
            remark(text)
            sys.stderr.flush()

    def loading(self, what: str, done: int, total: int | None) -> None:
        """A download or a reading goes on: a line at its start and at its end."""
        if what not in self._told:
            self._told[what] = time.monotonic()
            size = f" ({total / 1e6:.1f} MB)" if total and total > 1_000_000 else ""
            self.say(f"reading {what}{size}")

    def started(self, facts: Facts) -> None:
        """Say what will be trained on what."""
        self.facts = facts
        with heard_or_not():
            say_sample(facts.data.dataset.name)
        for line in introduction(facts):
            self.say(line)

    def epoch_ended(self, row: dict[str, Any], improved: bool) -> None:
        """Print the line of an epoch."""
        figures = "  ".join(in_short({k: row[k] for k in row if k not in NOT_FIGURES}))
        mark = "  best so far" if improved else ""
        self.say(
            f"epoch {row['epoch']}/{self.epochs}  {row['seconds']:.1f} s  "
            f"{row['images_per_second']:,.0f} images/s  rate {row['learning_rate']:.3g}  "
            f"{figures}{mark}"
        )


class Screen(Lines):
    """A live display: the epochs so far as a table, the one in progress as a bar."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        from cnnctl.cli.console import PlainConsole

        self.console = console or PlainConsole(sys.stderr)
        self.rows: list[tuple[dict[str, Any], bool]] = []
        self.bar = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            console=self.console,
        )
        self.tasks: dict[str, Any] = {}
        self.current: Any = None
        self.epoch = 0
        self.live: Live | None = None
        self.rate = ""
        self.losses: list[float] = []

    def begin(self) -> None:
        """Show the display, once there is something on it: an error before needs none."""
        from cnnctl.cli.console import PlainLive

        if self.live is None:
            self.live = PlainLive(self, console=self.console, refresh_per_second=8, transient=False)
            self.live.start()

    def __exit__(self, *_: object) -> None:
        for task in self.bar.task_ids:
            self.bar.update(task, visible=False)
        if self.live:
            self.live.stop()

    def __rich__(self) -> Any:
        """What is on the screen now."""
        from rich.console import Group

        return Group(*([self.past()] if self.rows else []), *self.curve(), self.bar)

    def curve(self) -> list[str]:
        """The shape of the loss so far, in a line."""
        if len(self.losses) < 2 or not self.console.options.encoding.startswith("utf"):
            return []
        columns = max(10, min(60, self.console.width - 30))
        return [f"loss {sparkline(self.losses, columns)} {self.losses[-1]:.4f}"]

    def past(self) -> Any:
        """The table of the epochs that are done."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        shown = Table(box=SIMPLE_HEAD)
        figures = [key for key in self.rows[-1][0]
                   if key not in NOT_FIGURES and not is_one_of_several(key)]  # fmt: skip
        columns = self.fitting(["epoch", *figures, "rate", "time"])
        for column in columns:
            shown.add_column(Text(printable(column)), justify="right", no_wrap=True)
        shown.add_column("")
        best_row = max((i for i, (_, improved) in enumerate(self.rows) if improved), default=None)
        for index, (row, improved) in list(enumerate(self.rows))[-ROWS_SHOWN:]:
            best = index == best_row
            cells = {key: f"{row[key]:.4f}" if key in row else "–" for key in figures}
            cells["epoch"] = str(row["epoch"])
            cells["rate"], cells["time"] = f"{row['learning_rate']:.3g}", f"{row['seconds']:.1f} s"
            mark = "best" if best else "•" if improved else ""
            chosen = (cells[column] for column in columns)
            shown.add_row(*chosen, mark, style="bold green" if best else None)
        return shown

    def fitting(self, columns: list[str]) -> list[str]:
        """The columns for which the terminal has room; the losses are the last to go."""
        rest = [column for column in columns if column != "epoch" and "loss" not in column]
        while rest and sum(max(len(each), 7) + 2 for each in columns) + 7 > self.console.width:
            columns.remove(rest.pop())
        return columns

    def say(self, text: str) -> None:
        """Print a line above the display."""
        self.console.print(printable(text), markup=False)

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Move the bar of a download or a reading."""
        self.begin()
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(
                printable(f"reading {what}"), total=total, unit="bytes", figures=""
            )
        self.bar.update(self.tasks[what], completed=done, visible=total is None or done < total)

    def started(self, facts: Facts) -> None:
        """Say what will be trained on what, above the display."""
        self.begin()
        super().started(facts)

    def epoch_began(self, epoch: int, learning_rate: float) -> None:
        """Start the bar of an epoch."""
        assert self.facts is not None
        if self.current is not None:
            self.bar.remove_task(self.current)
        self.current = self.bar.add_task(
            f"epoch {epoch}/{self.epochs}",
            total=self.facts.steps,
            unit="steps",
            figures="",
        )
        self.epoch = epoch
        self.rate = f"rate {learning_rate:.3g}"

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Move the bar of the epoch, with the running loss and metrics."""
        figures = "  ".join([*map(printable, in_short(logs)), self.rate])
        if "loss" in logs:
            self.losses.append(float(logs["loss"]))
        # Several steps run in one call, and the last call may count more than there are.
        steps = min(step, self.facts.steps) if self.facts else step
        self.bar.update(self.current, completed=steps, figures=figures)

    def epoch_ended(self, row: dict[str, Any], improved: bool) -> None:
        """Add the epoch to the table; the next one may have begun while it was written."""
        self.rows.append((row, improved))
        if row["epoch"] == self.epoch:
            self.bar.update(self.current, visible=False)


def introduction(facts: Facts) -> list[str]:
    """What is trained, on what, where, and what was inferred."""
    data = facts.data.dataset
    parts = [f"{len(data.train.x):,} training"]
    parts += [f"{len(data.validation.x):,} validation"] if data.validation else []
    parts += [f"{len(data.test.x):,} test"] if data.test else []
    return [
        f"{facts.spec.name}: {facts.parameters:,} parameters",
        f"data: {data.name}, {', '.join(parts)} images ({data.origin})",
        *(f"note: {each}" for each in data.notes),
        *(f"inferred: {each}" for each in facts.data.inferred),
        f"device: {facts.device}",
        f"steps: {facts.plan}",
        f"run: {facts.run}" + (f", which goes on after epoch {facts.done}" if facts.done else ""),
        *(f"note: {each}" for each in facts.notes),
    ]
