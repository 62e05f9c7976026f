"""The plug-ins that a run was made with: whether they are there, and what to do if not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnnctl.errors import UsageError
from cnnctl.io.printable import shell
from cnnctl.plugins import installed
from cnnctl.plugins.record import loaded, names_of, short

_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,40}")
"""What can be put into a command that a message shows."""


def require(recorded: Iterable[Any], what: object) -> None:
    """Raise a `UsageError` if a plug-in that a run was made with is not there.

    Args:
        recorded: The plug-ins in the run's `environment.json`.
        what: The run, for the message.
    """
    for each in recorded:
        if not isinstance(each, dict):
            continue  # none of what cnnctl records
        if not _missing(each):
            continue
        failures = installed.load()
        if not _missing(each):
            continue
        if "distribution" not in each:
            path = Path(str(each.get("path")))
            raise UsageError(
                f"{what} was made with the plug-in {path.name}, which is not loaded",
                hint=f"--plugin {shell(path)} runs it; look at it first if it is not your own",
            )
        name = str(each["distribution"])
        for failure in failures:
            if failure.distribution == name:
                raise UsageError(f"{what} needs a plug-in that fails", hint=str(failure))
        raise UsageError(
            f"{what} was made with the plug-in {short(name)} "
            f"{short(each.get('version'))}, and {_what_is_there(name, each)}",
            hint=_to_install(name, str(each.get("version"))),
        )


def _what_is_there(name: str, recorded: dict[str, Any]) -> str:
    here = next((plugin for plugin in loaded() if plugin.distribution == name), None)
    if here is None:
        return "it is not installed"
    missing = ", ".join(sorted(map(short, _missing(recorded))))
    return f"version {here.version}, which is installed, has no {missing}"


def _to_install(name: str, version: str) -> str | None:
    """The command that installs a package, where its recorded name can be one."""
    if not (_PACKAGE.fullmatch(name) and _VERSION.fullmatch(version)):
        return None
    return f"pip install {name}=={version} installs it; look at it first if it is not your own"


def _missing(recorded: dict[str, Any]) -> set[str]:
    return names_of(recorded) - {name for plugin in loaded() for name in plugin.names}
