"""What Tab offers in a shell: specs, runs, data sets, names of the catalog. Nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cnnctl.io.printable import printable

_MOST = 200
"""Names that are offered; of more runs, the newest."""


def specs(incomplete: str) -> list[str]:
    """Shipped specs by name, spec files, and folders on the way to them."""
    from cnnctl.catalog import shipped

    names = [name for name in shipped.names() if name.startswith(incomplete)]
    return [*names, *_paths(incomplete, lambda path: path.suffix in {".yaml", ".yml"})]


def runs(incomplete: str) -> list[str]:
    """Run folders, and folders on the way to them; `.keras` and `.weights.h5` files."""

    def is_weights(path: Path) -> bool:
        return path.name.endswith((".keras", ".weights.h5"))

    return _paths(incomplete, is_weights)


def specs_and_runs(incomplete: str) -> list[str]:
    """Both."""
    return list(dict.fromkeys([*specs(incomplete), *runs(incomplete)]))


def readable_data_sets(incomplete: str) -> list[str]:
    """The data sets that can be read by their name alone, those of plug-ins too."""
    from cnnctl.data.inventory import list_registered
    from cnnctl.data.named.sources import SOURCES

    def found() -> list[str]:
        names = [*SOURCES, "xo", *(each.name for each in list_registered())]
        return [name for name in names if name.startswith(incomplete)]

    return found() or _after_completing(found)


def data_sets(incomplete: str) -> list[str]:
    """The data sets that are fetched by their name."""
    from cnnctl.data.named.sources import SOURCES

    return [name for name in SOURCES if name.startswith(incomplete)]


def trackers(incomplete: str) -> list[str]:
    """What --track takes."""
    from cnnctl.trackers.available import NAMES, NONE

    return [name for name in (*NAMES, NONE) if name.startswith(incomplete)]


def names(incomplete: str) -> list[str]:
    """Every name of the catalog, layers first."""
    from cnnctl.catalog import KINDS, load

    catalog = load()
    kinds = sorted(KINDS, key=lambda kind: kind != "layer")

    def found() -> list[str]:
        names = dict.fromkeys(name for kind in kinds for name in catalog.names(kind))
        return [name for name in names if name.startswith(incomplete)][:_MOST]

    return found() or _after_completing(found)


def _after_completing(found: Callable[[], list[str]]) -> list[str]:
    """What is found among the installed plug-ins as well: asked where nothing else fits, since
    they import Keras."""
    from cnnctl.catalog import load

    load().complete()
    return found()


def _paths(incomplete: str, is_wanted: Callable[[Path], bool]) -> list[str]:
    """Files that are wanted, and folders, of what is typed so far; of numbered ones the last.

    A name that a terminal cannot show as it is is left out: what would be typed is another name.
    """
    folder = Path(incomplete if incomplete.endswith("/") else Path(incomplete).parent)
    start = "" if incomplete.endswith("/") else Path(incomplete).name
    try:
        names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    except OSError:
        return []
    found: list[str] = []
    for name in sorted(names, key=_by_number, reverse=True):
        if not name.startswith(start) or (name.startswith(".") and not start):
            continue
        if printable(name) != name:
            continue
        path = folder / name
        text = f"{incomplete[: len(incomplete) - len(start)]}{name}"
        if path.is_dir():
            is_run = (path / "spec.yaml").is_file() and (path / "checkpoints").is_dir()
            found.append(text if is_run else f"{text}/")
        elif is_wanted(path):
            found.append(text)
        if len(found) == _MOST:
            break
    return found[::-1]


def _by_number(name: str) -> tuple[int, str]:
    """Names in alphabetical order, then numbers in theirs: 999 before 1000."""
    return (int(name) if name.isascii() and name.isdecimal() else -1, name)
