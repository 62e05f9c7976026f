"""Plug-ins that are files: `--plugin FILE`."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from cnnctl.errors import CnnctlError, UsageError
from cnnctl.plugins import record, registering
from cnnctl.plugins.starting import start_for


def load(paths: Iterable[Path]) -> None:
    """Run plug-in files, each once.

    Raises:
        UsageError: A file is missing, fails, or registers nothing.
    """
    for path in paths:
        resolved = path.resolve()
        if any(resolved in plugin.files for plugin in record.loaded() if not plugin.distribution):
            continue
        if not resolved.is_file():
            raise UsageError(f"no such plug-in: {path}")
        content = resolved.read_bytes()
        start_for(content)
        before = registering.keys()
        _run(path, resolved)
        names = tuple(sorted(name for _, name in registering.keys() - before))
        if not names:
            raise UsageError(
                f"the plug-in {path} registers nothing",
                hint="put `@cnnctl.register` above its class or function",
            )
        digest = hashlib.sha256(content).hexdigest()
        record.add(record.Plugin(resolved.name, (resolved,), digest, names))


def _run(path: Path, resolved: Path) -> None:
    name = f"{registering.OF_FILE}{resolved.stem}"
    spec = importlib.util.spec_from_file_location(name, resolved)
    if spec is None or spec.loader is None:
        raise UsageError(f"the plug-in {path} is no Python file", hint="its name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with contextlib.redirect_stdout(sys.stderr):  # results alone go to standard output
            spec.loader.exec_module(module)
    except CnnctlError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"the plug-in {path} fails{_line_of(error, resolved)}: {type(error).__name__}: {error}"
        ) from error


def _line_of(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f" in line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return f" in line {lines[-1]}" if lines else ""
