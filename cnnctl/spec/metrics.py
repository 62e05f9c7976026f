"""The names under which a training reports its loss and metrics, and which values are better.

Whether a metric is better higher or lower is what Keras says of its class, never a guess from the
name: a metric may be called anything. Where Keras does not say (counts such as `TruePositives`, a
plug-in's metric), the spec has to: `mode: max` or `mode: min` of the callback that monitors it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from cnnctl.catalog import load as load_catalog
from cnnctl.errors import CnnctlError
from cnnctl.spec.components import Checker, Component, EnoughFaults
from cnnctl.spec.graph import snake_case
from cnnctl.spec.nodes import Mapping, Node, Sequence
from cnnctl.spec.reader import read
from cnnctl.spec.source import text_source

if TYPE_CHECKING:
    from cnnctl.spec.loading import Spec

Mode = Literal["min", "max"]

LOSS = "loss"
MONITORING = ("ModelCheckpoint", "EarlyStopping", "ReduceLROnPlateau")
"""Callbacks that compare the values of a metric."""

COLUMNS = ("epoch", "seconds", "images_per_second", "learning_rate")
"""What a line of a run's history holds beside what is reported."""

_MODES: dict[str, Mode] = {"up": "max", "down": "min"}


def metric_name(metric: Component) -> str:
    """The name that Keras gives a metric (or a loss used as one)."""
    if given := metric.arguments.get("name"):
        return str(given)
    return snake_case(metric.name) if metric.written == metric.name else metric.written


def named(metrics: Iterable[Component]) -> Iterator[tuple[str, Component]]:
    """Each value that a training reports beside the loss: its name, and the metric behind it.

    As in Keras, the second metric of a name is reported as `name_1`. A metric with a fault has a
    name that nobody knows, and is left out.
    """
    taken: dict[str, int] = {}
    for metric in metrics:
        if metric.faults:
            continue
        name = metric_name(metric)
        index = taken.get(name, 0)
        taken[name] = index + 1
        yield f"{name}_{index}" if index else name, metric


def reported(spec: Spec, has_validation: bool) -> list[str]:
    """What a training reports after each epoch: loss, metrics, and `val_…` of each."""
    assert spec.compile
    known = [LOSS, *dict(named(spec.compile.metrics))]
    return known + [f"val_{name}" for name in known if has_validation]


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
    except (CnnctlError, EnoughFaults):
        return None


def _mode(name: str, metrics: Iterable[Component], callbacks: Iterable[Component]) -> Mode | None:
    known = dict(named(metrics))
    bare = name if name in known else re.sub(r"^(val|test)_", "", name)
    if bare == LOSS:
        return "min"
    if metric := known.get(bare):
        entry = load_catalog().find("metric", metric.name)
        if entry and entry.direction:
            return _MODES[entry.direction]
    for callback in callbacks:
        if callback.name in MONITORING and not callback.faults:
            monitor = str(callback.arguments.get("monitor", "val_loss"))
            mode = callback.arguments.get("mode")
            if mode in ("min", "max") and monitor in {name, bare, f"val_{bare}"}:
                return "max" if mode == "max" else "min"
    return None
