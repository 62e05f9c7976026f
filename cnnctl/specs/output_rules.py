"""The shape of the output beside the labels, the loss and the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnctl.errors import Diagnostic
from cnnctl.specs.components import Component
from cnnctl.specs.loss_rules import CROSSENTROPIES, activation_of, are_embeddings, logits_of
from cnnctl.specs.metric_families import Output
from cnnctl.specs.metric_rules import misfits
from cnnctl.specs.spec import Spec


def outputs(spec: Spec, shape: Sequence[int | None]) -> Iterator[Diagnostic]:
    """What the network's output cannot be, beside labels that are classes, and metrics that cannot
    say anything about it.

    Args:
        spec: A spec.
        shape: Of one image's output, without the batch.
    """
    if spec.data is None or spec.compile is None:
        return
    mode, loss = spec.data.label_mode, spec.compile.loss
    last = spec.graph.layers[-1].component
    if len(shape) != 1:
        size = "x".join(map(str, shape)) or "a single number"
        if mode != "float":
            yield Diagnostic(
                "output-rank",
                f"the network gives {size} for a picture, and labels need one row of numbers",
                last.location,
                "put a `Flatten` or a `GlobalAveragePooling2D` before the last `Dense`",
            )
        return
    activation = "softmax" if last.name == "Softmax" else activation_of(last)
    if are_embeddings(spec):
        yield from _no_classes(spec.compile.metrics)
        return
    if mode != "float":
        yield from _of_classes(shape[0], activation, mode, loss, last)
    if shape[0] == 1 and not loss.is_of_plugin:
        yield from _of_one_number(loss, activation, mode)
    if shape[0] is not None:
        output = Output(shape[0], mode, activation, logits_of(loss))
        yield from misfits(output, spec.compile.metrics)


def _no_classes(metrics: Sequence[Component]) -> Iterator[Diagnostic]:
    """Metrics of classes beside outputs that are embeddings."""
    for metric in metrics:
        if not metric.is_of_plugin:
            yield Diagnostic(
                "no-classes",
                f"Circle trains embeddings, and `{metric.written}` compares outputs with classes",
                metric.location,
                f"remove `{metric.written}`: judge Circle by its loss, or by a plug-in's metric",
            )


def _of_classes(
    count: int | None, activation: str | None, mode: str, loss: Component, last: Component
) -> Iterator[Diagnostic]:
    """Losses of classes that do not fit the number of outputs."""
    if count == 1:
        if loss.name in CROSSENTROPIES or activation == "softmax":
            what = "softmax over one output is always 1" if activation == "softmax" else (
                f"{loss.name} needs an output for each class")  # fmt: skip
            fix = "use an output for each class, or `sigmoid` with `loss: binary_crossentropy`"
            yield Diagnostic("one-output", what, last.place("units"), fix)
        elif mode == "categorical" and not loss.is_of_plugin:
            yield Diagnostic(
                "label-mode",
                f"{loss.name} compares one output with one number, and `data.label_mode: "
                "categorical` gives one for each class",
                loss.location,
                "use `data.label_mode: int`, or an output for each class",
            )
    elif mode == "int" and not (
        loss.name.startswith(("Sparse", "crossentropy"))
        or CROSSENTROPIES.get(loss.name) == "int"
        or loss.is_of_plugin
    ):
        yield Diagnostic(
            "label-mode",
            f"{loss.name} compares {count} outputs with as many numbers, and "
            "`data.label_mode: int` gives one class number",
            loss.location,
            "use `data.label_mode: categorical`, or a loss or metric whose name starts with "
            "`sparse_`",
        )


def _of_one_number(loss: Component, activation: str | None, mode: str) -> Iterator[Diagnostic]:
    """Losses over the row of an image that tell nothing of a row of one number."""
    if loss.name == "KLDivergence":
        what = "is least where every output is 1"
    elif loss.name == "CosineSimilarity" and loss.arguments.get("axis", -1) != 0:
        what = "sees only the sign, and has no gradient"
    else:
        return
    probability = activation == "sigmoid" or mode != "float"
    yield Diagnostic(
        "loss-misfit",
        f"{loss.name} of a network with one output {what}",
        loss.location,
        f"use `{'binary_crossentropy' if probability else 'mse'}`",
    )
