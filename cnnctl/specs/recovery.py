"""Components that are not written as a spec writes them: what to say, and how to read on.

Where a mistake leaves no doubt about what is meant, reading goes on with that, so that the errors
behind it are reported as well, and none that only follows from it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

from cnnctl.catalog import Catalog, Entry, nearest
from cnnctl.catalog.suggest import loosen
from cnnctl.errors import Diagnostic, Location
from cnnctl.specs.dump import flow
from cnnctl.specs.nodes import Mapping, Node, Scalar, Sequence, describe, located, plain, shortened
from cnnctl.specs.schema import articles, is_reference
from cnnctl.specs.value_hints import Call, python_call

LONGEST_FIX = 110
"""Arguments that would make a hint longer are left out of it."""

_CLASS_KEYS = ("type", "class", "class_name", "layer", "layer_type", "op", "_target_")
"""Under which keys other tools write a component's class."""

_ARGUMENT_KEYS = ("config", "args", "kwargs", "params", "arguments", "options")

_PLACES = {
    "layer": "model.layers",
    "block": "model.layers",
    "optimizer": "compile.optimizer",
    "loss": "compile.loss",
    "metric": "compile.metrics",
    "callback": "fit.callbacks",
    "dataset": "data.dataset",
    "schedule": "the optimizer's `learning_rate`",
    "rate_schedule": "the `schedule` of LearningRateScheduler",
}
INPUTS = ("Input", "InputLayer")
"""Keras's layers that only say what the input's shape is."""

_LISTED = ("layer", "metric", "callback")
"""Kinds of which a spec has lists."""


class Meant(NamedTuple):
    """An error, and what the spec is taken to say all the same.

    Args:
        error: What to report.
        name: The component's name; empty if it cannot be told.
        arguments: Its arguments.
    """

    error: Diagnostic
    name: str = ""
    arguments: Mapping | None = None


class MeantArgument(NamedTuple):
    """An error, and the argument that was meant.

    Args:
        error: What to report.
        name: The argument that was probably meant; empty if none was, None if it cannot be told.
        is_certain: Whether its value can be taken as that of the argument.
    """

    error: Diagnostic
    name: str | None = None
    is_certain: bool = False


def find(catalog: Catalog, kind: str, name: str) -> Entry | None:
    """The entry of a name; where a layer may stand, a block may."""
    entry = catalog.find(kind, name)
    return catalog.find("block", name) if entry is None and kind == "layer" else entry


def find_anywhere(catalog: Catalog, kind: str, name: str) -> Entry | None:
    """The same, among the plug-ins that are installed as well, if nothing else has the name."""
    entry = find(catalog, kind, name)
    if entry is None and name.isidentifier():
        catalog.complete()
        entry = find(catalog, kind, name)
    return entry


def spelled(kind: str, name: str, arguments: dict[str, Any]) -> str:
    """A component as a spec writes it: `Flatten`, `Conv2D: {filters: 8}`, `{Adam: {…}}`."""
    if not arguments:
        return name
    text = flow(arguments)
    text = f"{name}: {text if len(text) <= LONGEST_FIX else '{…}'}".replace("'…'", "…")
    return text if kind in {"layer", "block"} else f"{{{text}}}"


def unknown(catalog: Catalog, kind: str, name: str, place: Location) -> Meant:
    """What to say of a name that a spec may not use, and of plug-ins that fail: it may be one's."""
    meant = _unknown(catalog, kind, name, place)
    notes = (*meant.error.notes, *catalog.complete())
    return meant._replace(error=replace(meant.error, notes=notes))


def _unknown(catalog: Catalog, kind: str, name: str, place: Location) -> Meant:
    if reason := catalog.refusal(kind, name):
        message = f"{name} cannot be used in a spec"
        fix = "remove it, and write `input_shape: […]` in `model`" if name in INPUTS else None
        error = Diagnostic(f"refused-{kind}", message, place, fix, (reason,))
        return Meant(error, "Identity", Mapping({}, place)) if name in INPUTS else Meant(error)
    rule, what = f"unknown-{kind.replace('_', '-')}", _word(kind)
    if call := python_call(name):
        return _python(catalog, kind, call, rule, place)
    message = f"unknown {what} `{shortened(name)}`"
    certain = _certain(catalog, kind, name)
    if certain and ":" not in certain:
        return Meant(Diagnostic(rule, message, place, f"did you mean `{certain}`?"), certain)
    hint = f"write `{certain}`" if certain else _elsewhere(catalog, kind, name)
    if hint is None and (close := _nearest(catalog, kind, name)):
        hint = f"did you mean `{close}`?"
    notes: tuple[str, ...] = ()
    if hint is None:
        names = catalog.names(kind)
        few = len(names) <= 24
        others = "`cnnctl layers` lists what a spec may use; --plugin FILE adds your own"
        notes = (f"available: {', '.join(names)}" if few else others,)
    return Meant(Diagnostic(rule, message, place, hint, notes))


