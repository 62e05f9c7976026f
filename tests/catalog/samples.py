"""Values that fit a schema of the catalog, and whether a value does: for tests only."""

from __future__ import annotations

from typing import Any

COMPONENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "activation": ("relu", {}),
    "cell": ("GRUCell", {"units": 2}),
    "constraint": ("MaxNorm", {}),
    "initializer": ("Ones", {}),
    "layer": ("Dense", {"units": 2}),
    "regularizer": ("L2", {}),
    "schedule": ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 9,
                                      "decay_rate": 0.5}),
}  # fmt: skip
"""What to construct where a schema asks for a nested component."""


def kind_of(schema: dict[str, Any]) -> str | None:
    reference = schema.get("$ref")
    return reference.removeprefix("#/$defs/") if reference else None


def alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return schema.get("anyOf", [schema])


def sample(schema: dict[str, Any], construct: Any) -> Any:
    """A value for a schema without `anyOf`, as near to the lower bound as it may be."""
    if kind := kind_of(schema):
        return construct(kind, *COMPONENTS[kind])
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "null":
            return None
        case "boolean":
            return True
        case "string":
            return "text"
        case "object":
            return {}
        case "integer":
            return schema.get("minimum", 1)
        case "number":
            low = schema.get("minimum", schema.get("exclusiveMinimum"))
            high = schema.get("maximum", schema.get("exclusiveMaximum", (low or 0) + 1))
            return (low + high) / 2 if low is not None else min(high, 0.5)
        case "array":
            items = alternatives(schema["items"])[0]
            length = schema.get("minItems", 1)
            return [sample(items, construct) for _ in range(length)]
    raise AssertionError(schema)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether plain data fits a schema; a nested component may be any text."""
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])
    if kind_of(schema):
        return isinstance(value, str)
    if "enum" in schema:
        return value in schema["enum"]
    if schema["type"] == "array":
        return (
            isinstance(value, list)
            and schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
            and all(fits(item, schema["items"]) for item in value)
        )
    if schema["type"] in ("integer", "number"):
        types = int if schema["type"] == "integer" else (int, float)
        return (
            isinstance(value, types)
            and not isinstance(value, bool)
            and schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and value > schema.get("exclusiveMinimum", value - 1)
            and value < schema.get("exclusiveMaximum", value + 1)
        )
    types_by_name = {"boolean": bool, "string": str, "null": type(None), "object": dict}
    return isinstance(value, types_by_name[schema["type"]])
