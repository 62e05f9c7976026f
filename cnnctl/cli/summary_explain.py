"""`cnnctl summary SPEC --explain`: how each figure of a network came about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cnnctl.cli.markdown import escaped, markdown, markdown_paragraph
from cnnctl.cli.output import hanging, heading, paragraph, say
from cnnctl.cli.summary_cells import picture, seen, shape
from cnnctl.cli.summary_table import title

if TYPE_CHECKING:
    from cnnctl.arithmetic import LayerFacts
    from cnnctl.summary.summary import Summary

LABELS = {
    "macs": "multiply-adds",
    "non_trainable": "non-trainable",
    "receptive_field": "receptive field",
    "receptive_stride": "its stride",
    "receptive_start": "it starts at",
    "-1": "the -1",
}
READING = {
    "⌊": ("⌊(n − k)/s⌋ + 1", "windows of k that fit into n, s apart (`padding: valid`)"),
    "⌈": ("⌈n/s⌉", "windows s apart, with zeros around n (`padding: same`)"),
    "parameters": ("parameters", "the sizes of each weight multiplied, the weights added up"),
    "macs": ("multiply-adds", "products that are added up, for one picture; a bias is none"),
    "memory": ("memory", "the output's values, 4 bytes each (float32)"),
    "receptive_field": ("r + (k − 1)·j", "a window of k over fields of r that lie j apart"),
    "receptive_stride": ("j·s", "windows s apart, over fields that lie j apart"),
    "receptive_start": ("a − p·j", "p of padding, before a field that starts at a"),
    "∪": ("∪", "the rows and columns that one or the other sees"),
}
"""What a formula's form means, by a sign in it or by what it is of."""


def show(summary: Summary, *, as_markdown: bool) -> None:
    """Print each layer's formulas with their numbers, the sums, and how to read them."""
    blocks = list(_blocks(summary))
    if as_markdown:
        say(f"**{escaped(title(summary))}**")
        say()
        rows = [
            (head if number == 0 else "", *line)
            for head, lines in blocks
            for number, line in enumerate(lines)
        ]
        markdown(["layer", "figure", "formula"], rows, 0)
    else:
        heading(title(summary))
        margin = max(len(label) for _, lines in blocks for label, _ in lines)
        for head, lines in blocks:
            say()
            heading(head)
            for label, text in lines:
                hanging(f"  {label.ljust(margin)}  ", text)
    for note in summary.notes:
        say()
        (markdown_paragraph if as_markdown else paragraph)(note)


def _blocks(summary: Summary) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """The layers, the sums and the reading: a title, and labels with texts."""
    above = "input"
    for row in summary.rows:
        head = f"{row.name} ({row.layer}): "
        head += f"{' and '.join(map(shape, row.input_shapes))} → {shape(row.output_shape)}"
        lines = [("fed by", ", ".join(row.inputs))] if row.inputs != (above,) else []
        yield head, [*lines, *_lines(row)]
        above = row.name
    yield "in all", list(_sums(summary))
    yield "how to read them", list(_reading(summary))


def _lines(row: LayerFacts) -> list[tuple[str, str]]:
    """The formulas of a layer; those that are the same along several axes are one."""
    if not row.formulas:
        return [("parameters", f"{row.parameters:,}, as Keras counts them")]
    labels: dict[str, list[str]] = {}
    for each in row.formulas:
        quantity, _, axis = each.quantity.partition(" ")
        label = LABELS.get(quantity, each.quantity)
        if quantity == "parameters" and row.non_trainable:
            label = "trainable"
        elif axis and quantity in LABELS:
            label = f"{label} ({axis})"
        text = each.text.removeprefix(f"{quantity} = ") + _remark(row, quantity)
        labels.setdefault(text, []).append(label)
    return [(", ".join(names), text) for text, names in labels.items()]


def _remark(row: LayerFacts, quantity: str) -> str:
    """What a formula's numbers are of: the weights of a layer, by Keras's names."""
    if quantity == "memory":
        return " bytes"
    if quantity not in {"parameters", "non_trainable"}:
        return ""
    trainable = quantity == "parameters"
    names = dict.fromkeys(each.name for each in row.weights if each.trainable == trainable)
    return f"  ({', '.join(names)})"


def _sums(summary: Summary) -> Iterable[tuple[str, str]]:
    """The totals as sums over the layers."""
    rows = summary.rows
    yield "parameters", _sum([row.parameters for row in rows])
    if summary.non_trainable:
        yield "  trainable", _sum([row.trainable for row in rows])
        yield "  non-trainable", _sum([row.non_trainable for row in rows])
    if summary.macs is not None:
        yield "multiply-adds", _sum([row.macs or 0 for row in rows])
    if summary.memory is not None:
        yield "memory", f"{_sum([row.memory or 0 for row in rows])} bytes"
    if summary.seen:
        yield "receptive field", f"{seen(summary)} of {picture(summary)}, at {summary.seen.name}"


def _sum(numbers: Iterable[int]) -> str:
    """`832 + 2·51,264 = 103,360`: equal terms together, zeros left out."""
    counts = Counter(number for number in numbers if number)
    terms = [f"{times}·{term:,}" if times > 1 else f"{term:,}" for term, times in counts.items()]
    total = f"{sum(term * times for term, times in counts.items()):,}"
    left = " + ".join(terms)
    return total if left in {"", total} else f"{left} = {total}"


def _reading(summary: Summary) -> Iterable[tuple[str, str]]:
    """The meaning of the forms that occur."""
    formulas = [each for row in summary.rows for each in row.formulas]
    for sign, line in READING.items():
        if any(sign in each.text or each.quantity.startswith(sign) for each in formulas):
            yield line
