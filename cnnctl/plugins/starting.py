"""Keras is started in cnnctl's way before a plug-in imports it, and not for one that does not."""

from __future__ import annotations

import ast
import sys
from importlib.util import find_spec
from pathlib import Path

_LIGHT = sys.stdlib_module_names | {"cnnctl", "numpy"}
"""What a plug-in may import without Keras being started for it."""

_HEAVY = ("cnnctl.layers", "cnnctl.training", "cnnctl.network")


def start_for(content: bytes) -> None:
    """Start Keras if a file may import it, itself or by another module."""
    if _may_import_keras(content):
        from cnnctl.startup import quiet

        quiet()


def start_for_module(name: str) -> None:
    """The same for a module that is installed; of a package, what it imports is not looked at."""
    spec = None if "." in name else find_spec(name)
    if spec and spec.origin and not spec.submodule_search_locations:
        start_for(Path(spec.origin).read_bytes())
    elif spec or "." in name:
        from cnnctl.startup import quiet

        quiet()


def _may_import_keras(content: bytes) -> bool:
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return False  # it is told when the file runs
    for node in ast.walk(tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        for module in modules:
            if module.split(".")[0] not in _LIGHT or module.startswith(_HEAVY):
                return True
    return False
