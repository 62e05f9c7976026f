"""The type of each Keras argument, which Keras itself states only in prose.

A rule is found by class and argument, then by argument within the kind, then by the ending of
the argument's name. Null is added where Keras's default is None, so a rule says it only where
null is allowed beside another default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cnnctl.catalog import rules_by_class, rules_by_name
from cnnctl.catalog.schemas import Schema, optional, ref

_ENDINGS = {
    "_constraint": ref("constraint"),
    "_initializer": ref("initializer"),
    "_regularizer": ref("regularizer"),
}

_RANK = re.compile(r"([123])D")

REQUIRED = frozenset({("layer", "Normalization", "mean"), ("layer", "Normalization", "variance")})
"""Arguments that Keras can do without, after a call that a spec cannot make (`adapt`)."""


def schema_of(kind: str, class_name: str, argument: str, *, default: Any, required: bool) -> Schema:
    """Return the schema of one argument.

    Args:
        kind: The class's kind, `layer` for example.
        class_name: The class's name; its rank (`Conv2D`: 2) is read from it.
        argument: The argument's name.
        default: Keras's default; None admits null.
        required: Whether there is no default.

    Raises:
        KeyError: There is no rule; write one.
    """
    schema = _find(kind, class_name, argument)
    if schema is None:
        raise KeyError(f"no rule for the {kind} argument {class_name}.{argument}")
    return optional(schema) if default is None and not required else schema


def _find(kind: str, class_name: str, argument: str) -> Schema | None:
    name_kind = "layer" if kind == "cell" else kind
    rank = _RANK.search(class_name)
    tables: tuple[Mapping[Any, Schema | Callable[[int], Schema]], ...] = (
        rules_by_class.RULES.get(name_kind, {}).get(class_name, {}),
        rules_by_name.RANKED.get(name_kind, {}) if rank else {},
        rules_by_name.RULES.get(name_kind, {}),
        rules_by_name.ANY_KIND,
    )
    for table in tables:
        rule = table.get(argument)
        if callable(rule):
            return rule(int(rank[1]) if rank else 2)
        if rule is not None:
            return rule
    return next((s for ending, s in _ENDINGS.items() if argument.endswith(ending)), None)
