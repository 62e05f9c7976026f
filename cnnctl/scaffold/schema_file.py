"""The schema file beside a spec, by which an editor completes and checks it without a network."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path

from cnnctl.io.atomic import write_text
from cnnctl.specs.json_schema import IDENTITY, schema_text, spec_schema

SCHEMA_FILE = "cnnctl.schema.json"
"""The file that the first line of a spec names: `# yaml-language-server: $schema=…`."""

MAX_BYTES = 16 * 2**20
"""What is larger is not cnnctl's: its own schema has a third of a megabyte."""


def write_schema(folder: Path) -> str:
    """Write the schema into a folder, unless one is there that is foreign or not older.

    Returns:
        `written`, `kept`, or `foreign`.

    Raises:
        RunError: The file cannot be written.
    """
    path = folder / SCHEMA_FILE
    if path.exists() or path.is_symlink():
        found = _version(path)
        if found is None:
            return "foreign"
        if found >= _numbers(version("cnnctl")):
            return "kept"
    write_text(path, schema_text(spec_schema()), elsewhere="name a file in another folder")
    return "written"


def _version(path: Path) -> tuple[int, ...] | None:
    """The version of cnnctl that wrote a schema; None if it is not cnnctl's."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        schema = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(schema, dict) or schema.get("$id") != IDENTITY:
        return None
    return _numbers(str(schema.get("$comment")))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))
