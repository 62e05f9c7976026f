"""`cnnctl inspect SPEC_OR_RUN`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import Checkpoint, DataDir, Device, Json, Plugin, Set, or_shipped
from cnnctl.cli.output import say

if TYPE_CHECKING:
    import numpy as np

    from cnnctl.inference.explain import Sum, View
    from cnnctl.inference.inspection import Backward, Inspection

MOST_SUMS = 9
"""Outputs of a layer whose sums are written out; of more, the first of them are."""
MOST_TERMS = 12
"""Products of a sum that are written out; of more, the first and the last are."""
MOST_ROWS = 20
MOST_CHANNELS = 4


def inspect(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SPEC_OR_RUN",
            callback=or_shipped,
            autocompletion=completing.specs_and_runs,
            help="A spec, with weights as it starts; or a run.",
        ),
    ],
    given: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="X",
            help="A picture file, nested lists such as '[[0, 1], [2, 3]]', or the number of a "
            "picture of the data set; by default the picture that the spec itself has.",
        ),
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", metavar="NAME", help="Only this layer.")
    ] = None,
    gradients: Annotated[
        bool, typer.Option("--gradients", help="The way back: dE/dX, dE/dH, dE/dW, the new W.")
    ] = False,
    label: Annotated[
        int | None,
        typer.Option(
            "--label", min=0, help="What the input shows: E is the spec's loss, not the sum."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="η of the update; by default the optimizer's learning rate."),
    ] = None,
    step: Annotated[
        bool, typer.Option("--step", help="Walk through one output at a time.")
    ] = False,
    set_: Set = None,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Show the numbers themselves: input, windows, kernels, sums, activations, and gradients.

    Small tensors are written out as on paper. Without --label, E is the sum of the outputs.
    """
    from cnnctl.errors import UsageError
    from cnnctl.preflight import check

    is_spec = source.suffix in {".yaml", ".yml"}
    if set_ and not is_spec:
        raise UsageError("--set changes a spec, and this is none")
    if checkpoint and is_spec:
        raise UsageError("--checkpoint belongs to a run")
    if label is not None and not gradients:
        raise UsageError("--label is for --gradients")
    if rate is not None and not gradients:
        raise UsageError("--rate is for --gradients")
    what: Any = check(source, set_ or ()).spec if is_spec else source
    from cnnctl.inference.inspection import inspect as run_inspection

    found = run_inspection(what, given, gradients=gradients, label=label, rate=rate,
                           checkpoint=checkpoint, data_dir=data_dir, device=device)  # fmt: skip
    views = [view for view in found.views if layer in (None, view.name)]
    if not views:
        names = ", ".join(view.name for view in found.views)
        raise UsageError(f"the network has no layer `{layer}`", hint=f"it has {names}")
    if json:
        _print_json(found, views)
        return
    for line in found.steps:
        say(line)
    if layer is None:
        _array(f"input {_size(found.image)}", found.image)
    for view in views:
        _walk(view) if step else _view(view)
    if found.backward is not None:
        _backward(found.backward, views, whole=layer is None)


def _view(view: View) -> None:
    from cnnctl.cli.output import heading

    heading(f"{view.name} ({view.kind}): {_size(view.inputs)} → {_size(view.output)}")
    for name, values in view.weights.items():
        _array(name, _by_filter(values), channel="filter" if values.ndim == 4 else "channel")
    sums = list(_first(view, MOST_SUMS + 1))
    for each in sums[:MOST_SUMS]:
        say(f"  {_line(each, view)}")
    if len(sums) > MOST_SUMS:
        say(f"  … and so on, {view.output.size:,} in all; --step walks through them")
    if sums:
        say()
    _array("output", view.output)


def _first(view: View, count: int) -> list[Sum]:
    import itertools

    return list(itertools.islice(view.sums(), count))


def _walk(view: View) -> None:
    """One output at a time: the window in the input, and the sum."""
    from cnnctl.cli.output import heading

    heading(f"{view.name} ({view.kind}): {_size(view.inputs)} → {_size(view.output)}")
    waits = sys.stdin.isatty() and sys.stdout.isatty()
    none = True
    for each in view.sums():
        none = False
        if each.window is not None:
            (top, left), (bottom, right) = each.window
            channel = each.place[-1] if not each.weights else 0
            plane = view.inputs if view.inputs.ndim == 2 else view.inputs[..., channel]
            _matrix(plane, mark=(top, left, bottom, right))
            say()
        say(f"  {_line(each, view)}")
        say()
        if waits and input("Enter: the next, q: no more  ").strip().lower() == "q":
            break
    if none:
        say("  its outputs are no sums over windows")
        _array("output", view.output)


