"""Writing `keras.json`, the stored half of the catalog, from the installed Keras.

python -m cnnctl.catalog.generate            write it
python -m cnnctl.catalog.generate --check    compare, exit code 1 where it is stale
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cnnctl.catalog import allowed, argument_rules, docstrings, managed
from cnnctl.catalog.catalog import STORED
from cnnctl.catalog.entry import Argument, Entry, to_stored
from cnnctl.catalog.example_values import VALUES
from cnnctl.compat import direction_of


def generate() -> dict[str, Any]:
    """Return the catalog of the installed Keras as plain data: kind → name → entry.

    Raises:
        ValueError: Keras has a class that is neither allowed nor refused, or lacks one that is
            allowed.
        KeyError: An argument has no rule for its type.
    """
    catalog: dict[str, Any] = {}
    for kind, names in allowed.ALLOWED.items():
        _check_lists(kind)
        catalog[kind] = {name: to_stored(_describe(kind, name)) for name in sorted(names)}
    # JSON has no tuples: what is compared with the stored data has none either.
    return dict(json.loads(json.dumps(catalog)))


def render(catalog: dict[str, Any]) -> str:
    """Return the text of `keras.json`."""
    return json.dumps(catalog, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the catalog, or compare it; return the exit code."""
    parser = argparse.ArgumentParser(prog="cnnctl.catalog.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check_only = parser.parse_args(arguments).check
    text = render(generate())
    if not check_only:
        STORED.write_text(text, encoding="utf-8")
        return 0
    stored = STORED.read_text(encoding="utf-8") if STORED.exists() else ""
    if stored == text:
        return 0
    changes = difflib.unified_diff(
        stored.splitlines(), text.splitlines(), "stored", "installed Keras", lineterm="", n=2
    )
    print("\n".join(changes))
    print("The catalog is not that of the installed Keras. To refresh it: make catalog")
    return 1


def _module(kind: str) -> Any:
    import keras

    module: Any = keras
    for part in allowed.MODULES[kind].split("."):
        module = getattr(module, part)
    return module


def _check_lists(kind: str) -> None:
    module = _module(kind)
    known = {id(getattr(module, name, None)) for name in allowed.ALLOWED[kind]}
    known |= {id(getattr(module, name, None)) for name in allowed.REFUSED.get(kind, {})}
    missing = [name for name in allowed.ALLOWED[kind] if not hasattr(module, name)]
    if kind == "activation":
        undecided = [name for name in _functions(module) if id(getattr(module, name)) not in known]
    elif kind == "cell":
        undecided = []
    else:
        public = vars(module).items()
        undecided = [n for n, value in public if inspect.isclass(value) and id(value) not in known]
    if missing or undecided:
        raise ValueError(
            f"the lists in cnnctl/catalog/allowed.py do not fit keras.{allowed.MODULES[kind]}: "
            f"missing from Keras: {missing}; neither allowed nor refused: {undecided}"
        )


def _functions(module: Any) -> Iterator[str]:
    housekeeping = {"deserialize", "get", "serialize"}
    for name, value in vars(module).items():
        if inspect.isfunction(value) and name not in housekeeping:
            yield name


def _describe(kind: str, name: str) -> Entry:
    described = getattr(_module(kind), name)
    parameters = dict(_parameters(described))
    reasons = {a: r for a in parameters if (r := managed.reason(kind, name, a))}
    if kind == "layer":
        reasons |= managed.BASE_LAYER
    docs = _docs(described)
    if kind == "optimizer":  # all take the arguments of their base class; Adam describes them
        docs = _docs(_module(kind).Adam) | docs
    return Entry(
        kind=kind,
        name=name,
        identifiers=_identifiers(kind, name, described),
        summary=docstrings.summary(described.__doc__),
        arguments=tuple(
            _argument(
                kind,
                name,
                parameter,
                docs.get(argument) or docstrings.UNDOCUMENTED.get(argument, ""),
            )
            for argument, parameter in parameters.items()
            if argument not in reasons
        ),
        managed=reasons,
        inputs=_inputs(name) if kind == "layer" else "one",
        direction=_direction(kind, described),
    )


def _direction(kind: str, described: Any) -> str:
    """Which values are the better ones: losses are minimized, and a metric says it of itself."""
    if kind != "metric":
        return "down" if kind == "loss" else ""
    needed = [name for name, each in _parameters(described) if each.default is each.empty]
    return direction_of(described(**{name: VALUES[name] for name in needed})) or ""


def _inputs(name: str) -> str:
    if name in allowed.LIST_INPUTS:
        return "list"
    return "positional" if name in allowed.POSITIONAL_INPUTS else "one"


def _parameters(described: Any) -> Iterator[tuple[str, inspect.Parameter]]:
    """Yield the parameters of a class's constructor, or of an activation after its `x`."""
    import keras

    signature = inspect.signature(described.__init__ if inspect.isclass(described) else described)
    takes_keywords = False
    for name, parameter in list(signature.parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_keywords = True
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            yield name, parameter
    if takes_keywords and inspect.isclass(described) and issubclass(described, keras.layers.Layer):
        base = inspect.signature(keras.layers.Layer.__init__).parameters
        for name in ("name", "dtype", "trainable"):
            if name not in signature.parameters:
                yield name, base[name]


def _argument(kind: str, class_name: str, parameter: inspect.Parameter, doc: str) -> Argument:
    required = parameter.default is parameter.empty
    required |= (kind, class_name, parameter.name) in argument_rules.REQUIRED
    default = None if required else parameter.default
    schema = argument_rules.schema_of(
        kind, class_name, parameter.name, default=default, required=required
    )
    return Argument(parameter.name, schema, required=required, default=default, doc=doc)


def _docs(described: Any) -> dict[str, str]:
    """Return the arguments' descriptions; a class's own come before its base classes'."""
    docs: dict[str, str] = {}
    for owner in reversed(getattr(described, "__mro__", (described,))):
        docs |= docstrings.arguments(owner.__doc__)
    return docs


def _identifiers(kind: str, name: str, described: Any) -> tuple[str, ...]:
    """Return the other spellings: names that the module exports, strings that its `get` knows."""
    module = _module(kind)
    found = {other for other, value in vars(module).items() if value is described}
    get: Callable[[str], Any] | None = getattr(module, "get", None)
    if get is not None:
        candidates = {*allowed.ALIASES.get(kind, ()), name.lower(), _snake(name)}
        found |= {c for c in candidates if _names(get, c, described)}
    return tuple(sorted(found - {name, *allowed.RESOLVED_BY_COMPILE.get(kind, ())}))


def _names(get: Callable[[str], Any], identifier: str, described: Any) -> bool:
    """Whether Keras's `get` takes the identifier for this class, or for its plain function."""
    try:
        named = get(identifier)
    except (KeyError, TypeError, ValueError):  # unknown, or it cannot do without arguments
        return False
    if named is described or type(named) is described:
        return True
    if not inspect.isclass(described) or not inspect.isfunction(named):
        return False
    # A loss `mse` is the function behind the class: Keras gives both the same name in snake case.
    return named.__name__ in (_snake(described.__name__), described.__name__.lower())


def _snake(name: str) -> str:
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


if __name__ == "__main__":
    sys.exit(main())
