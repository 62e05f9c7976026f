"""A merged tree to a typed document, with every fault on the way collected."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, cast, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cnnctl.catalog import Catalog
from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic
from cnnctl.spec.components import Checker
from cnnctl.spec.nodes import Mapping, Node, Sequence, describe, plain
from cnnctl.spec.schema import takes
from cnnctl.spec.sections import Document, Kind, Section, json_schema


class Validated(NamedTuple):
    """What comes of a tree.

    Args:
        document: The document, without what is at fault: a wrong value is left to its default, a
            section that lacks something is left out. None if nothing can be made of it.
        found: The faults.
        doubtful: The dotted keys of what was left out: `data.validation`, `compile`.
    """

    document: Document | None
    found: list[Diagnostic]
    doubtful: frozenset[str] = frozenset()


def validate(tree: Node, default_name: str, catalog: Catalog) -> Validated:
    """Check a tree against the sections and the catalog.

    Args:
        tree: The document after `extends` and overrides.
        default_name: The spec's name where it gives none.
        catalog: What names there are.
    """
    if not isinstance(tree, Mapping):
        hint = "it starts with `model:` and its `layers:`"
        message = f"a spec is a mapping of sections, not {describe(tree)}"
        return Validated(None, [Diagnostic("wrong-type", message, tree.location, hint)])
    checker = Checker(catalog)
    values = {"name": default_name, **_section(tree, Document, checker)}
    try:
        return Validated(Document.model_validate(values), checker.found)
    except ValidationError as error:
        checker.found += _told(error, tree)
        document, doubtful = _without_faults(values, error)
    return Validated(document, checker.found, frozenset(doubtful))


def _told(error: ValidationError, tree: Mapping) -> Iterator[Diagnostic]:
    """Pydantic's errors in the words of the spec: one for a union, not one for each branch of it,
    and one for a misspelled key, not another for the key that is missing."""
    faults = [_Fault(detail, tree) for detail in error.errors()]
    meant = {(fault.section, fault.meant()) for fault in faults if fault.is_unknown}
    seen = set()
    for fault in faults:
        if fault.is_missing and (fault.inside(), fault.key) in meant:
            continue
        diagnostic = fault.diagnostic()
        if (diagnostic.rule, diagnostic.location) not in seen:
            seen.add((diagnostic.rule, diagnostic.location))
            yield diagnostic


def _without_faults(
    values: dict[str, Any], error: ValidationError
) -> tuple[Document | None, set[str]]:
    """The document that is left without what is wrong, and the dotted keys of that."""
    doubtful: set[str] = set()
    while True:
        removed = [_remove(values, detail) for detail in error.errors()]
        if not any(removed):
            return None, doubtful
        doubtful.update(*removed)
        try:
            return Document.model_validate(values), doubtful
        except ValidationError as another:
            error = another


def _remove(values: dict[str, Any], detail: ErrorDetails) -> set[str]:
    """Remove a wrong value, or the section that lacks one; returns its dotted key, and that of the
    key that was probably meant."""
    path: list[str] = []
    within, at = values, values
    for part in detail["loc"]:
        if not (isinstance(at, dict) and isinstance(part, str) and part in at):
            break
        within, at = at, at[part]
        path.append(part)
    if not path:
        return set()
    del within[path[-1]]
    keys = {".".join(path)}
    if detail["type"] == "extra_forbidden":
        section: type[Section] = Document
        for part in path[:-1]:
            section = _section_of(section.model_fields[part]) or section
        if close := nearest(path[-1], list(section.model_fields)):
            keys.add(".".join([*path[:-1], close]))
    return keys


def _section(node: Mapping, section: type[Section], checker: Checker) -> dict[str, Any]:
    """Plain values, with components where the section's fields hold them."""
    values: dict[str, Any] = {}
    for key, child in node.items.items():
        field = section.model_fields.get(key)
        inner = field and _section_of(field)
        kind = field and _kind_of(field)
        if inner and isinstance(child, Mapping):
            values[key] = _section(child, inner, checker)
        elif kind and kind[1] and isinstance(child, Sequence):
            values[key] = [checker.component(item, kind[0]) for item in child.items]
        elif kind and not kind[1]:
            values[key] = checker.component(child, kind[0])
        else:
            values[key] = plain(child)
    return values