def _line(each: Sum, view: View) -> str:
    """`H[0,0] = 3·0 + 3·1 + 2·2 = 7`; of several channels, `H[0,0,1]`."""
    single = len(each.place) > 1 and view.output.shape[-1] == 1
    place = each.place[:-1] if single else each.place
    head = f"H[{','.join(map(str, place))}] = "
    if not each.weights:
        known = [_number(value) for value in each.values if value is not None]
        from_ = "max" if each.total == max(v for v in each.values if v is not None) else "mean"
        return f"{head}{from_}({', '.join(known)}) = {_number(each.output)}"
    terms = [f"{_factor(value)}·{_factor(weight)}"
             for value, weight in zip(each.values, each.weights, strict=True)
             if value is not None]  # fmt: skip
    if len(terms) > MOST_TERMS:
        terms = [*terms[: MOST_TERMS // 2], f"… ({len(terms)} products)", *terms[-2:]]
    if each.bias is not None:
        terms.append(_factor(each.bias))
    text = f"{head}{' + '.join(terms)} = {_number(each.total)}"
    return f"{text}, {each.activation} → {_number(each.output)}" if each.activation else text


def _backward(back: Backward, views: list[View], *, whole: bool) -> None:
    from cnnctl.cli.output import heading

    heading(f"E = {_number(back.error)}, {back.what}")
    for view in reversed(views):
        _array(f"dE/dH of {view.name}", back.outputs[view.name])
        for name, slope in back.weights[view.name].items():
            _array(f"dE/d{name} of {view.name}", _by_filter(slope),
                   channel="filter" if slope.ndim == 4 else "channel")  # fmt: skip
            updated = back.updated(view, name)
            if updated is not None:
                assert back.rate is not None
                _array(f"{name} − {_number(back.rate)}·dE/d{name}", _by_filter(updated),
                       channel="filter" if slope.ndim == 4 else "channel")  # fmt: skip
    if whole:
        _array("dE/dX", back.inputs)


def _by_filter(values: np.ndarray) -> np.ndarray:
    """A kernel (height, width, inputs, filters) as (height, width, inputs·filters)."""
    return values.reshape(*values.shape[:2], -1) if values.ndim == 4 else values


def _size(values: np.ndarray) -> str:
    return "×".join(map(str, values.shape))


def _array(title: str, values: np.ndarray, *, channel: str = "channel") -> None:
    """A title, and the numbers in rows; a matrix for every channel."""
    if values.ndim <= 2:
        say(f"  {title}")
        _matrix(values.reshape(1, -1) if values.ndim < 2 else values)
        say()
        return
    planes = values.reshape(*values.shape[:2], -1)
    for index in range(min(planes.shape[-1], MOST_CHANNELS)):
        part = f", {channel} {index}" if planes.shape[-1] > 1 else ""
        say(f"  {title}{part}")
        _matrix(planes[..., index])
        say()
    if planes.shape[-1] > MOST_CHANNELS:
        say(f"  … {planes.shape[-1]} {channel}s in all")
        say()


def _matrix(values: np.ndarray, mark: tuple[int, int, int, int] | None = None) -> None:
    """Numbers in columns, as many as there is room for; those within `mark` in brackets."""
    from cnnctl.cli.terminal import width

    texts = [[_number(value) for value in row] for row in values[:MOST_ROWS]]
    size = max((len(text) for row in texts for text in row), default=1)
    room = max(1, (width() - 6) // (size + 2))
    for row, line in enumerate(texts):
        cells = []
        for column, text in enumerate(line[:room]):
            inside = mark and mark[0] <= row <= mark[2] and mark[1] <= column <= mark[3]
            cells.append(f"[{text.rjust(size)}]" if inside else f" {text.rjust(size)} ")
        say(f"    {''.join(cells).rstrip()}{' …' if len(line) > room else ''}")
    if len(values) > MOST_ROWS:
        say(f"    … {len(values)} rows in all")


def _number(value: float) -> str:
    """Four digits, and no `-0`."""
    text = f"{float(value):.4g}"
    return "0" if text == "-0" else text


def _factor(value: float | None) -> str:
    text = _number(value or 0.0)
    return f"({text})" if text.startswith("-") else text


def _print_json(found: Inspection, views: list[View]) -> None:
    from cnnctl.cli.output import print_json

    back = found.backward
    print_json({
        "name": found.name,
        "input": found.image.tolist(),
        "steps": list(found.steps),
        "layers": [
            {
                "name": view.name,
                "layer": view.kind,
                "weights": {name: values.tolist() for name, values in view.weights.items()},
                "output": view.output.tolist(),
            }
            for view in views
        ],
        "backward": back and {
            "error": back.error,
            "what": back.what,
            "input": back.inputs.tolist(),
            "outputs": {view.name: back.outputs[view.name].tolist() for view in views},
            "weights": {
                view.name: {name: slope.tolist() for name, slope in back.weights[view.name].items()}
                for view in views
            },
            "rate": back.rate,
        },
    })  # fmt: skip
