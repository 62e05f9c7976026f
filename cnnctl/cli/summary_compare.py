"""`cnnctl summary SPEC SPEC`: networks side by side, or, if they are many, in one line each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from cnnctl.cli.grid import grid
from cnnctl.cli.markdown import markdown, markdown_paragraph
from cnnctl.cli.output import paragraph, say
from cnnctl.cli.summary_cells import Choice, count, labels, seen, shape, size

if TYPE_CHECKING:
    from cnnctl.summary.summary import Summary

SIDE_BY_SIDE = 3
"""How many networks are shown layer by layer."""


def show(summaries: Sequence[Summary], choice: Choice, *, as_markdown: bool) -> None:
    """Print some networks so that they can be compared."""
    if len(summaries) <= SIDE_BY_SIDE:
        _side_by_side(summaries, choice, as_markdown=as_markdown)
    else:
        columns, rows = each_in_a_line(summaries, choice)
        (markdown if as_markdown else grid)(columns, rows, len(columns) - 1)
    for summary, label in zip(summaries, labels(summaries), strict=True):
        for note in summary.notes:
            say()
            (markdown_paragraph if as_markdown else paragraph)(f"{label}: {note}")


def each_in_a_line(
    summaries: Sequence[Summary], choice: Choice
) -> tuple[list[str], list[list[str]]]:
    """The columns and rows of a table of networks."""
    columns = ["spec", "input", "output", "layers", "parameters", "trainable", "non-\ntrainable"]
    columns += [title for title, _ in choice.columns(brief=True)]
    rows = []
    for label, summary in zip(labels(summaries), summaries, strict=True):
        row = [label, shape(summary.input_shape), shape(summary.output_shape)]
        row += map(
            count, (len(summary.rows), summary.total, summary.trainable, summary.non_trainable)
        )
        row += [count(summary.macs)] if choice.macs else []
        row += [size(summary.memory)] if choice.memory else []
        row += [seen(summary)] if choice.receptive_field else []
        rows.append(row)
    return columns, rows


def _side_by_side(summaries: Sequence[Summary], choice: Choice, *, as_markdown: bool) -> None:
    from cnnctl.summary.align import align

    names = labels(summaries)
    lines = align([summary.rows for summary in summaries])
    figures = choice.columns(brief=True)
    titles = ["output", "parameters", *(title.split("\n")[-1] for title, _ in figures)]
    cells = [
        [
            [shape(row.output_shape), count(row.parameters), *(text(row) for _, text in figures)]
            if row
            else [""] * len(titles)
            for row in line
        ]
        for line in lines
    ]
    classes = [next(row.layer for row in line if row) for line in lines]
    printed = markdown if as_markdown else grid
    printed(["", *names], totals(summaries), len(names))
    say()
    if as_markdown:
        columns = [f"{name}: {title}" for name in names for title in titles]
        rows = [list(chain.from_iterable(line)) for line in cells]
    else:
        columns, rows = _composed(names, titles, cells)
    rows = [[name, *row] for name, row in zip(classes, rows, strict=True)]
    printed(["layer", *columns], rows, len(columns))


def totals(summaries: Sequence[Summary]) -> list[list[str]]:
    """One row for each figure of whole networks, one column for each network."""
    lines = {
        "input": [shape(each.input_shape) for each in summaries],
        "output": [shape(each.output_shape) for each in summaries],
        "layers": [count(len(each.rows)) for each in summaries],
        "parameters": [count(each.total) for each in summaries],
        "  trainable": [count(each.trainable) for each in summaries],
        "  non-trainable": [count(each.non_trainable) for each in summaries],
        "multiply-adds": [count(each.macs) for each in summaries],
        "memory of outputs": [size(each.memory) for each in summaries],
        "receptive field": [seen(each) for each in summaries],
    }
    return [[name, *texts] for name, texts in lines.items()]


def _composed(
    names: Sequence[str], titles: Sequence[str], cells: Sequence[Sequence[Sequence[str]]]
) -> tuple[list[str], list[list[str]]]:
    """One column for each network with its figures aligned in it, so that they stay together."""
    columns: list[str] = []
    rows: list[list[str]] = [[] for _ in cells]
    for index, name in enumerate(names):
        own = [titles, *(line[index] for line in cells)]
        widths = [max(map(len, part)) for part in zip(*own, strict=True)]
        head, *body = ["  ".join(_justified(parts, widths)) for parts in own]
        line = "─" * (len(head) - len(name) - 1)
        columns.append(f"{name} {line}\n{head}" if line else f"{name}\n{head}")
        for row, text in zip(rows, body, strict=True):
            row.append(text)
    return columns, rows


def _justified(parts: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [parts[0].ljust(widths[0]), *map(str.rjust, parts[1:], widths[1:])]
