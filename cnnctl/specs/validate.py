"""A merged tree to a typed document, with every error on the way collected."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cnnctl.catalog import Catalog
from cnnctl.errors import Diagnostic
from cnnctl.specs.checker import MAX_ERRORS, Checker, TooManyErrors
from cnnctl.specs.nodes import Mapping, Node, Sequence, describe, plain
from cnnctl.specs.schema_errors import SchemaError, section_of
from cnnctl.specs.sections import SECTION_OF, Document, Kind, Section


class Validated(NamedTuple):
    """What comes of a tree.

    Args:
        document: The document, without what is wrong: a wrong value is left to its default, a
            section that lacks something is left out. None if nothing can be made of it.
        found: The errors.
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
    checker = Checker(catalog, SECTION_OF)
    try:
        values = {"name": default_name, **_section(tree, Document, checker)}
    except TooManyErrors:
        return Validated(None, checker.found)
    try:
        return Validated(Document.model_validate(values), checker.found)
    except ValidationError as error:
        errors = [SchemaError(detail, tree, checker) for detail in error.errors()[:MAX_ERRORS]]
        told = _told(errors)
        document, doubtful = _without_errors(values, error, default_name)
    doubtful.update(*(error.leaves_open() for error in errors))
    return Validated(document, checker.found + told, frozenset(doubtful))


def _told(errors: list[SchemaError]) -> list[Diagnostic]:
    """Pydantic's errors in the words of the spec: one for a union, not one for each branch of it,
    and one for a misspelled key, not another for the key that is missing or the section that is
    empty without it."""
    unknown = [error for error in errors if error.is_unknown]
    open_ = {key for error in unknown for key in error.leaves_open()}
    outside = {error.advice().meant for error in unknown if error.is_outside()}
    first: dict[Any, Diagnostic] = {}
    for error in errors:
        follows = error.dotted in open_ or "extends" in open_
        if (error.is_missing and follows) or (error.is_empty and error.dotted in outside):
            continue
        diagnostic = error.diagnostic()
        first.setdefault((diagnostic.rule, diagnostic.location), diagnostic)
    return list(first.values())


def _without_errors(
    values: dict[str, Any], error: ValidationError, default_name: str
) -> tuple[Document | None, set[str]]:
    """The document that is left without what is wrong, and the dotted keys of that."""
    doubtful: set[str] = set()
    while True:
        removed = {_remove(values, detail) for detail in error.errors()} - {""}
        if not removed:
            return None, doubtful
        doubtful |= removed
        values.setdefault("name", default_name)
        try:
            return Document.model_validate(values), doubtful
        except ValidationError as another:
            error = another


def _remove(values: dict[str, Any], detail: ErrorDetails) -> str:
    """Remove a wrong value, or the section that lacks one; returns its dotted key."""
    path: list[str] = []
    within, at = values, values
    for part in detail["loc"]:
        if not (isinstance(at, dict) and isinstance(part, str) and part in at):
            break
        within, at = at, at[part]
        path.append(part)
    if path:
        del within[path[-1]]
    return ".".join(path)


def _section(node: Mapping, section: type[Section], checker: Checker) -> dict[str, Any]:
    """Plain values, with components where the section's fields hold them."""
    values: dict[str, Any] = {}
    for key, child in node.items.items():
        field = section.model_fields.get(key)
        inner = field and section_of(field)
        kind = field and _kind_of(field)
        if inner and isinstance(child, Mapping):
            values[key] = _section(child, inner, checker)
        elif kind and kind[1] and isinstance(child, Sequence):
            values[key] = [checker.component(item, kind[0]) for item in child.items]
        elif kind and kind[1] and isinstance(child, Mapping):
            # Its dashes are missing, which pydantic says.
            for name, item in child.items.items():
                one = Mapping({name: item}, child.keys[name], {name: child.keys[name]})
                checker.component(one, kind[0])
            values[key] = plain(child)
        elif kind and not kind[1]:
            values[key] = checker.component(child, kind[0])
        else:
            values[key] = plain(child)
    return values


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
