"""Which plug-ins this process has loaded, and how they compare with those of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cnnctl.io.printable import printable


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


def changed(recorded: Iterable[Any]) -> Iterator[Changed]:
    """The plug-ins that are not as a run recorded them."""
    for each in recorded:
        if not isinstance(each, dict):
            continue
        there = [plugin for plugin in _loaded if names_of(each) & set(plugin.names)]
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
    text = f"SHA-256 {short(digest)[:12]}"
    return f"version {short(version)} ({text})" if version else text


def names_of(recorded: dict[str, Any]) -> set[str]:
    """The names that a recorded plug-in registered."""
    names = recorded.get("names")
    return {str(name) for name in names} if isinstance(names, list) else set()


def short(text: Any) -> str:
    """A text of a run's files, for a message."""
    return printable(text)[:80]
