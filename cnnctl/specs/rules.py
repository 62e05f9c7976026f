"""Contradictions: pairs of values that are each right and cannot both be meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnctl.catalog import load
from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic, Location
from cnnctl.specs.components import Component
from cnnctl.specs.graph import snake_case
from cnnctl.specs.learning_rates import line_of, rates, schedules
from cnnctl.specs.metric_families import Output
from cnnctl.specs.metric_rules import misfits
from cnnctl.specs.metrics import (
    COLUMNS,
    LOSS,
    MONITORING,
    is_reported,
    mode_of,
    named,
    reported,
)
from cnnctl.specs.pairs import contradictory
from cnnctl.specs.spec import Spec

SPARSE = "SparseCategoricalCrossentropy"
CROSSENTROPIES = {
    SPARSE: "int",
    "CategoricalCrossentropy": "categorical",
    "CategoricalFocalCrossentropy": "categorical",
    "CategoricalGeneralizedCrossEntropy": "int",  # whatever its name says
}
"""The losses over classes, and the labels that each takes."""

HINGES = frozenset({"Hinge", "SquaredHinge"})
"""The losses that pull the one output of two classes to -1 and 1."""


UNKNOWN_DIRECTION = "unknown-direction"

SINCE_RUNS = frozenset({
    UNKNOWN_DIRECTION, "bidirectional-character", "logit-threshold", "loss-misfit", "metric-misfit",
    "metric-name",
})  # fmt: skip
"""Rules that runs of earlier versions may break, and are read all the same."""


_PASSING = frozenset(
    {
        "Activation",
        "BatchNormalization",
        "Dropout",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling2D",
        "ReLU",
        "Softmax",
    }
)
"""Layers behind which there are as many channels as before."""


def contradictions(spec: Spec) -> Iterator[Diagnostic]:
    """Every contradiction in a spec.

    What has a fault of its own is taken to contradict nothing.
    """
    if spec.compile:
        yield from _labels(spec)
        yield from _probabilities(spec)
        yield from rates(spec)
        yield from monitored(spec, validates(spec))
        yield from metric_names(spec, bool(spec.data and spec.data.validation))
    yield from contradictory(spec)
    yield from _epochs(spec)
    yield from schedules(spec)


def _labels(spec: Spec) -> Iterator[Diagnostic]:
    assert spec.compile
    loss = spec.compile.loss
    needed = CROSSENTROPIES.get(loss.name)
    if "data.label_mode" in spec.doubtful:
        return
    if spec.data and needed and spec.data.label_mode != needed:
        mode = spec.data.label_mode
        other = next((name for name, m in CROSSENTROPIES.items() if m == mode), None)
        if other:
            mend = f"use `data.label_mode: {needed}`, or `loss: {snake_case(other)}`"
        else:
            mend = f"use `data.label_mode: {needed}`"
        yield Diagnostic(
            "label-mode",
            f"{loss.name} takes {needed} labels, and `data.label_mode` is {mode}",
            loss.location,
            mend,
        )
    if spec.data and are_embeddings(spec) and spec.data.label_mode != "int":
        message = f"Circle takes int labels, and `data.label_mode` is {spec.data.label_mode}"
        yield Diagnostic("label-mode", message, loss.location, "use `data.label_mode: int`")
    for metric in spec.compile.metrics if spec.data else ():
        dense = metric.name.removeprefix("Sparse")
        if dense != metric.name and spec.data and spec.data.label_mode == "categorical":
            yield Diagnostic(
                "label-mode",
                f"{metric.name} takes int labels, and `data.label_mode` is categorical",
                metric.location,
                f"use `data.label_mode: int`, or `{snake_case(dense)}`",
            )


def _probabilities(spec: Spec) -> Iterator[Diagnostic]:
    """Cross-entropy takes probabilities, or logits where `from_logits` says so."""
    assert spec.compile
    loss = spec.compile.loss
    fitting = {"BinaryCrossentropy": ("sigmoid",)}.get(loss.name, ("softmax", "sigmoid"))
    if loss.faults or loss.name not in {*CROSSENTROPIES, "BinaryCrossentropy"}:
        return
    last = spec.graph.layers[-1].component
    activation = "softmax" if last.name == "Softmax" else _activation(last)
    if loss.arguments.get("from_logits", False):
        if activation in {"softmax", "sigmoid"}:
            yield Diagnostic(
                "softmax-from-logits",
                f"{loss.name} has `from_logits: true`, and the last layer applies {activation} "
                "already",
                loss.place("from_logits"),
                "remove one of the two",
                (f"the last layer is in {line_of(last.location, loss.location)}",),
            )
    elif activation == "linear":
        yield Diagnostic(
            "logits-without-softmax",
            f"{loss.name} takes probabilities, and the last layer has no {fitting[0]}",
            last.location,
            f"add `activation: {fitting[0]}`, or `loss: {{{loss.name}: {{from_logits: true}}}}`",
        )
    elif activation is not None and activation not in fitting:
        yield Diagnostic(
            "no-probabilities",
            f"{loss.name} takes probabilities, and the last layer gives those of `{activation}`",
            last.place("activation"),
            f"use `{fitting[0]}`",
        )


def outputs(spec: Spec, shape: Sequence[int | None]) -> Iterator[Diagnostic]:
    """What the network's output cannot be, beside labels that are classes, and metrics that cannot
    say anything about it.

    Args:
        spec: A spec.
        shape: Of one picture's output, without the batch.
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
    activation = "softmax" if last.name == "Softmax" else _activation(last)
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


