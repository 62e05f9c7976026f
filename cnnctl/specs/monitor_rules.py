"""Callbacks that monitor what is not reported, and metrics whose names are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic
from cnnctl.specs.components import Component
from cnnctl.specs.graph import snake_case
from cnnctl.specs.metrics import (
    COLUMNS,
    LOSS,
    MONITORING,
    is_reported,
    mode_of,
    named,
    reported,
)
from cnnctl.specs.spec import Spec

UNKNOWN_DIRECTION = "unknown-direction"


def monitored(spec: Spec, has_validation: bool, names: Sequence[str] = ()) -> Iterator[Diagnostic]:
    """Callbacks that monitor a metric which is not reported.

    Args:
        spec: A spec with `compile`.
        has_validation: Whether there are validation images; only its folder tells that of an
            `image_folder`, so a training asks again once it has been read.
        names: What is reported, where a network that has been built tells.
    """
    assert spec.compile
    metrics = [metric for metric in spec.compile.metrics if not metric.errors]
    known = [*(names or reported(spec, has_validation)), "learning_rate"]
    for callback in spec.fit.callbacks:
        if callback.name not in MONITORING or callback.errors:
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
            continue  # it may be the one with the error
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
    """Whether images are held out for validation, as far as can be told without the images."""
    return bool(spec.data and spec.data.validation) or _may_validate(spec)


def _may_validate(spec: Spec) -> bool:
    """Whether the data set may have a validation split of its own, which only its folder tells,
    or a plug-in."""
    if spec.doubtful & {"data", "data.validation", "extends"}:
        return True
    if not spec.data:
        return False
    dataset = spec.data.dataset
    return dataset.name in {"image_folder", ""} or dataset.is_of_plugin