def _certain(catalog: Catalog, kind: str, name: str) -> str | None:
    found = catalog.meant(kind, name)
    return catalog.meant("block", name) if found is None and kind == "layer" else found


def _nearest(catalog: Catalog, kind: str, name: str) -> str | None:
    # Of `Conv2D(32`, half of a call that commas have cut, the name is enough.
    name = name.partition("(")[0] or name
    found = catalog.nearest(kind, name)
    if kind != "layer":
        return found
    return nearest(name, filter(None, (found, catalog.nearest("block", name))))


def _elsewhere(catalog: Catalog, kind: str, name: str) -> str | None:
    """The fix for a name that is right, and of another kind."""
    if kind == "dataset" and re.search(r"[/\\]|\.npz$", name):
        source = "npz" if name.endswith(".npz") else "image_folder"
        return f"write `{flow({source: {'path': name}})}`"
    if kind == "rate_schedule" and re.search(r"[-+*/]|\bepoch\b", name):
        return f'an expression stands in quotes, without braces: `"{shortened(name)}"`'
    if kind == "layer" and catalog.meant("activation", name):
        return f"write `Activation: {{activation: {catalog.meant('activation', name)}}}`"
    for other, where in _PLACES.items():
        if other != kind and catalog.find(other, name):
            where = where if "`" in where else f"`{where}`"
            return f"{name} is {articles(other)}: it belongs in {where}"
    return None


def _python(catalog: Catalog, kind: str, call: Call, rule: str, place: Location) -> Meant:
    """What to say of `Conv2D(32, 3)`, or of `Adam(lr=0.1)`."""
    message = f"this is Python, and {articles(kind)} is written in YAML"
    name = _certain(catalog, kind, call.name)
    entry = find(catalog, kind, name) if name else None
    if entry is None:
        close = name or _nearest(catalog, kind, call.name.rpartition(".")[2])
        return Meant(Diagnostic(rule, message, place, f"write `{close}`" if close else None))
    given = dict(zip((each.name for each in entry.arguments), call.positional, strict=False))
    for key, value in call.by_name.items():
        given[_renamed(entry, key, given) or key] = value
    fix = f"write `{spelled(kind, entry.name, given)}`"
    arguments = located(given, place)
    assert isinstance(arguments, Mapping)
    return Meant(Diagnostic(rule, message, place, fix), entry.name, arguments)


def class_key(catalog: Catalog, kind: str, node: Mapping) -> Meant | None:
    """What to say of `{type: Conv2D, filters: 8}`, if it is of this form."""
    keys = [*_CLASS_KEYS, "name"] if len(node.items) > 1 else _CLASS_KEYS
    for key in keys:
        value = node.items.get(key)
        if not (isinstance(value, Scalar) and isinstance(value.value, str)):
            continue
        name = value.value
        name = name if find(catalog, kind, name) else _certain(catalog, kind, name) or name
        if key == "name" and find(catalog, kind, name) is None:
            continue
        rest = {other: each for other, each in node.items.items() if other != key}
        places = node.keys
        inner = next((rest[other] for other in _ARGUMENT_KEYS if other in rest), None)
        if isinstance(inner, Mapping):
            rest, places = inner.items, inner.keys
        arguments = Mapping(rest, node.location, places)
        error = Diagnostic(
            "several-keys",
            f"{articles(kind)} has its class name as the single key, not `{key}`",
            node.keys[key],
            f"write `{spelled(kind, name, plain(arguments))}`",
        )
        return Meant(error, name, arguments)
    return None


def several_keys(catalog: Catalog, kind: str, node: Mapping) -> Meant:
    """What to say of a component with more than one key."""
    name, *others = node.items
    message = f"{articles(kind)} has its class name as the single key"
    first, place = node.items[name], node.keys[name]
    components = [key for key in others if find(catalog, kind, key)]
    entry = find(catalog, kind, name)
    if components:
        fix = f"remove it, or `{name}`: there is one {_word(kind)}"
        if kind in _LISTED:
            fix = f"put `- ` before `{components[0]}`: each {_word(kind)} is an item of the list"
        return Meant(Diagnostic("several-keys", message, node.keys[components[0]], fix))
    if entry is None:
        also = ", ".join(f"`{key}`" for key in others)
        return Meant(Diagnostic("several-keys", message, place, f"beside it stands {also}"))
    at = node.keys[others[0]]
    empty = isinstance(first, Scalar) and first.value is None
    if at.file.startswith("--"):
        fix = f"write the path as `….{name}.{_renamed(entry, others[0], {}) or others[0]}`"
    elif empty:
        fix = f"indent `{others[0]}` below `{name}:`"
    else:
        fix = f"move it to the arguments of {name}: `{name}: {{…, {others[0]}: …}}`"
    error = Diagnostic("several-keys", message, at, fix)
    within = first if isinstance(first, Mapping) else Mapping({}, first.location)
    items = {**within.items, **{key: node.items[key] for key in others}}
    return Meant(error, name, Mapping(items, within.location, {**within.keys, **node.keys}))


