"""The figures of a summary as people read them: which of them are asked for, and their text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnctl.io.text import memory_size

if TYPE_CHECKING:
    from cnnctl.arithmetic import Field, LayerFacts
    from cnnctl.summary.summary import Summary

UNKNOWN = "–"
ALL = "all"
"""The receptive field of values that have no place in the picture: all that the layers saw."""


@dataclass(frozen=True)
class Choice:
    """Which figures are shown besides output shapes and parameters."""

    macs: bool = False
    memory: bool = False
    receptive_field: bool = False

    def columns(self, *, brief: bool = False) -> list[tuple[str, Callable[[LayerFacts], str]]]:
        """Their titles, and how a layer's cell is made; if brief, of fields only the extent."""
        columns: list[tuple[str, Callable[[LayerFacts], str]]] = []
        if self.macs:
            columns.append(("multiply-adds", lambda row: count(row.macs)))
        if self.memory:
            columns.append(("memory", lambda row: size(row.memory)))
        if self.receptive_field:
            columns.append(("receptive\nfield", field))
        if self.receptive_field and not brief:
            columns += [("\nstride", stride), ("starts\nat", start)]
        return columns


def shape(sizes: Sequence[int | None]) -> str:
    """`28×28×1`."""
    return "×".join("?" if each is None else str(each) for each in sizes)


def count(number: int | None) -> str:
    """`3,274,634`."""
    return UNKNOWN if number is None else f"{number:,}"


def size(number: int | None) -> str:
    """Bytes in the unit that fits: `98.0 KiB`."""
    return UNKNOWN if number is None else memory_size(number)


def field(row: LayerFacts) -> str:
    """How much of the input a layer's values see: `14×14`."""
    if row.receptive_field is None:
        return ALL if row.sees_all else UNKNOWN
    return extent(row.receptive_field)


def extent(fields: Sequence[Field]) -> str:
    """`14×14`."""
    return "×".join(f"{axis.size:g}" for axis in fields)


def stride(row: LayerFacts) -> str:
    """How far apart the fields of neighbours are; one number if it is the same along each axis."""
    texts = [f"{axis.stride:g}" for axis in row.receptive_field or ()]
    return "×".join(texts) if len(set(texts)) > 1 else "".join(texts[:1])


def start(row: LayerFacts) -> str:
    """Where the first field starts; one number if it is the same along each axis."""
    texts = [f"{axis.start:g}" for axis in row.receptive_field or ()]
    return ", ".join(texts) if len(set(texts)) > 1 else "".join(texts[:1])


def seen(summary: Summary) -> str:
    """The receptive field behind the last layer that has one: `16×16`."""
    if summary.seen is None:
        return ALL if all(row.sees_all for row in summary.rows) else UNKNOWN
    return field(summary.seen)


def picture(summary: Summary) -> str:
    """The input's size along the axes that `seen` is of: `28×28`."""
    fields = summary.seen.receptive_field if summary.seen else None
    return shape([summary.input_shape[each.axis] for each in fields or ()])


def labels(summaries: Sequence[Summary]) -> list[str]:
    """What tells specs apart: their names, or their paths where two have the same name."""
    names = [summary.name for summary in summaries]
    return [each.spec if names.count(each.name) > 1 else each.name for each in summaries]