def are_embeddings(spec: Spec) -> bool:
    """Whether the outputs are an embedding of the image rather than a value per class, as Circle
    trains them with class numbers for labels."""
    return spec.compile is not None and spec.compile.loss.name == "Circle"


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
            mend = "use an output for each class, or `sigmoid` with `loss: binary_crossentropy`"
            yield Diagnostic("one-output", what, last.place("units"), mend)
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


def logits_of(loss: Component) -> str | None:
    """What of a loss says that outputs mean class 1 above 0, not above 0.5."""
    if loss.name in HINGES:
        return loss.written
    return "from_logits: true" if loss.arguments.get("from_logits") is True else None


def _activation(layer: Component) -> str | None:
    """The name of a layer's activation; linear for one that could have an activation and lacks it;
    None for a layer without any, or with a fault that leaves it open."""
    entry = load().find(layer.kind, layer.name) if layer.name else None
    known = {argument.name for argument in entry.arguments} if entry else set()
    if layer.faults - known or "activation" in layer.faults:
        return None
    value = layer.arguments.get("activation")
    if isinstance(value, Component):
        return value.name
    return "linear" if layer.name in {"Dense", "Conv2D", "Activation"} else None


def monitored(spec: Spec, has_validation: bool, names: Sequence[str] = ()) -> Iterator[Diagnostic]:
    """Callbacks that watch a figure which is not reported.

    Args:
        spec: A spec with `compile`.
        has_validation: Whether there are validation pictures; only its folder tells that of an
            `image_folder`, so a training asks again once it has been read.
        names: What is reported, where a network that has been built tells.
    """
    assert spec.compile
    metrics = [metric for metric in spec.compile.metrics if not metric.faults]
    known = [*(names or reported(spec, has_validation)), "learning_rate"]
    for callback in spec.fit.callbacks:
        if callback.name not in MONITORING or callback.faults:
            continue
        given = "monitor" in callback.arguments
        monitor = callback.arguments.get("monitor") or "val_loss"
        if monitor in known or (not names and is_reported(spec, monitor, has_validation)):
            yield from _direction(spec, callback, monitor)
            continue
        implied = "" if given else " (its default)"
        message = f"{callback.name} monitors `{monitor}`{implied}, "
        hint = None
        if monitor.startswith("val_") and not has_validation:
            message += "and no images are held out for validation"
            hint = f"add `data.validation: 0.1`, or monitor `{monitor.removeprefix('val_')}`"
        elif len(metrics) < len(spec.compile.metrics) or "compile.metrics" in spec.doubtful:
            continue  # it may be the one with the fault
        else:
            message += "which is not reported"
            close = nearest(monitor, known)
            close = close or next((name for name in known if name.startswith(monitor)), None)
            hint = f"did you mean `{close}`?" if close else None
            if f"{monitor}/0" in known:
                message = f"{callback.name} monitors `{monitor}`{implied}, which has several values"
                hint = f"monitor one of them, such as `{monitor}/0`"
        yield Diagnostic(
            "unknown-monitor",
            message,
            callback.place("monitor"),
            hint,
            (f"reported: {', '.join(known)}",),
        )