def bare_value(catalog: Catalog, kind: str, entry: Entry, name: str, node: Node) -> Meant:
    """What to say of `Dense: 10`, whose arguments have no names."""
    known = [argument.name for argument in entry.arguments]
    message = f"{name} takes its arguments by name, not {describe(node)}"
    if not known:
        return Meant(Diagnostic("unnamed-argument", message, node.location, f"write `{name}`"))
    given: dict[str, Node] = {known[0]: node}
    if isinstance(node, Sequence) and not _takes_list(entry.arguments[0].schema):
        given = dict(zip(known, node.items, strict=False))
    missing = [each.name for each in entry.arguments if each.required and each.name not in given]
    shown = {key: plain(each) for key, each in given.items()} | dict.fromkeys(missing, "…")
    hint = f"write `{spelled(kind, name, shown)}`"
    error = Diagnostic("unnamed-argument", message, node.location, hint)
    if missing:
        return Meant(error)
    keys = {key: each.location for key, each in given.items()}
    return Meant(error, name, Mapping(given, node.location, keys))


def _takes_list(schema: dict[str, Any]) -> bool:
    return any(each.get("type") == "array" for each in schema.get("anyOf", [schema]))


def unknown_argument(
    catalog: Catalog,
    entry: Entry,
    key: str,
    place: Location,
    given: dict[str, Node],
    section_of: dict[str, str],
) -> MeantArgument:
    """What to say of an argument that a component does not have.

    Args:
        section_of: Key of a spec → the section that has it.
    """
    from cnnctl.catalog.migration_hints import ADVICE

    known = [argument.name for argument in entry.arguments]
    choices = [*known, "inputs"] if entry.kind in {"layer", "block"} else known
    rule, message = "unknown-argument", f"unknown argument `{shortened(key)}` of {entry.name}"
    if certain := _renamed(entry, key, given):
        error = Diagnostic(rule, message, place, f"did you mean `{certain}`?")
        return MeantArgument(error, certain, is_certain=True)
    if advice := ADVICE.get(loosen(key)) or _belongs(catalog, entry, key, given, section_of):
        told = re.search(r"write `(\w+)", advice)
        name = told[1] if told and told[1] in known else ""
        return MeantArgument(Diagnostic(rule, message, place, advice), name)
    if (colon := key.partition(":"))[1] and colon[0] in known:
        hint = f"put a space after the colon: `{colon[0]}: {colon[2]}`"
        return MeantArgument(Diagnostic(rule, message, place, hint), colon[0])
    if close := nearest(key, [name for name in choices if name not in given]):
        return MeantArgument(Diagnostic(rule, message, place, f"did you mean `{close}`?"), close)
    takes = f"it takes: {', '.join(choices)}" if choices else "it takes no arguments"
    return MeantArgument(Diagnostic(rule, message, place, None, (takes,)))


def _renamed(entry: Entry, key: str, given: dict[str, Any]) -> str | None:
    """The argument that a name of another tool stands for, or one in other letter case."""
    from cnnctl.catalog.migration_hints import ARGUMENTS

    open_ = [each.name for each in entry.arguments if each.name not in given]
    ours = ARGUMENTS.get(loosen(key), ())
    alike = [name for name in open_ if loosen(name) == loosen(key)]
    return next((name for name in (*alike, *ours) if name in open_), None)


def _belongs(
    catalog: Catalog,
    entry: Entry,
    key: str,
    given: dict[str, Node],
    section_of: dict[str, str],
) -> str | None:
    """The fix for an argument that is a component, or a key of a section."""
    for argument in entry.arguments:
        kind = is_reference(argument.schema)
        if kind and argument.name not in given and find(catalog, kind, key):
            return f"write `{argument.name}: {{{key}: …}}`"
    if entry.kind == "dataset" and key in section_of:
        return f"it belongs in `{section_of[key]}`"
    return None


def _word(kind: str) -> str:
    return {"dataset": "data set", "rate_schedule": "schedule"}.get(kind, kind)
