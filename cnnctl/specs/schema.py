"""The part of JSON Schema in which the catalog says what an argument takes.

`type`, `enum`, `minimum`, `exclusiveMinimum`, `maximum`, `exclusiveMaximum`, `anyOf`, `items`,
`minItems`, `maxItems`; in the sections `const`, `pattern` and `maxLength` as well; and `$ref` to a
kind of component: `{"$ref": "#/$defs/initializer"}`.
"""

from __future__ import annotations

import math
import re
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "string": str,
    "null": type(None),
}

_NOUNS = {
    "integer": ("an integer", "integers"),
    "number": ("a number", "numbers"),
    "boolean": ("true or false", "booleans"),
    "string": ("text", "texts"),
    "null": ("null", "nulls"),
    "array": ("a list", "lists"),
    "object": ("a mapping", "mappings"),
}

_REFERENCE = "#/$defs/"


def is_reference(schema: dict[str, Any]) -> str | None:
    """The kind of component that a schema refers to, if it does."""
    target = schema.get("$ref")
    return target.removeprefix(_REFERENCE) if isinstance(target, str) else None


def fits_scalar(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a plain value fits a schema without parts; true is no number, 1.0 no integer."""
    if (named := one_of(schema)) is not None:
        return any(type(value) is type(each) and value == each for each in named)
    expected = schema.get("type")
    if expected is None:
        return True
    kind = _TYPES.get(expected)
    if kind is None or not isinstance(value, kind):
        return False
    if isinstance(value, bool):
        return bool(expected == "boolean")
    if isinstance(value, int | float):
        return math.isfinite(value) and _in_range(value, schema)
    if isinstance(value, str):
        fits = re.search(schema.get("pattern", ""), value) is not None
        return fits and len(value) <= schema.get("maxLength", math.inf)
    return True


def one_of(schema: dict[str, Any]) -> list[Any] | None:
    """The values that a schema lists (`enum`, or `const` for one), or None if it lists none."""
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _in_range(value: float, schema: dict[str, Any]) -> bool:
    return bool(
        value >= schema.get("minimum", -math.inf)
        and value <= schema.get("maximum", math.inf)
        and not value <= schema.get("exclusiveMinimum", -math.inf)
        and not value >= schema.get("exclusiveMaximum", math.inf)
    )


def takes(schema: dict[str, Any]) -> str:
    """What a schema accepts, in words: `an integer of at least 1, or 2 integers of at least 1`."""
    if "takes" in schema:
        return str(schema["takes"])
    if "anyOf" in schema:
        words = [takes(each) for each in schema["anyOf"] if each.get("type") != "null"]
        words += ["null"] * any(each.get("type") == "null" for each in schema["anyOf"])
        words = list(dict.fromkeys(words))
        if any("," in word for word in words[:-1]) or any(" of at " in w for w in words[:-1]):
            return ", or ".join(words)
        return " or ".join(words)
    if kind := is_reference(schema):
        return articles(kind)
    if (named := one_of(schema)) is not None:
        choices = ["null" if each is None else str(each) for each in named]
        return choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"
    if schema.get("type") == "array":
        return _list(schema)
    noun = _NOUNS.get(schema.get("type", ""), ("a value", "values"))[0]
    return noun + _bounds(schema)


def _list(schema: dict[str, Any]) -> str:
    items = schema.get("items", {})
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    if low == high:
        count = f"{low} "
    elif high is not None:
        count = f"{low} to {high} "
    else:
        count = f"at least {low} " if low > 1 else ""
    if kind := is_reference(items):
        noun = kind.replace("_", " ") + "s"
    else:
        noun = _NOUNS.get(items.get("type", ""), ("", "values"))[1] + _bounds(items)
    return f"{count}{noun}" if low and low == high else f"a list of {count}{noun}"


def _bounds(schema: dict[str, Any]) -> str:
    words = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "of at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "of at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return " " + " and ".join(words) if words else ""


def articles(kind: str) -> str:
    """A kind of component with its article: an initializer, a layer."""
    noun = {"dataset": "data set", "rate_schedule": "schedule"}.get(kind, kind)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
