"""The definitions in a spec's JSON Schema: its sections, its components and their arguments.

Most are there once. What `cnnctl.specs.merge` lays over the same of a base, key by key, has a
looser form beside it (`Compile.change`, `optimizer.change`): a spec that `extends` another may
leave out keys of a section, and arguments of a component of the same class. A list is replaced as a
whole.
"""

from __future__ import annotations

import json
from typing import Any

from cnnctl.catalog import KINDS, Argument, Catalog, Entry
from cnnctl.catalog.schemas import Schema
from cnnctl.specs.schema import is_reference
from cnnctl.specs.sections import json_schema

_EXTENDS: Schema = {
    "type": "string",
    "description": "Another spec, which this one changes; relative to this file.",
}
_INPUTS: Schema = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "description": "Names of the layers that feed it; `input` is the network's input.\n"
    "Default: the layer before it",
}


def reference(name: str) -> Schema:
    """Return a reference to a definition."""
    return {"$ref": f"#/definitions/{name}"}


def _json_of_any(value: Any) -> str | None:
    """JSON text of a plug-in's default; None where JSON has no such value (infinity, an object)."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return None


class Definitions:
    """The schema's definitions, each made when something first refers to it."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.definitions: dict[str, Schema] = {}
        frame = json_schema()
        self.sections: dict[str, Schema] = {**frame.pop("$defs"), "Document": frame}

    def section(self, name: str, *, loose: bool) -> Schema:
        """A reference to a section; `loose` where a base may have the rest of it."""
        key = f"{name}.change" if loose else name
        if key not in self.definitions:
            self.definitions[key] = made = self._converted(self.sections[name], loose=loose)
            if name == "Document":
                made["properties"]["extends"] = _EXTENDS
                if not loose:
                    made["required"].remove("name")  # it is the file's by default
        return reference(key)

    def component(self, kind: str, *, loose: bool) -> Schema:
        """A reference to what a component of a kind may be: a bare word, or name and arguments."""
        loose = loose and self._loosens(kind, frozenset())
        key = f"{kind}.change" if loose else kind
        if key not in self.definitions:
            self.definitions[key] = {}  # its arguments may refer to it
            self.definitions[key] = self._any_of(kind, loose=loose)
        return reference(key)

    def _any_of(self, kind: str, *, loose: bool) -> Schema:
        words: list[str] = []
        summaries: list[str] = []
        names: dict[str, Schema] = {}
        for spelling, entry in self._spellings(kind).items():
            if not any(each.required for each in entry.arguments):
                words.append(spelling)
                summaries.append(entry.summary)
            names[spelling] = self._entry(entry, kind, loose=loose)
        word: Schema = {"type": "string", "enum": words, "enumDescriptions": summaries}
        arguments = {
            "type": "object",
            "properties": names,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
        return {"anyOf": [word, arguments] if words else [arguments]}

    def _spellings(self, kind: str) -> dict[str, Entry]:
        """Every spelling of a kind: names first, then identifiers and aliases."""
        found: dict[str, Entry] = {}
        kinds = ("layer", "block") if kind == "layer" else (kind,)
        for each in kinds:
            names = self.catalog.names(each)
            for spelling in (*names, *self.catalog.identifiers(each)):
                entry = self.catalog.find(each, spelling)
                assert entry is not None
                found.setdefault(spelling, entry)
        return found

    def _entry(self, entry: Entry, kind: str, *, loose: bool) -> Schema:
        """A reference to the arguments of an entry that stands where a `kind` is wanted."""
        required = [each.name for each in entry.arguments if each.required]
        refers = any(self._loosens(each, frozenset()) for each in _merged_kinds(entry))
        loose = loose and bool(required or refers)
        key = f"{entry.kind}.{entry.name}{'.change' if loose else ''}"
        if key not in self.definitions:
            properties = {each.name: self._argument(each, loose=loose) for each in entry.arguments}
            if kind == "layer":
                properties["inputs"] = _INPUTS
            self.definitions[key] = {
                # `Conv2D:` with nothing after it is Conv2D without arguments.
                "type": "object" if required else ["object", "null"],
                "description": entry.summary,
                "properties": properties,
                "additionalProperties": False,
                **({"required": required} if required and not loose else {}),
            }
        return reference(key)

    def _argument(self, argument: Argument, *, loose: bool) -> Schema:
        schema = self._converted(argument.schema, loose=loose)
        if argument.required:
            return {**schema, "description": argument.doc}
        default = argument.default
        shown = default if isinstance(default, str) else _json_of_any(default)
        # Editors show the description, and few of them the default.
        described = {
            **schema,
            "description": f"{argument.doc}\nDefault: {shown or default}".strip(),
        }
        return described if shown is None else {**described, "default": default}

    def _converted(self, schema: Schema, *, loose: bool) -> Schema:
        """A schema of the sections or of the catalog, with its references as they are here."""
        made: Schema = {}
        for key, value in schema.items():
            if target := is_reference({key: value}):
                place = self.component if target in KINDS else self.section
                made.update(place(target, loose=loose))
            elif key == "properties":
                made[key] = {
                    name: self._converted(each, loose=loose) for name, each in value.items()
                }
            elif key == "anyOf":
                made[key] = [self._converted(each, loose=loose) for each in value]
            elif key == "items":
                made[key] = self._converted(value, loose=False)  # a list is replaced as a whole
            elif key == "required":
                made.update({} if loose else {key: list(value)})
            elif key not in {"title", "takes"} and (key, value) != ("default", None):
                made[key] = value
        return made

    def _loosens(self, kind: str, above: frozenset[str]) -> bool:
        """Whether a component of the kind, merged with a base's, may lack something."""
        if kind in above:
            return False
        entries = self._spellings(kind).values()
        return any(
            any(argument.required for argument in entry.arguments)
            or any(self._loosens(each, above | {kind}) for each in _merged_kinds(entry))
            for entry in entries
        )


def _merged_kinds(entry: Entry) -> set[str]:
    """The kinds of components that are values of an entry's arguments, and not in a list."""
    found = set()
    for argument in entry.arguments:
        for schema in argument.schema.get("anyOf", [argument.schema]):
            if kind := is_reference(schema):
                found.add(kind)
    return found
