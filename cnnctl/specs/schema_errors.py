"""One of pydantic's errors, told in the words and places of a spec."""

from __future__ import annotations

import re
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cnnctl.catalog.migration_hints import KEYS, Advice
from cnnctl.catalog.suggest import loosen, nearest
from cnnctl.errors import Diagnostic
from cnnctl.specs.checker import Checker
from cnnctl.specs.nodes import Mapping, Node, Scalar, Sequence, describe, plain, shortened
from cnnctl.specs.schema import takes
from cnnctl.specs.sections import NAME_LENGTH, Document, Section, json_schema


def name_of(text: str) -> str:
    """A spec's name made of any text: what no name may have is replaced by `_`."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", text).lstrip("_.-")
    return name[:NAME_LENGTH] or "spec"


def _arguments(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that a field holds, if it holds one."""
    for each in _arguments(field.annotation):
        if isinstance(each, type) and issubclass(each, Section):
            return each
    return None


class SchemaError:
    """One of pydantic's errors.

    Args:
        detail: As pydantic has it.
        tree: The document.
        checker: Knows what fits, for fixes.
    """

    def __init__(self, detail: ErrorDetails, tree: Mapping, checker: Checker) -> None:
        self.type = detail["type"]
        self.checker = checker
        self.node = cast("Node", tree)
        self.place = tree.location
        self.parent: Mapping = tree
        self.section: type[Section] = Document
        self.field: FieldInfo | None = None
        self.path: list[str] = []
        for part in detail["loc"]:
            if isinstance(self.node, Mapping) and isinstance(part, str):
                if self.type == "missing" and part not in self.node.items:
                    self.path.append(part)
                    break
                if part not in self.node.items:
                    break  # the name of a union's branch
                self._enter(part)
            elif isinstance(self.node, Sequence) and isinstance(part, int):
                self.node = self.node.items[part]
                self.place = self.node.location
            else:
                break

    def _enter(self, key: str) -> None:
        assert isinstance(self.node, Mapping)
        if self.field is not None and (inner := section_of(self.field)):
            self.section = inner
        self.parent = self.node
        self.path.append(key)
        self.field = self.section.model_fields.get(key)
        self.place = self.node.keys.get(key, self.node.location)
        self.node = self.node.items[key]

    @property
    def key(self) -> str:
        """The last key on the way to the error: the one wrong, or the missing one."""
        return self.path[-1] if self.path else ""

    @property
    def dotted(self) -> str:
        """The keys on the way to the error: `fit.epochs`."""
        return ".".join(self.path)

    @property
    def is_missing(self) -> bool:
        """Whether a key is missing."""
        return self.type == "missing"

    @property
    def is_unknown(self) -> bool:
        """Whether it is a key that the section does not have."""
        return self.type == "extra_forbidden"

    @property
    def is_empty(self) -> bool:
        """Whether it is a section that holds nothing."""
        inner = section_of(self.field) if self.field else None
        return bool(inner and isinstance(self.node, Scalar) and self.node.value is None)

    def is_outside(self) -> bool:
        """Whether it is a key beside the empty section to which it belongs."""
        section = self.parent.items.get(self.advice().meant or "")
        return isinstance(section, Scalar) and section.value is None

    def leaves_open(self) -> set[str]:
        """The dotted keys of what may have been meant by an unknown key: not missing, then."""
        meant = self.advice().meant if self.is_unknown else None
        return {meant} if meant else set()

    def inside(self) -> type[Section]:
        """The section in which a missing key is missing."""
        return (section_of(self.field) if self.field else None) or self.section

    def diagnostic(self) -> Diagnostic:
        """What to report."""
        if self.is_missing:
            return self._missing()
        if self.is_unknown:
            return self._unknown()
        inner = section_of(self.field) if self.field else None
        if inner:
            expected = f"a mapping of {', '.join(inner.model_fields)}"
        else:
            expected = takes(self._schema())
        message = f"`{self.key}` takes {expected}, not {describe(self.node)}"
        return Diagnostic("wrong-value", message, self.node.location, self._fix(inner))

    def _fix(self, inner: type[Section] | None) -> str | None:
        value = plain(self.node)
        if inner:
            colon = isinstance(value, str) and re.fullmatch(r"(\w+):(\S+)", value)
            if colon and colon[1] in inner.model_fields:
                return f"put a space after the colon: `{colon[1]}: {colon[2]}`"
            if value is None:
                return f"remove `{self.key}:`, or write its keys below it"
            key = {("data", "str"): "dataset", ("model", "list"): "layers"}.get(
                (self.key, type(value).__name__)
            )
            return f"write it below `{key}:`" if key else None
        schema = self._schema()
        if schema.get("type") == "array" and isinstance(value, dict) and any(value.values()):
            return f"put `- ` before `{next(iter(value))}`, and before each that follows"
        whole = self.parent.items[self.key]  # of a list, where an item is wrong
        return self.checker.fix(whole, schema) or self._fixed_name(value) or self._least(schema)

    def _least(self, schema: dict[str, Any]) -> str | None:
        """The smallest whole number that is taken, where the value is a smaller one."""
        value = plain(self.node)
        for branch in schema.get("anyOf", [schema]):
            least = branch.get("minimum")
            whole = branch.get("type") == "integer" and type(value) is int
            if whole and least is not None and value < least:
                return f"write `{self.key}: {least}`, or more"
        return None

    def _fixed_name(self, value: Any) -> str | None:
        """A name that can be a folder's, made of one that cannot."""
        if (self.section, self.key) != (Document, "name") or not isinstance(value, str):
            return None
        return f"write `{name_of(value)}`"

    def _missing(self) -> Diagnostic:
        section = self.inside()
        where = f"`{self.key}` is missing"
        note = (section.model_fields[self.key].description or "").splitlines()
        if section is not Document:
            where += f" in `{section.__name__.lower()}`"
        return Diagnostic("missing-key", where, self.place, f"add `{self.key}:`", tuple(note[:1]))

    def _unknown(self) -> Diagnostic:
        label = "" if self.section is Document else f" in `{self.section.__name__.lower()}`"
        message = f"unknown key `{shortened(self.key)}`{label}"
        if self.is_outside():
            hint = f"indent it below `{self.advice().meant}:`"
            return Diagnostic("unknown-key", message, self.place, hint)
        if hint := self.advice().hint:
            return Diagnostic("unknown-key", message, self.place, hint)
        note = f"available: {', '.join(self.section.model_fields)}"
        return Diagnostic("unknown-key", message, self.place, None, (note,))

    def advice(self) -> Advice:
        """What to do about an unknown key; without a hint if nothing is known."""
        if self.key == "extends":
            if self.section is Document:
                return Advice("no flag changes it: name that spec, or write it into the file")
            return Advice(f"it belongs at the top, beside `{self.path[0]}`", "extends")
        known = list(self.section.model_fields)
        if told := KEYS[self.section.__name__].get(loosen(self.key)):
            return told
        for name, field in Document.model_fields.items():
            inner = section_of(field)
            if inner and self.key in inner.model_fields:
                return Advice(f"it belongs in `{name}`", name)
        if self.key in Document.model_fields:
            return Advice(f"it belongs at the top, beside `{self.path[0]}`", self.key)
        known += ["extends"] if self.section is Document else []
        if close := nearest(self.key, known):
            return Advice(f"did you mean `{close}`?", ".".join([*self.path[:-1], close]))
        return Advice("")

    def _schema(self) -> dict[str, Any]:
        document = json_schema()
        if self.section is not Document:
            document = document["$defs"][self.section.__name__]
        schema: dict[str, Any] = document["properties"].get(self.key, {})
        return schema
