"""The names under which a training reports its loss and metrics, and which values are better.

Whether a metric is better higher or lower is what Keras says of its class, never a guess from the
name: a metric may be called anything. Where Keras does not say (counts such as `TruePositives`, a
plug-in's metric), the spec has to: `mode: max` or `mode: min` of the callback that monitors it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Values
from typing import Literal

from cnnctl.catalog import load as load_catalog
from cnnctl.errors import CnnctlError
from cnnctl.specs.checker import Checker, TooManyErrors
from cnnctl.specs.components import Component
from cnnctl.specs.graph import snake_case
from cnnctl.specs.nodes import Mapping, Node, Sequence
from cnnctl.specs.reader import read
from cnnctl.specs.source import text_source
from cnnctl.specs.spec import Spec

Mode = Literal["min", "max"]

LOSS = "loss"
MONITORING = ("ModelCheckpoint", "EarlyStopping", "ReduceLROnPlateau")
"""Callbacks that compare the values of a metric."""

COLUMNS = ("epoch", "seconds", "images_per_second", "learning_rate")
"""What a line of a run's history holds beside what is reported."""

_PER_OUTPUT = {
    "F1Score": ("average", None),
    "FBetaScore": ("average", None),
    "R2Score": ("class_aggregation", "uniform_average"),
}
"""Metrics that have a value per output if an argument is null, the argument, and its default."""

_PASSING = ("Activation", "ActivityRegularization", "Dropout", "ReLU", "Softmax")
"""Layers behind which there are as many outputs as before."""

_INDEX = re.compile(r"(/\d+)+$")
"""The end of the name of one value among several."""

_MODES: dict[str, Mode] = {"up": "max", "down": "min"}


def metric_name(metric: Component) -> str:
    """The name that Keras gives a metric (or a loss used as one)."""
    if given := metric.arguments.get("name"):
        return str(given)
    if metric.written != metric.name:
        return metric.written
    entry = load_catalog().find("metric", metric.name)
    argument = entry.argument("name") if entry else None
    # `fbeta_score` of FBetaScore; most classes have the name of their class.
    return str(argument.default) if argument and argument.default else snake_case(metric.name)


def named(metrics: Iterable[Component]) -> Iterator[tuple[str, Component]]:
    """Each value that a training reports beside the loss: its name, and the metric behind it.

    As in Keras, the second metric of a name is reported as `name_1`. A metric with an error has a
    name that nobody knows, and is left out.
    """
    taken: dict[str, int] = {}
    for metric in metrics:
        if metric.errors:
            continue
        name = metric_name(metric)
        index = taken.get(name, 0)
        taken[name] = index + 1
        yield f"{name}_{index}" if index else name, metric


def reported(spec: Spec, has_validation: bool) -> list[str]:
    """What a training reports after each epoch: loss, metrics, and `val_…` of each.

    A metric whose value is an array has a name per value: `f1_score/0`, `f1_score/1`, …. Where the
    spec does not tell how many there are, the first stands for all.
    """
    assert spec.compile
    outputs = _outputs(spec)
    known = [LOSS]
    for name, metric in named(spec.compile.metrics):
        count = values_of(metric, outputs)
        known += [name] if count == 1 else [f"{name}/{index}" for index in range(count or 1)]
    return known + [f"val_{name}" for name in known if has_validation]


def is_reported(spec: Spec, name: str, has_validation: bool) -> bool:
    """Whether a training reports a value of this name, as far as the spec tells."""
    assert spec.compile
    if name in reported(spec, has_validation):
        return True
    for metric_name, metric in named(spec.compile.metrics):
        own = {metric_name, f"val_{metric_name}"} if has_validation else {metric_name}
        if _INDEX.search(name) and _INDEX.sub("", name) in own:
            entry = load_catalog().find("metric", metric.name)
            of_plugin = entry is not None and entry.is_of_plugin
            return of_plugin or values_of(metric, _outputs(spec)) is None
    return False


