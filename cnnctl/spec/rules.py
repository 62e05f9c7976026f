"""Contradictions: pairs of values that are each right and cannot both be meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic
from cnnctl.spec.components import Component
from cnnctl.spec.graph import snake_case

if TYPE_CHECKING:
    from cnnctl.spec.loading import Spec

SPARSE = "SparseCategoricalCrossentropy"
CROSSENTROPIES = {
    SPARSE: "int",
    "CategoricalCrossentropy": "categorical",
    "CategoricalFocalCrossentropy": "categorical",
}
"""The losses over classes, and the labels that each takes."""

MAX_EPOCHS_COMPUTED = 1000
"""How many epochs of a schedule are tried before the training."""

MONITORING = ("ModelCheckpoint", "EarlyStopping", "ReduceLROnPlateau")


def contradictions(spec: Spec) -> Iterator[Diagnostic]:
    """Every contradiction in a spec whose parts are valid."""
    if spec.compile:
        yield from _labels(spec)
        yield from _probabilities(spec)
        yield from _rates(spec)
        yield from _monitors(spec)
    yield from _epochs(spec)
    yield from _schedules(spec)


def _labels(spec: Spec) -> Iterator[Diagnostic]:
    assert spec.compile
    loss = spec.compile.loss
    needed = CROSSENTROPIES.get(loss.name)
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


def _probabilities(spec: Spec) -> Iterator[Diagnostic]:
    """Cross-entropy takes probabilities, or logits where `from_logits` says so."""
    assert spec.compile
    loss = spec.compile.loss
    if loss.name not in CROSSENTROPIES:
        return
    last = spec.graph.layers[-1].component
    softmax = last.name == "Softmax" or _activation(last) == "softmax"
    from_logits = loss.arguments.get("from_logits", False)
    if softmax and from_logits:
        yield Diagnostic(
            "softmax-from-logits",
            f"{loss.name} has `from_logits: true`, and the last layer applies softmax already",
            loss.place("from_logits"),
            "remove one of the two",
            (f"the last layer is in line {last.location.line}",),
        )
    if not from_logits and last.name in {"Dense", "Conv2D"} and _activation(last) == "linear":
        yield Diagnostic(
            "logits-without-softmax",
            f"{loss.name} takes probabilities, and the last layer has no softmax",
            last.location,
            f"add `activation: softmax`, or `loss: {{{loss.name}: {{from_logits: true}}}}`",
        )


def _activation(layer: Component) -> str | None:
    """The name of a layer's activation; linear for one that could have an activation and lacks it;
    None for a layer without any."""
    value = layer.arguments.get("activation")
    if isinstance(value, Component):
        return value.name
    return "linear" if layer.name in {"Dense", "Conv2D", "Activation"} else None


def _rates(spec: Spec) -> Iterator[Diagnostic]:
    assert spec.compile
    rate = spec.compile.optimizer.arguments.get("learning_rate")
    setters = [c for c in spec.fit.callbacks if c.name in {"LearningRateScheduler",
                                                           "ReduceLROnPlateau"}]  # fmt: skip
    if isinstance(rate, Component):
        for callback in setters:
            yield Diagnostic(
                "two-schedules",
                f"{callback.name} sets the learning rate, and so does the optimizer's {rate.name}",
                callback.location,
                "remove one of the two",
                (f"{rate.name} is in line {rate.location.line}",),
            )
    elif len(setters) > 1 and len({c.name for c in setters}) > 1:
        yield Diagnostic(
            "two-schedules",
            f"{setters[1].name} and {setters[0].name} both set the learning rate",
            setters[1].location,
            "remove one of the two",
        )


def _monitors(spec: Spec) -> Iterator[Diagnostic]:
    assert spec.compile
    has_validation = bool(spec.data and (spec.data.validation or _brings_validation(spec)))
    known = ["loss", *(metric_name(metric) for metric in spec.compile.metrics)]
    if has_validation:
        known += [f"val_{name}" for name in known]
    known.append("learning_rate")
    for callback in spec.fit.callbacks:
        if callback.name not in MONITORING:
            continue
        given = "monitor" in callback.arguments
        monitor = callback.arguments.get("monitor") or "val_loss"
        if monitor in known:
            continue
        implied = "" if given else " (its default)"
        message = f"{callback.name} monitors `{monitor}`{implied}, "
        hint = None
        if monitor.startswith("val_") and not has_validation:
            message += "and no images are held out for validation"
            hint = f"add `data.validation: 0.1`, or monitor `{monitor.removeprefix('val_')}`"
        else:
            message += "which is not reported"
            close = nearest(monitor, known)
            hint = f"did you mean `{close}`?" if close else None
        yield Diagnostic(
            "unknown-monitor",
            message,
            callback.place("monitor"),
            hint,
            (f"reported: {', '.join(known)}",),
        )


def _brings_validation(spec: Spec) -> bool:
    """Whether the data set may have a validation split of its own, which only its folder tells."""
    return bool(spec.data and spec.data.dataset.name == "image_folder")


def metric_name(metric: Component) -> str:
    """The name under which Keras reports a metric (or a loss used as one)."""
    if given := metric.arguments.get("name"):
        return str(given)
    return snake_case(metric.name) if metric.written == metric.name else metric.written


def _epochs(spec: Spec) -> Iterator[Diagnostic]:
    for callback in spec.fit.callbacks:
        start = callback.arguments.get("start_from_epoch", 0)
        if start >= spec.fit.epochs:
            yield Diagnostic(
                "start-above-end",
                f"{callback.name} starts at epoch {start}, and the training ends at "
                f"{spec.fit.epochs}",
                callback.place("start_from_epoch"),
                "lower `start_from_epoch`, or raise `fit.epochs`",
            )


def _schedules(spec: Spec) -> Iterator[Diagnostic]:
    """Every schedule is computed for every epoch, so that none fails in the middle of a run."""
    from cnnctl.schedules import ExpressionError, make

    for callback in spec.fit.callbacks:
        if callback.name != "LearningRateScheduler":
            continue
        schedule = callback.arguments["schedule"]
        try:
            rate_of = make(schedule, spec.fit.epochs)
            rate = 0.001
            for epoch in range(min(spec.fit.epochs, MAX_EPOCHS_COMPUTED)):
                rate = rate_of(epoch, rate)
        except (ExpressionError, ArithmeticError) as error:
            place = callback.place("schedule")
            yield Diagnostic(
                "bad-schedule",
                f"the learning rate cannot be computed: {error}",
                place,
                "it may use epoch (from 0), lr, epochs, pi and arithmetic",
            )
