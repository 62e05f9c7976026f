"""What Tab offers in a shell: specs, runs, data sets, names of the catalog. Nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

_MOST = 200


def specs(incomplete: str) -> list[str]:
    """Shipped specs by name, spec files, and folders on the way to them."""
    from cnnctl import shipped

    names = [name for name in shipped.names() if name.startswith(incomplete)]
    return [*names, *_paths(incomplete, lambda path: path.suffix in {".yaml", ".yml"})][:_MOST]


def runs(incomplete: str) -> list[str]:
    """Run folders, and folders on the way to them; `.keras` and `.weights.h5` files."""

    def is_weights(path: Path) -> bool:
        return path.name.endswith((".keras", ".weights.h5"))

    return list(_paths(incomplete, is_weights))[:_MOST]


def specs_and_runs(incomplete: str) -> list[str]:
    """Both."""
    return list(dict.fromkeys([*specs(incomplete), *runs(incomplete)]))[:_MOST]


def readable_data_sets(incomplete: str) -> list[str]:
    """The data sets that can be read by their name alone, those of plug-ins too."""
    from cnnctl.data.inventory import list_registered
    from cnnctl.data.sources import SOURCES

    def found() -> list[str]:
        names = [*SOURCES, "xo", *(each.name for each in list_registered())]
        return [name for name in names if name.startswith(incomplete)]

    return found() or _after_completing(found)


def data_sets(incomplete: str) -> list[str]:
    """The data sets that are fetched by their name."""
    from cnnctl.data.sources import SOURCES

    return [name for name in SOURCES if name.startswith(incomplete)]


def trackers(incomplete: str) -> list[str]:
    """What --track takes."""
    from cnnctl.trackers.names import NAMES, NONE

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


def _paths(incomplete: str, is_wanted: Callable[[Path], bool]) -> Iterator[str]:
    """Files that are wanted, and folders, of what is typed so far."""
    folder = Path(incomplete if incomplete.endswith("/") else Path(incomplete).parent)
    start = "" if incomplete.endswith("/") else Path(incomplete).name
    try:
        found = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError:
        return
    for path in found:
        if not path.name.startswith(start) or (path.name.startswith(".") and not start):
            continue
        text = f"{incomplete[: len(incomplete) - len(start)]}{path.name}"
        if path.is_dir():
            is_run = (path / "spec.yaml").is_file() and (path / "checkpoints").is_dir()
            yield text if is_run else f"{text}/"
        elif is_wanted(path):
            yield text
