"""The file of ranges: a YAML mapping from paths of the spec to what they are drawn from.

compile.optimizer.Adam.learning_rate: {log_uniform: [1e-4, 1e-1]}
model.layers.Dropout.rate: {uniform: [0, 0.5]}
model.layers.0.Conv2D.filters: {int: [8, 32], step: 8}
fit.batch_size: {choice: [32, 64, 128]}
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from cnnctl.catalog.suggest import loosen, nearest
from cnnctl.errors import Diagnostic, Location, SpecError
from cnnctl.specs.dump import flow
from cnnctl.specs.nodes import Mapping, Node, Scalar, Sequence, describe, plain, shortened
from cnnctl.specs.reader import read
from cnnctl.specs.source import read_source
from cnnctl.sweep.space import Parameter, choice

KINDS = {
    "choice": "a list of values",
    "int": "two integers, both included",
    "uniform": "two numbers",
    "log_uniform": "two numbers above 0",
}
LARGEST = 1 << 53
"""The end of integers that JSON and databases keep."""

_OTHER_NAMES = {
    "categorical": "choice", "choices": "choice", "values": "choice", "list": "choice",
    "float": "uniform", "range": "uniform", "log": "log_uniform", "loguniform": "log_uniform",
    "integer": "int", "randint": "int", "quniform": "int",
}  # fmt: skip


def read_ranges(path: Path) -> list[Parameter]:
    """Read a file of ranges.

    Raises:
        UsageError: There is no such file.
        SpecError: It has faults; all that were found, each with its place.
    """
    faults: list[Diagnostic] = []
    root = read(read_source(path), faults)
    if not isinstance(root, Mapping) or not root.items:
        message = f"a file of ranges maps paths to ranges, and this is {describe(root)}"
        hint = "such as `fit.batch_size: {choice: [32, 64]}`"
        raise SpecError([*faults, Diagnostic("bad-ranges", message, root.location, hint)])
    found = []
    for name, node in root.items.items():
        try:
            found.append(_parameter(name, node, root.keys[name]))
        except SpecError as error:
            faults.extend(error.diagnostics)
    if faults:
        raise SpecError(faults)
    return found


def _parameter(path: str, node: Node, place: Location) -> Parameter:
    if isinstance(node, Sequence):
        _fail(node.location, f"{path} takes a range, not a list",
              f"write `{{choice: {shortened(flow(plain(node)))}}}`")  # fmt: skip
    if not isinstance(node, Mapping) or not node.items:
        _fail(node.location, f"{path} takes a range, not {describe(node)}",
              "such as `{uniform: [0, 1]}`")  # fmt: skip
    for key, where in node.keys.items():
        if key not in KINDS and key != "step":
            _unknown(path, key, node, where)
    kinds = [key for key in node.items if key in KINDS]
    if len(kinds) != 1:
        message = f"{path} takes one of {', '.join(KINDS)}"
        _fail(node.keys[kinds[1]] if kinds else node.location, message,
              "keep one" if kinds else "add one")  # fmt: skip
    kind = kinds[0]
    step = _step(node, kind)
    values = node.items[kind]
    if not isinstance(values, Sequence) or not values.items:
        _fail(values.location, f"`{kind}` takes {KINDS[kind]}, not {describe(values)}",
              f"such as `{kind}: {'[32, 64]' if kind in ('choice', 'int') else '[0.1, 1]'}`",
              rule="bad-range")  # fmt: skip
    if kind == "choice":
        return choice(path, values.items, place)
    low, high = _ends(kind, values)
    places = tuple(each.location for each in values.items)
    return Parameter(path, kind, (), low, high, step, place, places)


def _unknown(path: str, key: str, node: Mapping, where: Location) -> NoReturn:
    meant = _OTHER_NAMES.get(loosen(key)) or nearest(key, [*KINDS, "step"])
    if meant:
        hint = f"did you mean `{meant}`?"
    elif isinstance(node.items[key], Mapping):
        hint = f"write the path in one line: `{path}.{key}: …`"
    else:
        hint = f"available: {', '.join(KINDS)}, step"
    _fail(where, f"unknown kind of range `{shortened(key)}`", hint, rule="unknown-key")


def _step(node: Mapping, kind: str) -> int:
    if "step" not in node.items:
        return 1
    if kind != "int":
        _fail(node.keys["step"], f"`step` belongs to `int`, and this is `{kind}`", "remove it")
    value = node.items["step"]
    if not isinstance(value, Scalar) or type(value.value) is not int or value.value < 1:
        _fail(value.location, f"`step` takes an integer of at least 1, not {describe(value)}")
    return value.value


def _ends(kind: str, values: Sequence) -> tuple[float, float]:
    """The two ends of a range, checked."""
    if len(values.items) != 2:
        message = f"`{kind}` takes {KINDS[kind]}, not {len(values.items)} values"
        hint = f"write `choice: {shortened(flow(plain(values)))}` for these values alone"
        _fail(values.location, message, hint, rule="bad-range")
    ends = []
    for each in values.items:
        value = each.value if isinstance(each, Scalar) else None
        fits = type(value) is int or (type(value) is float and kind != "int")
        fits = fits and (kind != "int" or abs(value) <= LARGEST)  # type: ignore[arg-type]
        if not fits or not -1e300 < value < 1e300:  # type: ignore[operator]
            _fail(each.location, f"`{kind}` takes {KINDS[kind]}, not {describe(each)}",
                  rule="bad-range")  # fmt: skip
        if kind == "log_uniform" and value <= 0:  # type: ignore[operator]
            _fail(each.location, f"`{kind}` takes {KINDS[kind]}, not {value}", rule="bad-range")
        ends.append(value)
    low, high = ends
    if not low < high:  # type: ignore[operator]
        _fail(values.location, f"the range ends at {high}, and starts at {low}",
              "write the lower end first", rule="bad-range")  # fmt: skip
    return low, high  # type: ignore[return-value]


def _fail(
    place: Location, message: str, hint: str | None = None, rule: str = "bad-ranges"
) -> NoReturn:
    raise SpecError([Diagnostic(rule, message, place, hint)])
