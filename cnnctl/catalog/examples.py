"""An example of each name in its place of a spec: `- Conv2D: {filters: 32, kernel_size: 3}`.

What the tables in `example_values` do not name, or name for another use (a plug-in may call
anything `rate`), is given the least that the argument's schema allows.
"""

from __future__ import annotations

import json
import re
from typing import Any

from cnnctl.catalog.entry import Argument, Entry
from cnnctl.catalog.example_values import NESTED, PLACES, PLACES_BY_NAME, SHOWN, VALUES
from cnnctl.catalog.schemas import Schema


def example(entry: Entry) -> str:
    """Return a line of YAML that shows an entry in its place of a spec."""
    arguments = _arguments(entry)
    if entry.kind in {"layer", "block"}:
        return f"- {entry.name}: {_flow(arguments)}" if arguments else f"- {entry.name}"
    component = {entry.name: arguments} if arguments else _word(entry)
    place = PLACES_BY_NAME.get(entry.name, PLACES[entry.kind])
    return place.format(_flow(component))


def _arguments(entry: Entry) -> dict[str, Any]:
    shown = SHOWN.get(entry.kind, {}).get(entry.name, {})
    found = {
        argument.name: shown.get(argument.name, _value(argument))
        for argument in entry.arguments
        if argument.required or argument.name in shown
    }
    rate = entry.argument("learning_rate")
    if entry.kind == "optimizer" and rate is not None and not rate.required:
        found = {"learning_rate": rate.default, **found}
    if entry.argument("value_range"):
        found["value_range"] = [0, 1]  # of pictures normalized by `unit`; Keras expects 0 to 255
    if entry.inputs != "one":
        # Names of layers above: such a layer takes several.
        found["inputs"] = ["query", "value"] if "ttention" in entry.name else ["left", "right"]
    return found


def _value(argument: Argument) -> Any:
    value = VALUES.get(argument.name)
    return value if _suits(value, argument.schema) else _least(argument.schema)


def _suits(value: Any, schema: Schema) -> bool:
    """Whether a value of the tables may be what a schema takes."""
    if "anyOf" in schema:
        return any(_suits(value, each) for each in schema["anyOf"])
    if "$ref" in schema:
        return isinstance(value, str | dict)
    match schema.get("type"):
        case "integer" | "number" as kind:
            return isinstance(value, int if kind == "integer" else (int, float)) and (
                schema.get("minimum", value) <= value <= schema.get("maximum", value)
                and schema.get("exclusiveMinimum", value - 1) < value
                and value < schema.get("exclusiveMaximum", value + 1)
            )
        case "array":
            return isinstance(value, list) and (
                schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
                and all(_suits(each, schema.get("items", {})) for each in value)
            )
        case "string":
            return isinstance(value, str)
    return value is not None and not schema.keys() & {"type", "enum"}


def _least(schema: Schema) -> Any:
    """The least value that fits a schema: what a plug-in's argument is shown with."""
    if "anyOf" in schema:
        return _least(schema["anyOf"][0])
    if "$ref" in schema:
        return NESTED[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "null":
            return None
        case "boolean":
            return True
        case "integer" | "number":
            return _least_number(schema)
        case "array":
            return [_least(schema.get("items", {}))] * schema.get("minItems", 1)
        case "object":
            return {}
    return "text"


def _least_number(schema: Schema) -> Any:
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    for bound in ("minimum", "maximum"):
        if bound in schema:
            return schema[bound]
    if above is not None and below is not None and schema["type"] == "number":
        return (above + below) / 2
    if above is not None:
        return above + 1
    return 1 if below is None else below - 1


def _word(entry: Entry) -> str:
    """The bare word for an entry, in the spelling that Keras's own examples have."""
    if entry.name.islower():
        return entry.name
    return max((each for each in entry.identifiers if each.islower()), key=len, default=entry.name)


_PLAIN = re.compile(r"(?!(?:true|false|null)\Z)[A-Za-z_][\w./-]*", re.IGNORECASE | re.ASCII)


def _flow(value: Any) -> str:
    """A value as YAML writes it within a line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)
