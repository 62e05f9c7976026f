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
_asked = False


def load() -> tuple[Failure, ...]:
    """Import every plug-in that is installed, once.

    Returns:
        Those that cannot be used. They are left out, since a spec may not need them.
    """
    global _asked
    if not _asked:
        _asked = True  # before the first is imported, which may ask again
        for distribution, version, entry in _entries():
            _load(distribution, version, entry)
    return tuple(_failures)


def _entries() -> Iterator[tuple[str, str, metadata.EntryPoint]]:
    """The entry points of the group, each behind its package's name and version.

    Of packages of the same name the first on the path counts. One that only lies in the current
    folder, where `python -m` looks too, is not installed.
    """
    here = ""
    with contextlib.suppress(OSError):  # the current folder may be gone
        here = str(Path.cwd())
    places = sys.path[1:] if sys.path[:1] in ([""], [here]) else sys.path
    seen = set()
    for distribution in metadata.distributions(path=places):
        try:
            entries = [each for each in distribution.entry_points if each.group == GROUP]
            if not entries or distribution.name in seen:
                continue
            seen.add(distribution.name)
            package = str(distribution.name), str(distribution.version)
        except Exception:  # files of metadata that are damaged: pip tells that
            continue
        for entry in entries:
            yield *package, entry


def _load(distribution: str, version: str, entry: metadata.EntryPoint) -> None:
    module = entry.value.partition(":")[0].strip()
    before = registering.keys()
    try:
        start_for_module(module)
        # Results alone go to standard output.
        with (
            contextlib.redirect_stdout(sys.stderr),
            registering.labelled(f"{distribution} {version}"),
        ):
            entry.load()
    except (Exception, SystemExit) as error:
        registering.forget(registering.keys() - before)
        _failures.append(Failure(distribution, version, module, _reason_of(error)))
        return
    # What another plug-in imported before is registered already.
    found = (registering.keys() - before) | registering.of_module(module)
    if not found:
        reason = "it registers nothing: `@cnnctl.register` stands above no class or function"
        _failures.append(Failure(distribution, version, module, reason))
        return
    files = tuple(_files({module, *(registering.module_of(key) for key in found)}))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    names = tuple(sorted(name for _, name in found))
    record.add(record.Plugin(module, files, digest, names, distribution, version))


def _reason_of(error: BaseException) -> str:
    if isinstance(error, CnnctlError):
        return error.message
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def _files(modules: set[str]) -> Iterator[Path]:
    """The files of some modules, in the order of their names; a zipped one has none."""
    for module in sorted(modules):
        path = Path(getattr(sys.modules.get(module), "__file__", None) or "")
        if path.is_file():
            yield path.resolve()
