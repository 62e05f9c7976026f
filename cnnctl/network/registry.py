"""From a name in a spec to the object: constructs what the catalog lists, and nothing else.

Names never reach Keras's `get` or `deserialize`, which would take any importable path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from cnnctl import layers
from cnnctl.catalog import Entry, load
from cnnctl.catalog.allowed import MODULES, RESOLVED_BY_COMPILE
from cnnctl.errors import UsageError
from cnnctl.specs.graph import snake_case

_ACTIVATION_LAYERS = {
    "elu": keras.layers.ELU,
    "leaky_relu": keras.layers.LeakyReLU,
    "relu": keras.layers.ReLU,
    "softmax": keras.layers.Softmax,
}
"""Activations that Keras has as layers too: a model saved with those loads without cnnctl."""


def construct(kind: str, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """Construct what a spec names.

    Args:
        kind: The catalog's kind, one that Keras has: `layer`, `optimizer`, `metric`, ….
        name: The name, an alias or an identifier of it.
        arguments: The constructor's arguments; nested components are constructed already.

    Returns:
        The object. For an activation without arguments, the function. For `accuracy` and
        `crossentropy`, the string: which one is meant is seen in `compile`.

    Raises:
        UsageError: There is no such name, or it may not be used.
        ValueError: Keras or a layer refuses the arguments, or the kind is not Keras's.
    """
    if kind not in MODULES:
        raise ValueError(f"`kind` must be one of {tuple(MODULES)}. Received: kind={kind}")
    entry = load().find(kind, name)
    if entry is None:
        raise _unknown(kind, name)
    given = {key: _as_float(entry, key, value) for key, value in (arguments or {}).items()}
    if name in RESOLVED_BY_COMPILE.get(kind, ()):
        return name
    if kind == "activation":
        return _activation(entry.name, given)
    if kind == "metric" and (entry.argument("name") or name != entry.name):
        # Keras lists a metric under the identifier it was given; left to itself, it would number
        # those of a second network in the same process: `auc_1`.
        given = {"name": name if name != entry.name else default_name(entry), **given}
    return find_class(entry)(**given)


def default_name(entry: Entry) -> str:
    """Return the name that Keras gives a metric of a class."""
    argument = entry.argument("name")
    return str(argument.default) if argument and argument.default else snake_case(entry.name)


def find_class(entry: Entry) -> Any:
    """Return the class (for an activation, the function) behind an entry of Keras's kinds."""
    if entry.source == "cnnctl":
        return getattr(layers, entry.name)
    if entry.source != "keras":
        return entry.registered
    module: Any = keras
    for part in MODULES[entry.kind].split("."):
        module = getattr(module, part)
    return getattr(module, entry.name)


def _activation(name: str, arguments: dict[str, Any]) -> Any:
    if not arguments:
        return getattr(keras.activations, name)
    if name in _ACTIVATION_LAYERS:
        return _ACTIVATION_LAYERS[name](**arguments)
    return layers.ActivationWithArguments(name, **arguments)


def _as_float(entry: Entry, key: str, value: Any) -> Any:
    """Return whole numbers, alone or in lists, as floats where any number is asked for.

    YAML's `1` is an integer, and some of Keras's classes insist on a float, or mix the two.
    """
    argument = entry.argument(key)
    return value if argument is None else _fitting(value, argument.schema)


def _fitting(value: Any, schema: dict[str, Any]) -> Any:
    alternatives = schema.get("anyOf", [schema])
    types = {alternative.get("type"): alternative for alternative in alternatives}
    if isinstance(value, list) and "array" in types:
        return [_fitting(each, types["array"].get("items", {})) for each in value]
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and "number" in types and "integer" not in types else value


def _unknown(kind: str, name: str) -> UsageError:
    catalog = load()
    words = kind.replace("_", " ")
    if reason := catalog.refusal(kind, name):
        return UsageError(f"the {words} {name} cannot be used: {reason}")
    close = catalog.nearest(kind, name)
    return UsageError(f"unknown {words} `{name}`", hint=f"did you mean {close}?" if close else None)
