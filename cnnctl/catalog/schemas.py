"""The vocabulary of argument schemas: a small part of JSON Schema, made by functions.

Only these keywords occur, so that an editor can use the schemas as they are and cnnctl's own
checker stays small: `type`, `enum`, `minimum`, `exclusiveMinimum`, `maximum`,
`exclusiveMaximum`, `anyOf`, `items`, `minItems`, `maxItems`, and `$ref` for a nested component.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

BOOLEAN: Schema = {"type": "boolean"}
STRING: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
NULL: Schema = {"type": "null"}


def integer(minimum: int | None = None, maximum: int | None = None) -> Schema:
    """Return the schema of a whole number between two bounds, both included."""
    return _bounded("integer", minimum=minimum, maximum=maximum)


def number(
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
) -> Schema:
    """Return the schema of a number: `minimum`, `maximum` included, `above`, `below` excluded."""
    return _bounded(
        "number",
        minimum=minimum,
        exclusiveMinimum=above,
        maximum=maximum,
        exclusiveMaximum=below,
    )


def choice(*values: str | int | None) -> Schema:
    """Return the schema of one of the given values (or None)."""
    return {"enum": list(values)}


def array(items: Schema, length: int | None = None, *, minimum: int | None = None) -> Schema:
    """Return the schema of a list of exactly `length`, or at least `minimum`, equal items."""
    schema: Schema = {"type": "array", "items": items}
    if length is not None:
        schema.update(minItems=length, maxItems=length)
    if minimum is not None:
        schema["minItems"] = minimum
    return schema


def either(*schemas: Schema) -> Schema:
    """Return the schema of what fits one of the given ones; nested unions become one."""
    flat = [part for schema in schemas for part in schema.get("anyOf", [schema])]
    return {"anyOf": flat}


def optional(schema: Schema) -> Schema:
    """Return the schema with null allowed as well."""
    if "enum" in schema:
        return schema if None in schema["enum"] else {"enum": [*schema["enum"], None]}
    if NULL in schema.get("anyOf", [schema]):
        return schema
    return either(schema, NULL)


def ref(kind: str) -> Schema:
    """Return the schema of a nested component: `ref("activation")`."""
    return {"$ref": f"#/$defs/{kind}"}


def sizes(rank: int, minimum: int = 1) -> Schema:
    """Return the schema of one whole number for all axes, or of one for each of `rank` axes."""
    return either(integer(minimum), array(integer(minimum), rank))


def factor(minimum: float, maximum: float) -> Schema:
    """Return the schema of a strength, or of a pair between which it is drawn."""
    return either(number(minimum, maximum), array(number(minimum, maximum), 2))


def _bounded(type_name: str, **bounds: float | None) -> Schema:
    given = {keyword: bound for keyword, bound in bounds.items() if bound is not None}
    return {"type": type_name, **given}


COUNT = integer(1)
FRACTION = number(0, 1)
POSITIVE = number(above=0)
NOT_NEGATIVE = number(0)
AXES = either(integer(), array(integer(), minimum=1))
STRENGTH = factor(0, 1)
"""What several arguments take."""