def is_one_of_several(name: str) -> bool:
    """Whether a reported name is that of one value of an array: `f1_score/2`."""
    return _INDEX.search(name) is not None


def metric_of(name: str) -> str:
    """The name of the metric behind one of its values: `f1_score` of `f1_score/2`."""
    return _INDEX.sub("", name)


def in_short(values: Values[str, float]) -> list[str]:
    """Return `name value` for people; of a metric with several values, `name lowest to highest`."""
    grouped: dict[str, list[float]] = {}
    for name, value in values.items():
        grouped.setdefault(metric_of(name), []).append(float(value))
    return [
        f"{name} {min(some):.4f}" + (f" to {max(some):.4f}" if len(some) > 1 else "")
        for name, some in grouped.items()
    ]


def values_of(metric: Component, outputs: int | None) -> int | None:
    """How many values a metric of Keras has: one per threshold or per output where it is asked for.

    Args:
        metric: The metric.
        outputs: Of the network; None where only its shapes tell.

    Returns:
        None where that depends on the outputs, and they are not known.
    """
    thresholds = metric.arguments.get("thresholds")
    if isinstance(thresholds, list):
        return len(thresholds)
    if metric.name in _PER_OUTPUT:
        option, default = _PER_OUTPUT[metric.name]
        return outputs if metric.arguments.get(option, default) is None else 1
    return 1


def _outputs(spec: Spec) -> int | None:
    """How many outputs the network has, where a layer at its end says so."""
    layers = {layer.name: layer for layer in spec.graph.layers}
    at = spec.graph.layers[-1]
    while at.component.name in _PASSING and at.inputs[0] in layers:
        at = layers[at.inputs[0]]
    units = at.component.arguments.get("units")
    return units if isinstance(units, int) else None


def mode_of(spec: Spec, name: str) -> Mode | None:
    """Which values of a reported metric are the better ones: the larger or the smaller ones.

    Args:
        spec: A spec with `compile`.
        name: As reported: `loss`, `accuracy`, `val_accuracy`, `test_accuracy`.

    Returns:
        None where neither Keras nor the spec says so.
    """
    assert spec.compile
    return _mode(name, spec.compile.metrics, spec.fit.callbacks)


_SECTIONS = re.compile(r"^(?:compile|fit):.*\n?(?:[ \t#-].*\n?|\n)*", re.MULTILINE)


def mode_in_text(text: str, name: str) -> Mode | None:
    """The same for the text of a run's spec, of which only these two sections are read.

    None as well where nothing can be made of that text.
    """
    checker = Checker(load_catalog())
    parts = "".join(_SECTIONS.findall(text))

    def listed(section: str, key: str, kind: str) -> list[Component]:
        node: Node | None = tree
        for part in (section, key):
            node = node.items.get(part) if isinstance(node, Mapping) else None
        items = node.items if isinstance(node, Sequence) else ()
        return [checker.component(each, kind) for each in items]

    try:
        tree = read(text_source(parts or text, "spec.yaml"))
        metrics = listed("compile", "metrics", "metric")
        return _mode(name, metrics, listed("fit", "callbacks", "callback"))
    except (CnnctlError, TooManyErrors):
        return None


def _mode(name: str, metrics: Iterable[Component], callbacks: Iterable[Component]) -> Mode | None:
    known = dict(named(metrics))
    bare = name if name in known else re.sub(r"^(val|test)_", "", name)
    if bare == LOSS:
        return "min"
    if metric := known.get(bare) or known.get(_INDEX.sub("", bare)):
        entry = load_catalog().find("metric", metric.name)
        if entry and entry.direction:
            return _MODES[entry.direction]
    for callback in callbacks:
        if callback.name in MONITORING and not callback.errors:
            monitor = str(callback.arguments.get("monitor", "val_loss"))
            mode = callback.arguments.get("mode")
            if mode in ("min", "max") and monitor in {name, bare, f"val_{bare}"}:
                return "max" if mode == "max" else "min"
    return None
