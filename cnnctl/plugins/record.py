"""Which plug-ins this process has loaded, and how they compare with those of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cnnctl.errors import UsageError
from cnnctl.printable import printable, shell

_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,40}")
"""What can be put into a command that a message shows."""


@dataclass(frozen=True)
class Plugin:
    """A plug-in that was loaded.

    Args:
        name: The file's name, or the module that an entry point names.
        files: The file; of a package, the files that registered something.
        sha256: Of their bytes, one after another.
        names: What it registered.
        distribution: The package that it is installed with; empty for a file.
        version: The package's.
    """

    name: str
    files: tuple[Path, ...]
    sha256: str
    names: tuple[str, ...]
    distribution: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}" if self.distribution else self.name

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `environment.json`."""
        if self.distribution:
            origin = {
                "distribution": self.distribution,
                "version": self.version,
                "module": self.name,
            }
        else:
            origin = {"path": str(self.files[0])}
        return {**origin, "sha256": self.sha256, "names": list(self.names)}


class Changed(NamedTuple):
    """A plug-in that is not as a run recorded it.

    Args:
        name: The file or package.
        before: Version and SHA-256 then.
        now: The same now.
    """

    name: str
    before: str
    now: str


_loaded: list[Plugin] = []


def add(plugin: Plugin) -> None:
    """Note a plug-in that was loaded."""
    _loaded.append(plugin)


def loaded() -> tuple[Plugin, ...]:
    """The plug-ins of this process, in the order in which they were loaded."""
    return tuple(_loaded)


def in_use(names: Iterable[str]) -> tuple[Plugin, ...]:
    """The files, and those of the installed plug-ins that define one of some names.

    Args:
        names: Those of a spec's components.
    """
    wanted = set(names)
    return tuple(p for p in _loaded if not p.distribution or wanted.intersection(p.names))


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
        from cnnctl.plugins import installed

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
            f"{what} was made with the plug-in {_printable(name)} "
            f"{_printable(each.get('version'))}, and {_what_is_there(name, each)}",
            hint=_to_install(name, str(each.get("version"))),
        )


def changed(recorded: Iterable[Any]) -> Iterator[Changed]:
    """The plug-ins that are not as a run recorded them."""
    for each in recorded:
        if not isinstance(each, dict):
            continue
        there = [plugin for plugin in _loaded if _names(each) & set(plugin.names)]
        sums = {plugin.sha256 for plugin in there}
        versions = {plugin.version for plugin in there if plugin.version}
        version = each.get("version")
        is_other = bool(version and versions and version not in versions)
        if there and (each.get("sha256") not in sums or is_other):
            now = there[0]
            name = now.distribution or now.name
            yield Changed(
                name, _state(version, each.get("sha256")), _state(now.version, now.sha256)
            )


def _state(version: Any, digest: Any) -> str:
    text = f"SHA-256 {_printable(digest)[:12]}"
    return f"version {_printable(version)} ({text})" if version else text


def _missing(recorded: dict[str, Any]) -> set[str]:
    return _names(recorded) - {name for plugin in _loaded for name in plugin.names}


def _names(recorded: dict[str, Any]) -> set[str]:
    names = recorded.get("names")
    return {str(name) for name in names} if isinstance(names, list) else set()


def _what_is_there(name: str, recorded: dict[str, Any]) -> str:
    here = next((plugin for plugin in _loaded if plugin.distribution == name), None)
    if here is None:
        return "it is not installed"
    missing = ", ".join(sorted(map(_printable, _missing(recorded))))
    return f"version {here.version}, which is installed, has no {missing}"


def _to_install(name: str, version: str) -> str | None:
    """The command that installs a package, where its recorded name can be one."""
    if not (_PACKAGE.fullmatch(name) and _VERSION.fullmatch(version)):
        return None
    return f"pip install {name}=={version} installs it; look at it first if it is not your own"


def _printable(text: Any) -> str:
    return printable(text)[:80]
