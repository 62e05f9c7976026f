"""Open a data set by its name or path, and check it as a training does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnctl.catalog import load as load_catalog
from cnnctl.data.class_notes import class_notes
from cnnctl.data.fitting import fit_to
from cnnctl.data.labels import are_targets
from cnnctl.data.named.download import Progress
from cnnctl.data.named.sources import MADE, SOURCES, Source
from cnnctl.data.remarks import channels_first
from cnnctl.data.split import missing_test
from cnnctl.errors import UsageError
from cnnctl.io.path_kinds import kind_of, refuse_other

if TYPE_CHECKING:
    from cnnctl.data.dataset import Dataset


def registered_names() -> list[str]:
    """The data sets of the plug-ins that are loaded."""
    names = load_catalog().names("dataset")
    return [name for name in names if load_catalog().of_plugin("dataset", name)]


def named_source(name: str) -> Source:
    """Return a named data set's facts.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in SOURCES:
        import difflib

        near = difflib.get_close_matches(name, [*SOURCES, *registered_names()], 1)
        known = f"the named data sets are {', '.join(SOURCES)}"
        if name in MADE:
            raise UsageError(f"{name} is not fetched: it is {MADE[name]}", hint=known)
        if name in registered_names():
            raise UsageError(f"{name} is not fetched: a plug-in makes it", hint=known)
        refuse_other(Path(name), "named data set")
        nothing = "" if near else f"there is no file or folder of that name either; {known}"
        raise UsageError(
            f"unknown data set `{name}`",
            hint=f"did you mean `{near[0]}`? {known}" if near else nothing,
        )
    return SOURCES[name]


def open_dataset(
    name: str, *, data_dir: Path | None = None, progress: Progress | None = None
) -> Dataset:
    """Load a data set by its name or path, and check it as a training does.

    Args:
        name: A named data set, `xo`, a plug-in's, or the path of an `.npz` file or of a folder of
            images.
        data_dir: Where to look first.
        progress: Told about downloads and long readings.

    Raises:
        UsageError: There is no such data set and no such path.
        DataError: It cannot be found or read, or a training would refuse it.
    """
    return sound(_open(name, data_dir=data_dir, progress=progress))


def sound(dataset: Dataset) -> Dataset:
    """Check a data set as a training does, whatever its network will be, and note what it lacks.

    Raises:
        DataError: A training would refuse it.
    """
    targets = are_targets(dataset.train.y)
    found = fit_to(dataset, dataset.train.x.shape[1:], "float" if targets else "int")
    notes = [f"{found.name}: {note}" for note in (channels_first(found.train.x),) if note]
    if not targets:
        notes += class_notes(found, None)
    notes += missing_test(found)
    return replace(found, notes=(*found.notes, *notes))


def _open(name: str, *, data_dir: Path | None = None, progress: Progress | None = None) -> Dataset:
    from cnnctl.data import load

    path = Path(name)
    here = Path.cwd()
    if name == "xo" or _is_registered(name):
        return load(name, base=here)
    if name not in SOURCES and path.exists():
        kind = kind_of(path)
        if kind in ("arrays", "archive") or path.suffix == ".npz":
            return load("npz", {"path": name}, base=here)
        if kind != "images":
            refuse_other(path, "data set")
        return load("image_folder", {"path": name}, base=here, progress=progress)
    if name not in SOURCES:
        load_catalog().complete()  # an installed plug-in may have it
    if _is_registered(name):
        return load(name, base=here)
    source = named_source(name)
    return load(source.name, base=here, data_dir=data_dir, progress=progress)


def _is_registered(name: str) -> bool:
    """Whether a plug-in that is loaded makes the data set, and makes it of nothing.

    Raises:
        UsageError: It needs arguments, which only a spec has.
    """
    entry = load_catalog().of_plugin("dataset", name)
    if entry is None:
        return False
    if missing := [argument.name for argument in entry.arguments if argument.required]:
        raise UsageError(
            f"{name} needs {', '.join(missing)}",
            hint="name it in a spec with its arguments, and show that: cnnctl data show SPEC",
        )
    return True
