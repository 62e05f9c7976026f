"""The catalog entry of a class or function that is not Keras's: arguments from its signature, their
types from its annotations and Keras's names for things, their descriptions from its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from cnnctl import compat
from cnnctl.catalog import argument_rules, docstrings
from cnnctl.catalog.entry import Argument, Entry
from cnnctl.catalog.managed import BASE_LAYER
from cnnctl.catalog.schemas import BOOLEAN, STRING, Schema, array, choice, either, optional
from cnnctl.errors import UsageError

_PLAIN: dict[type, Schema] = {
    bool: BOOLEAN,
    int: {"type": "integer"},
    float: {"type": "number"},
    str: STRING,
    Path: STRING,
    NoneType: {"type": "null"},
}

_MEANS_THE_SAME = re.compile(
    r".*_(initializer|regularizer|constraint)|(recurrent_)?activation|data_format|dtype"
)
"""Names of Keras's that no other argument has."""

_NOT_OF_KERAS = frozenset({"dataset", "rate_schedule"})
"""Kinds whose arguments are plain values, whatever they are called."""

_GIVEN = {
    "rate_schedule": {
        "epoch": "it is the number of the epoch, from 0",
        "lr": "it is the learning rate so far",
        "epochs": "it is written once, as fit.epochs",
    },
}
"""Arguments that cnnctl gives itself, each with the reason why a spec may not, by kind."""


def describe(kind: str, described: Callable[..., Any], source: str) -> Entry:
    """The entry of a class or function.

    Args:
        kind: The catalog's kind: layer, callback, ….
        described: The class or function. An argument that has a name of Keras's (`activation`,
            `kernel_initializer`, `padding`) takes what Keras takes there; another one takes what
            its annotation says, or else what is of its default's type, or else anything.
        source: The plug-in's file or package.

    Raises:
        UsageError: An argument can only be given by position.
    """
    docs = _docs(described)
    arguments = []
    managed = dict(BASE_LAYER) if kind == "layer" else {}
    signature = inspect.signature(described)
    hints = _hints(described)
    for name, parameter in signature.parameters.items():
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
            continue
        if reason := _GIVEN.get(kind, {}).get(name):
            managed[name] = reason
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise UsageError(
                f"{source}: `{name}` of {described.__name__} can only be given by position, and a "
                "spec gives arguments by name"
            )
        if name not in managed:
            arguments.append(
                _argument(kind, described.__name__, parameter, hints.get(name), docs.get(name, ""))
            )
    takes_keywords = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    if kind == "layer" and takes_keywords:
        given = {argument.name for argument in arguments}
        arguments += [each for each in _of_every_layer() if each.name not in given]
    return Entry(
        kind=kind,
        name=described.__name__,
        summary=docstrings.summary(described.__doc__),
        arguments=tuple(arguments),
        managed=managed,
        inputs=_inputs(described) if kind == "layer" else "one",
        direction=_direction(kind, described),
        source=source,
    )


def _direction(kind: str, described: Any) -> str:
    """Which values are the better ones, as in Keras: what the class declares, or else what is
    known of the metric of Keras's from which it derives."""
    if kind != "metric":
        return "down" if kind == "loss" else ""
    from cnnctl.catalog.catalog import load

    for owner in described.__mro__:
        if declared := compat.declared_direction(owner):
            return declared
        known = load().find(kind, owner.__name__) if owner.__module__.startswith("keras.") else None
        if known is not None:
            return known.direction
    return ""


def _inputs(layer: Any) -> str:
    """How a layer takes several inputs: one by one, if its `call` has a parameter for each."""
    parameters = list(inspect.signature(layer.call).parameters.values())[1:]
    needed = [
        each
        for each in parameters
        if each.kind is each.POSITIONAL_OR_KEYWORD
        and each.default is each.empty
        and each.name != "training"
    ]
    return "positional" if len(needed) > 1 else "one"


def _of_every_layer() -> tuple[Argument, ...]:
    """`name`, `dtype` and `trainable`, as every layer of Keras has them."""
    from cnnctl.catalog.catalog import load

    dense = load().find("layer", "Dense")
    assert dense is not None
    found = (dense.argument(name) for name in ("name", "dtype", "trainable"))
    return tuple(argument for argument in found if argument is not None)


def _argument(
    kind: str, class_name: str, parameter: inspect.Parameter, hint: Any, doc: str
) -> Argument:
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    schema = _schema(kind, class_name, parameter, hint)
    if default is None and not required and schema:
        schema = optional(schema)
    return Argument(parameter.name, schema, required=required, default=_plain(default), doc=doc)


def _schema(kind: str, class_name: str, parameter: inspect.Parameter, hint: Any) -> Schema:
    if kind not in _NOT_OF_KERAS and _MEANS_THE_SAME.fullmatch(parameter.name):
        return argument_rules.schema_of(kind, class_name, parameter.name, default=0, required=True)
    if hint is not None:
        return _of_type(hint)
    return _PLAIN.get(type(parameter.default), {}) if parameter.default is not None else {}


def _of_type(hint: Any) -> Schema:
    """The schema of an annotation; an empty one, which anything fits, where it says no more."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal and all(isinstance(part, str | int | NoneType) for part in parts):
        return choice(*parts)
    if origin in {Union, UnionType}:
        alternatives = [_of_type(part) for part in parts]
        return either(*alternatives) if all(alternatives) else {}
    if origin is tuple and Ellipsis not in parts and len(set(parts)) == 1:
        return array(_of_type(parts[0]), len(parts))
    if origin in {list, tuple}:
        return array(_of_type(parts[0])) if parts else {"type": "array"}
    return {}


def _hints(described: Any) -> Mapping[str, Any]:
    function = described.__init__ if inspect.isclass(described) else described
    try:
        return get_type_hints(function)
    except Exception:  # an annotation that names what is not there at run time says nothing
        return {}


def _docs(described: Any) -> dict[str, str]:
    docs: dict[str, str] = {}
    for owner in reversed(described.__mro__) if isinstance(described, type) else [described]:
        docs |= docstrings.arguments(owner.__doc__)
    return docs


def _plain(default: Any) -> Any:
    """A default as YAML would have it; text where it is an object."""
    if isinstance(default, tuple | list):
        return [_plain(each) for each in default]
    is_plain = isinstance(default, bool | int | float | str | NoneType)
    return default if is_plain else str(default)
