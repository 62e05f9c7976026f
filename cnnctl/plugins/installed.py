"""Plug-ins that are installed: packages with an entry point in the group `cnnctl.plugins`.

    [project.entry-points."cnnctl.plugins"]
    my_layers = "my_layers"

Nothing is read or imported until a spec names what nothing else defines, or a command lists
everything: reading takes about 3 ms, and a plug-in imports Keras.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from cnnctl.errors import CnnctlError
from cnnctl.plugins import record, registering
from cnnctl.plugins.starting import start_for_module

GROUP = "cnnctl.plugins"


@dataclass(frozen=True)
class Failure:
    """A plug-in that is installed and cannot be used.

    Args:
        distribution: Its package.
        version: The package's.
        module: The module that its entry point names.
        reason: What it failed with.
    """

    distribution: str
    version: str
    module: str
    reason: str

    def __str__(self) -> str:
        return (
            f"the installed plug-in {self.distribution} {self.version} is left out: {self.module} "
            f"fails: {self.reason}"
        )


_failures: list[Failure] = []
_tried: set[tuple[str, str]] = set()


def load() -> tuple[Failure, ...]:
    """Import every plug-in that is installed, once.

    Returns:
        Those that cannot be used. They are left out, since a spec may not need them.
    """
    for distribution, entry in _entries():
        key = (distribution.name, entry.value)
        if key not in _tried:
            _tried.add(key)
            _load(distribution.name, distribution.version, entry)
    return tuple(_failures)


def _entries() -> Iterator[tuple[metadata.Distribution, metadata.EntryPoint]]:
    """The entry points of the group, each with its package; the first of a name counts.

    A package that only lies in the current folder, where `python -m` looks too, is not installed.
    """
    here = ""
    with contextlib.suppress(OSError):  # the current folder may be gone
        here = str(Path.cwd())
    places = sys.path[1:] if sys.path[:1] in ([""], [here]) else sys.path
    seen = set()
    for distribution in metadata.distributions(path=places):
        entries = [each for each in distribution.entry_points if each.group == GROUP]
        if not entries or distribution.name is None or distribution.name in seen:
            continue
        seen.add(distribution.name)
        for entry in entries:
            yield distribution, entry


def _load(distribution: str, version: str, entry: metadata.EntryPoint) -> None:
    before = registering.keys()
    try:
        start_for_module(entry.module)
        # Results alone go to standard output.
        with (
            contextlib.redirect_stdout(sys.stderr),
            registering.labelled(f"{distribution} {version}"),
        ):
            entry.load()
    except (Exception, SystemExit) as error:
        registering.forget(registering.keys() - before)
        told = (
            error.message if isinstance(error, CnnctlError) else f"{type(error).__name__}: {error}"
        )
        _failures.append(Failure(distribution, version, entry.module, told))
        return
    # What another plug-in imported before is registered already.
    found = (registering.keys() - before) | registering.of_module(entry.module)
    if not found:
        reason = "it registers nothing: `@cnnctl.register` stands above no class or function"
        _failures.append(Failure(distribution, version, entry.module, reason))
        return
    modules = {entry.module, *(registering.find_class(*key).__module__ for key in found)}
    paths = [getattr(sys.modules.get(module), "__file__", None) for module in sorted(modules)]
    files = tuple(Path(path).resolve() for path in paths if path)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    names = tuple(sorted(name for _, name in found))
    record.add(record.Plugin(entry.module, files, digest, names, distribution, version))