def _arguments(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def _section_of(field: FieldInfo) -> type[Section] | None:
    for each in _arguments(field.annotation):
        if isinstance(each, type) and issubclass(each, Section):
            return each
    return None


def _kind_of(field: FieldInfo) -> tuple[str, bool] | None:
    """The kind of component that a field holds, and whether it is a list of them."""
    for each in field.metadata:
        if isinstance(each, Kind):
            return each.name, False
    if get_origin(field.annotation) is list:
        (item,) = get_args(field.annotation)
        if get_origin(item) is Annotated:
            for each in item.__metadata__:
                if isinstance(each, Kind):
                    return each.name, True
    return None


class _Fault:
    """One of pydantic's errors, told in the words and places of the spec."""

    def __init__(self, detail: ErrorDetails, tree: Mapping) -> None:
        self.type = detail["type"]
        self.node = cast("Node", tree)
        self.place = tree.location
        self.parent: Mapping = tree
        self.section: type[Section] = Document
        self.field: FieldInfo | None = None
        self.key = ""
        for part in detail["loc"]:
            if isinstance(self.node, Mapping) and isinstance(part, str):
                if self.type == "missing" and part not in self.node.items:
                    self.key = part
                    break
                if part not in self.node.items:
                    break  # the name of a union's branch
                self.enter(part)
            elif isinstance(self.node, Sequence) and isinstance(part, int):
                self.node = self.node.items[part]
                self.place = self.node.location
            else:
                break

    def enter(self, key: str) -> None:
        assert isinstance(self.node, Mapping)
        if self.field is not None and (inner := _section_of(self.field)):
            self.section = inner
        self.parent, self.key = self.node, key
        self.field = self.section.model_fields.get(key)
        self.place = self.node.keys.get(key, self.node.location)
        self.node = self.node.items[key]

    @property
    def is_missing(self) -> bool:
        return self.type == "missing"

    @property
    def is_unknown(self) -> bool:
        return self.type == "extra_forbidden"

    def meant(self) -> str | None:
        """The key that an unknown one was probably meant to be."""
        return nearest(self.key, list(self.section.model_fields))

    def inside(self) -> type[Section]:
        """The section in which a missing key is missing."""
        return (_section_of(self.field) if self.field else None) or self.section

    def diagnostic(self) -> Diagnostic:
        if self.is_missing:
            return self.missing()
        if self.is_unknown:
            return self.unknown()
        inner = _section_of(self.field) if self.field else None
        if inner:
            expected = f"a mapping of {', '.join(inner.model_fields)}"
        else:
            expected = takes(self.schema())
        message = f"`{self.key}` takes {expected}, not {describe(self.node)}"
        hint = None
        if isinstance(value := plain(self.node), str):
            close = nearest(value, [str(v) for v in _choices(self.schema())])
            hint = f"did you mean `{close}`?" if close else None
        return Diagnostic("wrong-value", message, self.node.location, hint)

    def missing(self) -> Diagnostic:
        section = self.inside()
        where = f"`{self.key}` is missing"
        note = (section.model_fields[self.key].description or "").splitlines()
        if section is not Document:
            where += f" in `{section.__name__.lower()}`"
        return Diagnostic("missing-key", where, self.place, f"add `{self.key}:`", tuple(note[:1]))

    def unknown(self) -> Diagnostic:
        known = list(self.section.model_fields)
        label = "" if self.section is Document else f" in `{self.section.__name__.lower()}`"
        message = f"unknown key `{self.key}`{label}"
        if close := self.meant():
            return Diagnostic("unknown-key", message, self.place, f"did you mean `{close}`?")
        for name, field in Document.model_fields.items():
            inner = _section_of(field)
            if inner and self.key in inner.model_fields:
                hint = f"it belongs in `{name}`"
                return Diagnostic("unknown-key", message, self.place, hint)
        note = f"available: {', '.join(known)}"
        return Diagnostic("unknown-key", message, self.place, None, (note,))

    def schema(self) -> dict[str, Any]:
        document = json_schema()
        if self.section is not Document:
            document = document["$defs"][self.section.__name__]
        schema: dict[str, Any] = document["properties"].get(self.key, {})
        return schema


def _choices(schema: dict[str, Any]) -> list[Any]:
    choices = list(schema.get("enum", []))
    for each in schema.get("anyOf", []):
        choices += _choices(each)
    return choices
