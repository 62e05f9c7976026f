"""The JSON Schema of a spec, so that an editor completes and checks it.

It is made of the typed sections and the catalog, plug-ins included, and says what `validate` says
of a spec, its words and values; contradictions and shapes are for `cnnctl check`. Draft 7 is what
every version of the YAML language server reads.

A spec that `extends` another may leave out what the other has, so there are two documents in the
schema; see `cnnctl.specs.json_definitions`.

Two things are beyond JSON Schema, and only `validate` sees them: to JSON `1.0` is an integer, and
`.nan` and `.inf` are no values at all.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib.metadata import version
from typing import Any

from cnnctl import catalog as catalogs
from cnnctl.catalog import Catalog
from cnnctl.catalog.schemas import Schema
from cnnctl.specs.json_definitions import Definitions, reference

IDENTITY = "urn:cnnctl:spec"
"""The schema's `$id`, by which cnnctl knows a file of its own."""


def spec_schema(catalog: Catalog | None = None) -> Schema:
    """Return the JSON Schema of a spec.

    Args:
        catalog: What names there are; by default the loaded catalog, and the plug-ins that are
            installed.
    """
    if catalog is not None and not isinstance(catalog, Catalog):
        raise TypeError(f"`catalog` takes a catalog, not {type(catalog).__name__}")
    catalog = catalog or catalogs.load()
    catalog.complete()
    made = Definitions(catalog)
    change = made.section("Document", loose=True)
    whole = made.section("Document", loose=False)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": IDENTITY,
        "$comment": f"made by cnnctl {version('cnnctl')}",
        "if": {"required": ["extends"]},
        "then": change,
        "else": whole,
        "definitions": dict(sorted(_shared(made.definitions).items())),
    }


def schema_text(schema: Schema) -> str:
    """Return a schema as JSON text with a line for each definition."""
    head = {key: value for key, value in schema.items() if key != "definitions"}
    lines = [f"{_json(key)}: {_json(value)}" for key, value in head.items()]
    named = [f"{_json(name)}: {_json(value)}" for name, value in schema["definitions"].items()]
    body = '"definitions": {\n' + ",\n".join(named) + "\n}"
    return "{\n" + ",\n".join([*lines, body]) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shared(definitions: dict[str, Schema]) -> dict[str, Schema]:
    """The definitions with each argument that several entries have alike in one of its own."""
    counts = Counter(
        (name, _json(schema))
        for definition in definitions.values()
        for name, schema in definition.get("properties", {}).items()
    )
    variants: dict[str, list[str]] = {}
    for name, text in (each for each, count in counts.items() if count > 1):
        variants.setdefault(name, []).append(text)
    found: dict[str, Schema] = {}

    def place(name: str, schema: Schema) -> Schema:
        text = _json(schema)
        if text not in variants.get(name, ()):
            return schema
        number = variants[name].index(text) + 1
        key = f"{name}.{number}"
        found[key] = schema
        return reference(key)

    for key, definition in definitions.items():
        found[key] = definition
        if "properties" in definition:
            properties = {n: place(n, s) for n, s in definition["properties"].items()}
            found[key] = {**definition, "properties": properties}
    return found
