"""The text of a new spec: another one's, with its comments, under another name."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from cnnctl.catalog import shipped
from cnnctl.errors import Location, SpecError, UsageError
from cnnctl.scaffold.schema_file import SCHEMA_FILE
from cnnctl.specs import Spec
from cnnctl.specs.dump import flow
from cnnctl.specs.nodes import Mapping, Node, Scalar, plain
from cnnctl.specs.reader import read
from cnnctl.specs.scalars import resolve
from cnnctl.specs.sections import Document
from cnnctl.specs.source import text_source

_COMMENTS = {
    "data": "What it learns from. `cnnctl data list` has every data set that has a name.",
    "model": "The network. `cnnctl layers` lists what there is; `cnnctl layers Conv2D` explains.",
    "compile": "What is minimized, by what, and what is reported beside it.",
    "fit": "How long. `cnnctl train {file} --epochs 3` changes it for once.",
}
_HEAD = """\
# yaml-language-server: $schema={schema}
#
# {file}, made by `cnnctl new`{origin}.
#
#   cnnctl check {file}      every mistake, with its line and the mend
#   cnnctl summary {file}    layers, output shapes, parameters
#   cnnctl train {file}      trains it, into runs/{name}/001
"""


def starter_text(spec: Spec, path: Path, base: str | None) -> str:
    """Return the text of a new spec: that of another one with other names, and comments.

    Args:
        spec: The spec to start from.
        path: The file to be written.
        base: What the new text says it was made from; None for nothing.

    Raises:
        UsageError: The text is of a kind in which the name cannot be replaced.
    """
    text = spec.sources[0].text
    if len(spec.sources) > 1 or spec.overrides:
        text = _written_out(plain(spec.tree))  # it shall need no other file, and no flag
    elif shipped.has(spec.path):
        text = re.sub(r"\A(#.*\n)+", "", text)  # the source and the figures of that network
    text = re.sub(r"^# yaml-language-server:.*\n", "", text, flags=re.MULTILINE)
    tree = read(text_source(text, str(spec.path)))
    lines = text.rstrip("\n").split("\n")
    values = _new_values(spec, tree, path)
    for node, value in sorted(values, key=lambda pair: _place(pair[0].location), reverse=True):
        row, column = _place(node.location)
        line = lines[row]
        end = column + node.location.length
        lines[row] = line[:column] + _scalar(value) + line[end:]
    _explain(lines, tree, path)
    origin = f" from {base}" if base else ""
    head = _HEAD.format(schema=SCHEMA_FILE, file=path.name, name=path.stem, origin=origin)
    made = "\n".join([head.rstrip("\n"), *lines, ""])
    _compare(spec, tree, values, made)
    return made


def _written_out(tree: dict[str, Any]) -> str:
    """A merged document as text, in the order of the sections."""
    lines = []
    for key in (key for key in Document.model_fields if key in tree):
        value = tree[key]
        if not isinstance(value, dict):
            lines.append(f"{key}: {flow(value)}")
            continue
        lines += ["", f"{key}:"]
        for name, each in value.items():
            if isinstance(each, list) and any(isinstance(item, dict) for item in each):
                lines += [f"  {name}:", *(f"    - {_item(item)}" for item in each)]
            else:
                lines.append(f"  {name}: {flow(each)}")
    return "\n".join(lines)


def _item(value: Any) -> str:
    """A component as an item of a list, where its braces are not needed."""
    text = flow(value)
    return text[1:-1] if isinstance(value, dict) and value else text


def _new_values(spec: Spec, tree: Node, path: Path) -> list[tuple[Scalar, str]]:
    """The scalars that are another value in the new file: the name, and the way to the data."""
    changed = []
    name = _at(tree, "name")
    if name is not None:
        changed.append((name, path.stem))
    if spec.data is not None and isinstance(spec.data.dataset.arguments.get("path"), str):
        way = spec.data.dataset.arguments["path"]
        node = _at(tree, "data", "dataset", spec.data.dataset.written, "path")
        if node is not None and not Path(way).is_absolute():
            changed.append((node, os.path.relpath(spec.data_base / way, path.parent)))
    return changed


def _at(tree: Node, *keys: str) -> Scalar | None:
    node: Node | None = tree
    for key in keys:
        node = node.items.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Scalar) else None


def _place(location: Location) -> tuple[int, int]:
    return location.line - 1, location.column - 1


def _scalar(text: str) -> str:
    """A text as YAML writes it, in quotes where it would be read as something else."""
    try:
        plain_text = re.fullmatch(r"[\w./-]+", text) and resolve(text) == text
    except ValueError:
        plain_text = False
    return text if plain_text else json.dumps(text, ensure_ascii=False)


def _explain(lines: list[str], tree: Node, path: Path) -> None:
    """Put a comment above each section that has none."""
    assert isinstance(tree, Mapping)
    for key, location in sorted(tree.keys.items(), key=lambda item: -item[1].line):
        row, column = _place(location)
        above = lines[row - 1] if row else ""
        if key in _COMMENTS and column == 0 and not above.startswith("#"):
            comment = f"# {_COMMENTS[key].format(file=path.name)}"
            lines[row:row] = ["", comment] if above else [comment]


def _compare(spec: Spec, tree: Node, values: list[tuple[Scalar, str]], made: str) -> None:
    """Raise a `UsageError` unless the new text says what the old one says, but for the values."""
    new_values = {id(node): value for node, value in values}

    def expected(node: Node) -> object:
        if isinstance(node, Mapping):
            return {key: expected(each) for key, each in node.items.items()}
        if isinstance(node, Scalar):
            return new_values.get(id(node), node.value)
        return [expected(each) for each in node.items]

    try:
        same = plain(read(text_source(made, "new"))) == expected(tree)
    except SpecError:
        same = False
    if not same:
        raise UsageError(
            f"{spec.path} is written such that its name cannot be replaced",
            hint="copy the file, and change `name:` by hand",
        )
