"""`new`: a first spec, commented, cnnctl's own or like another one, and the schema beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cnnctl.catalog import shipped
from cnnctl.errors import UsageError
from cnnctl.io.arguments import AnyPath, as_path
from cnnctl.io.atomic import write_text
from cnnctl.io.path_kinds import advice, kind_of
from cnnctl.io.printable import shell
from cnnctl.preflight import check
from cnnctl.scaffold.new_text import starter_text
from cnnctl.scaffold.schema_file import SCHEMA_FILE, write_schema
from cnnctl.specs import AnySpec, Spec
from cnnctl.specs.loading import default_name
from cnnctl.specs.sections import NAME, NAME_LENGTH, NAME_TAKES
from cnnctl.specs.source import SUFFIXES

STARTER = Path(__file__).with_name("starter.yaml")


@dataclass(frozen=True)
class Started:
    """What was written.

    Args:
        path: The spec.
        schema: The schema beside it.
        schema_is: `written`; `kept`, where one was there already; `foreign`, where a file of that
            name is not cnnctl's.
        trains: Whether the spec has all that a training needs.
    """

    path: Path
    schema: Path
    schema_is: str
    trains: bool


def new(name: AnyPath, like: AnySpec | None = None) -> Started:
    """Write a starter spec, and beside it the schema by which editors complete and check it.

    Args:
        name: The spec's name; it may have a folder before it and `.yaml` after it.
        like: The spec to start from: a shipped one's name, a path, or a spec that is loaded.
            cnnctl's starter by default.

    Raises:
        UsageError: The name is no spec's, the file is there already, or there is no such `like`.
        SpecError: The spec to start from has errors.
        RunError: The file cannot be written.
    """
    path = _target(name if isinstance(name, str) else str(as_path(name, "name")))
    base = STARTER if like is None else like if isinstance(like, Spec) else _base(like)
    spec = check(base).spec
    text = starter_text(spec, path, base=None if base == STARTER else _called(spec.path))
    schema_is = write_schema(path.parent)
    write_text(path, text, elsewhere="name a file in another folder")
    return Started(
        path=path,
        schema=path.parent / SCHEMA_FILE,
        schema_is=schema_is,
        trains=spec.data is not None and spec.compile is not None,
    )


def _target(name: str) -> Path:
    """The file to write."""
    path = as_path(name, "name") if name else Path(name)
    if not name or name.endswith("/") or path.name in {"", ".."}:
        hint = f"such as `cnnctl new {shell(path / 'mine')}`"
        if kind_of(path) == "images":
            hint = f"{advice(path, 'images', 'spec')}; a name is {hint}"
        raise UsageError("a spec needs a name", hint=hint)
    if path.suffix not in SUFFIXES:
        path = path.with_name(f"{path.name}.yaml")
    if not re.fullmatch(NAME, path.stem) or len(path.stem) > NAME_LENGTH:
        raise UsageError(
            f"`{path.stem}` cannot name a spec: a name takes {NAME_TAKES}",
            hint=f"did you mean `cnnctl new {shell(path.with_name(default_name(path)))}`?",
        )
    folder = path.parent
    if not folder.is_dir():
        if folder.exists():
            raise UsageError(f"{folder} is not a folder")
        raise UsageError(f"there is no folder {folder}", hint=f"mkdir -p {shell(folder)}")
    if path.exists() or path.is_symlink():
        raise UsageError(
            f"{path} is there already, and is left as it is", hint="choose another name"
        )
    return path


def _base(like: AnyPath) -> Path:
    """The spec to start from."""
    path = as_path(like, "like")
    name = path.as_posix()
    if name in shipped.names():
        return shipped.find(name)
    return path if path.exists() or len(path.parts) > 1 else shipped.find(name)


def _called(base: Path) -> str:
    if not shipped.has(base):
        return str(base)
    inner = base.resolve().relative_to(shipped.folder().resolve())
    return f"the shipped {inner.as_posix()}"
