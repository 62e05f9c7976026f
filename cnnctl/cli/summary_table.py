"""`cnnctl summary SPEC`: the table of one network and its totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnctl.cli.markdown import escaped, markdown, markdown_paragraph
from cnnctl.cli.output import aligned, paragraph, say, table
from cnnctl.cli.summary_cells import Choice, count, picture, seen, shape, size

if TYPE_CHECKING:
    from cnnctl.arithmetic import LayerFacts
    from cnnctl.summary.summary import Summary

LEGEND = (
    "receptive field: what one value sees of the input; stride: the distance to what its neighbour "
    "sees; starts at: where the first value's begins, below 0 in the padding"
)


def show(summary: Summary, choice: Choice, *, as_markdown: bool) -> None:
    """Print the layers of a network, its totals and notes."""
    columns, rows = layers(summary, choice)
    numbers = len(columns) - columns.index("parameters")
    lines = totals(summary, choice)
    if as_markdown:
        say(f"**{escaped(title(summary))}**")
        say()
        markdown(columns, rows, numbers)
        say()
        figures = [(f"{what} ({remark})" if remark else what, text) for what, text, remark in lines]
        markdown(["", "total"], figures)
    else:
        table(title(summary), columns, rows, numbers)
        aligned(lines)
    for note in (*([LEGEND] if choice.receptive_field else []), *summary.notes):
        say()
        (markdown_paragraph if as_markdown else paragraph)(note)


def title(summary: Summary) -> str:
    """`mnist: input 28×28×1`."""
    return f"{summary.name}: input {shape(summary.input_shape)}"


def layers(summary: Summary, choice: Choice) -> tuple[list[str], list[list[str]]]:
    """The columns and rows of a network's layers.

    Where the network branches, layers are numbered, and one that is not fed by the layer above
    says by which ones it is.
    """
    branched = not summary.is_sequential
    figures = choice.columns()
    columns = ["name", "layer", *(["from"] if branched else []), "output shape", "parameters"]
    digits = len(str(len(summary.rows)))
    numbers = {row.name: number for number, row in enumerate(summary.rows, 1)}
    rows = []
    for row in summary.rows:
        number = numbers[row.name]
        rows.append(
            [
                f"{number:>{digits}} {row.name}" if branched else row.name,
                row.layer,
                *([_fed_by(row, number, numbers)] if branched else []),
                shape(row.output_shape),
                count(row.parameters),
                *(text(row) for _, text in figures),
            ]
        )
    return [*columns, *(title for title, _ in figures)], rows


def _fed_by(row: LayerFacts, number: int, numbers: dict[str, int]) -> str:
    """The numbers of the layers that feed one, `input` for the network's; empty if it is usual."""
    feeding = [numbers.get(name, name) for name in row.inputs]
    usual = [number - 1 or "input"]
    return "" if feeding == usual else ",".join(map(str, feeding))


def totals(summary: Summary, choice: Choice) -> list[tuple[str, str, str]]:
    """What is summed up, the figure, and a remark."""
    lines = [
        ("total parameters", count(summary.total), ""),
        ("  trainable", count(summary.trainable), ""),
        ("  non-trainable", count(summary.non_trainable), ""),
    ]
    if choice.macs:
        without = ", ".join(row.name for row in summary.rows if row.macs is None)
        remark = f"not known of {without}" if without else "for one picture, forwards"
        lines.append(("multiply-adds", count(summary.macs), remark))
    if choice.memory:
        remark = "all layers, one picture, float32"
        lines.append(("memory of outputs", size(summary.memory), remark))
        lines.append(("memory of parameters", size(summary.parameter_memory), "float32"))
    if choice.receptive_field:
        at = f"of {picture(summary)}, at {summary.seen.name}" if summary.seen else ""
        lines.append(("receptive field", seen(summary), at))
    return lines