def _direction(spec: Spec, callback: Component, monitor: str) -> Iterator[Diagnostic]:
    """A metric that is compared, of which neither Keras nor the spec says how."""
    if callback.arguments.get("mode", "auto") == "auto" and mode_of(spec, monitor) is None:
        yield Diagnostic(
            UNKNOWN_DIRECTION,
            f"{callback.name} monitors `{monitor}`, and Keras does not say whether it is better "
            "higher or lower",
            callback.place("monitor"),
            "add `mode: max` if it is better higher, or `mode: min`",
        )


def metric_names(spec: Spec, has_validation: bool) -> Iterator[Diagnostic]:
    """Metrics whose name is taken, so that one value would hide another.

    Args:
        spec: A spec with `compile`.
        has_validation: Whether images are held out for sure.
    """
    assert spec.compile
    taken = {LOSS: "the loss", **dict.fromkeys(COLUMNS, "a column of the history")}
    taken |= {"rate": "the learning rate on the screen", "time": "the seconds on the screen"}
    others = [f"val_{name}" for name in (LOSS, *dict(named(spec.compile.metrics)))]
    if has_validation:
        taken |= dict.fromkeys(others, "a value of the validation images")
    for name, metric in named(spec.compile.metrics):
        if name in taken:
            yield Diagnostic(
                "metric-name",
                f"the metric {metric.name} is reported as `{name}`, which is {taken[name]}",
                metric.place("name"),
                f"write `name: {snake_case(metric.name)}`, or another name",
            )
        taken[name] = "another metric"


def validates(spec: Spec) -> bool:
    """Whether images are held out for validation, as far as can be told without the pictures."""
    return bool(spec.data and spec.data.validation) or _may_validate(spec)


def knows_validation(spec: Spec) -> bool:
    """Whether a spec tells for sure whether images are held out for validation."""
    return bool(spec.data and spec.data.validation) or not _may_validate(spec)


def _may_validate(spec: Spec) -> bool:
    """Whether the data set may have a validation split of its own, which only its folder tells,
    or a plug-in."""
    if spec.doubtful & {"data", "data.validation", "extends"}:
        return True
    if not spec.data:
        return False
    dataset = spec.data.dataset
    return dataset.name in {"image_folder", ""} or dataset.is_of_plugin


def _epochs(spec: Spec) -> Iterator[Diagnostic]:
    for callback in spec.fit.callbacks:
        start = callback.arguments.get("start_from_epoch", 0)
        if start >= spec.fit.epochs and not spec.doubtful & {"fit", "fit.epochs"}:
            yield Diagnostic(
                "start-above-end",
                f"{callback.name} starts at epoch {start}, and the training ends at "
                f"{spec.fit.epochs}",
                callback.place("start_from_epoch"),
                "lower `start_from_epoch`, or raise `fit.epochs`",
            )


def with_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A picture's shape with its channels: a grey picture is often stored without."""
    return (*shape, 1) if len(shape) == 2 else shape


def compare_outputs(
    spec: Spec, outputs: int | None, classes: int, data: str
) -> Iterator[Diagnostic]:
    """The fault of a network that has not an output for each class, and no other.

    A network with more outputs than classes would train without a word, and wrongly. Two classes
    may share one output.
    """
    if outputs is None or outputs == classes or (classes == 2 and outputs == 1):
        return
    if are_embeddings(spec):
        return
    yield Diagnostic(
        "class-count",
        f"the network has {outputs} outputs, and {data} has {classes} classes",
        _outputs_place(spec),
        f"{classes} outputs are needed",
    )


def _outputs_place(spec: Spec) -> Location:
    """Where the number of outputs is written, above layers that only pass it on."""
    layers = {layer.name: layer for layer in spec.graph.layers}
    at = last = spec.graph.layers[-1]
    while at.component.name in _PASSING and at.inputs[0] in layers:
        at = layers[at.inputs[0]]
    sized = [name for name in ("units", "filters") if name in at.component.arguments]
    return at.component.place(sized[0]) if sized else last.location
