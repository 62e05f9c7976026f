"""`cnnctl data`: `list`, `fetch NAME`, `info NAME`, `show NAME`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import DataDir, FullData, Json, Plugin, Set
from cnnctl.cli.output import remark, say
from cnnctl.io.printable import printable

if TYPE_CHECKING:
    from cnnctl.specs import Spec

app = typer.Typer(help="Data sets: list them, fetch one, look into one.", no_args_is_help=True)

_Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        autocompletion=completing.data_sets,
        help="A data set that `data list` names.",
    ),
]


@app.command("list")
def list_(data_dir: DataDir = None, plugin: Plugin = None, json: Json = False) -> None:
    """List the data sets that have a name, and where each lies on this machine."""
    from dataclasses import asdict

    from cnnctl import catalog as catalogs
    from cnnctl.cli.output import print_json, say_left_out, table
    from cnnctl.data.inventory import list_datasets, list_registered
    from cnnctl.data.named.sources import MADE

    entries = list_datasets(data_dir)
    say_left_out(catalogs.load().complete())
    registered = list_registered()
    if json:
        print_json(
            [
                {**asdict(entry), "path": str(entry.path) if entry.path else None}
                for entry in entries
            ]
            + [asdict(each) for each in registered]
        )
        return
    rows = []
    for entry in entries:
        where = f"not here: cnnctl data fetch {entry.name}"
        if entry.path is not None:
            where = f"{entry.path} ({entry.place})"
        elif entry.sample:
            where += " (without a network a 5,000-image sample stands in)"
        rows.append(
            (
                entry.name,
                f"{entry.train:,} + {entry.test:,}",
                "×".join(map(str, entry.shape)),
                str(entry.classes),
                f"{entry.size / 1e6:.0f} MB",
                where,
            )
        )
    table(None, ("name", "train + test", "shape", "classes", "download", "where"), rows, right=0)
    for name, line in MADE.items():
        say(f"  {name:<14} {line}")
    for each in registered:
        say(f"  {each.name:<14} {each.title.rstrip('.')} (by {each.source})")


@app.command("fetch")
def fetch(name: _Name, data_dir: DataDir = None, json: Json = False) -> None:
    """Download a data set, verified by its SHA-256; one that is here is verified.

    It goes to --data-dir if that is given, and to Keras's cache otherwise.
    """
    from cnnctl.cli.output import print_json
    from cnnctl.data.named.load import fetch as fetch_data
    from cnnctl.data.open_dataset import named_source

    source = named_source(name)
    with _progress() as progress:
        fetched = fetch_data(source, data_dir=data_dir, progress=progress)
    paths = [str(path) for path in fetched.found.paths]
    if json:
        print_json(
            {
                "name": name,
                "paths": paths,
                "downloaded": fetched.downloaded,
                "published": fetched.published,
            }
        )
        return
    verdict = {
        True: "it is the published data (SHA-256 agrees)",
        False: "its pictures, labels or their order are not the published ones",
        None: "it can be read; whether it is exactly the published data is not known",
    }[fetched.published]
    say(f"{name}: {'downloaded' if fetched.downloaded else 'already here'}; {verdict}")
    for path in paths:
        say(f"  {path}")


@app.command("info")
def info(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            autocompletion=completing.readable_data_sets,
            help="A data set's name, an .npz file, a folder of images, a spec or a run.",
        ),
    ],
    set_: Set = None,
    data_dir: DataDir = None,
    full_data: FullData = False,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Load a data set and tell what it holds: counts, shapes, classes, fingerprint.

    With a spec or a run, its data set, with the validation images that the spec holds out.
    """
    from dataclasses import asdict

    from cnnctl.cli.output import SAMPLE_MARK, print_json, say_sample, table
    from cnnctl.data.inventory import describe_dataset
    from cnnctl.data.open_dataset import open_dataset, sound
    from cnnctl.data.preparation import load

    spec = _spec(name, set_)
    with _progress() as progress:
        if spec:
            dataset = sound(load(spec, data_dir=data_dir, full_data=full_data, progress=progress))
        else:
            dataset = open_dataset(name, data_dir=data_dir, progress=progress)
        found = describe_dataset(dataset)
    say_sample(found.name)
    for note in found.notes if not found.name.endswith(SAMPLE_MARK) else ():
        remark(note)
    if json:
        print_json(asdict(found))
        return
    pixels = "any" if found.pixel_range is None else "{:g} to {:g}".format(*found.pixel_range)
    say(found.name)
    say(f"  from         {found.origin}")
    say(f"  pixels       {pixels}")
    say(f"  fingerprint  {found.fingerprint}")
    names = [split.name for split in found.splits]
    rows = [
        ("pictures", *(f"{split.count:,}" for split in found.splits)),
        ("shape", *("×".join(map(str, split.shape)) for split in found.splits)),
        ("dtype", *(split.dtype for split in found.splits)),
    ]
    for number, class_name in enumerate(found.class_names):
        label = class_name if class_name == str(number) else f"{number}  {class_name}"
        rows.append((label, *(f"{split.balance[number]:,}" for split in found.splits)))
    table(None, ("", *names), rows, right=len(names))


@app.command("show")
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            autocompletion=completing.readable_data_sets,
            help="A data set's name, an .npz file, a folder of images, or a spec or run: its data, "
            "and what its network gets.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The picture, .png or .svg; data-NAME.png."),
    ] = None,
    split: Annotated[
        Literal["train", "validation", "test"], typer.Option("--split", help="Which pictures.")
    ] = "train",
    count: Annotated[int, typer.Option("--count", min=1, max=400, help="How many samples.")] = 36,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides which.")] = 0,
    set_: Set = None,
    data_dir: DataDir = None,
    full_data: FullData = False,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Draw samples of a data set with their classes, its class balance, and its pixels' values.

    With a spec or a run, each sample stands above what its network gets: normalized and augmented.
    """
    from cnnctl.cli.output import print_json, say_sample
    from cnnctl.data.inventory import describe_dataset
    from cnnctl.data.open_dataset import open_dataset
    from cnnctl.inference import samples
    from cnnctl.plots.style import check_suffix, save

    spec = _spec(name, set_)
    label = spec.name if spec else Path(name).stem if Path(name).exists() else name
    path = out or Path(f"data-{label}.png")
    check_suffix(path)
    with _progress() as progress:
        if spec:
            found = samples.of_spec(spec, split, count, seed, data_dir=data_dir,
                                    full_data=full_data, progress=progress)  # fmt: skip
        else:
            dataset = open_dataset(name, data_dir=data_dir, progress=progress)
            found = samples.choose(dataset, split, count, seed)
    from cnnctl.plots.dataset_figure import data_set

    say_sample(found.dataset.name)
    title = f"{found.dataset.name}, {found.name}"
    if found.changes:
        title += "\nbelow each, what the network gets: " + ", ".join(found.changes)
    drawn = data_set(found.split, found.dataset.class_names, found.indices,
                     title=title, seen=found.seen)  # fmt: skip
    save(drawn, path)
    info = describe_dataset(found.dataset)
    balance = next(each.balance for each in info.splits if each.name == found.name)
    if json:
        print_json({
            "name": info.name, "split": found.name, "pictures": len(found.split),
            "indices": found.indices, "classes": list(info.class_names), "balance": list(balance),
            "pixel_range": info.pixel_range, "changes": list(found.changes), "plot": str(path),
        })  # fmt: skip
        return
    say(f"{path}: {len(found.indices)} of the {len(found.split):,} {found.name} pictures of "
               f"{info.name}")  # fmt: skip
    for change in found.changes:
        say(f"  {change}")


def _spec(name: str, overrides: list[str] | None) -> Spec | None:
    """The spec that is meant, if one is."""
    from cnnctl.errors import UsageError
    from cnnctl.inference.samples import spec_of

    spec = spec_of(name, overrides or ())
    if overrides and not spec:
        raise UsageError(f"--set changes a spec, and {name} is not one")
    return spec


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar on standard error, where that is a terminal; it appears when needed."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from cnnctl.cli.console import PlainConsole

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeRemainingColumn(),
    )
    console = PlainConsole(sys.stderr)
    tasks = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(printable(what), total=total)
            bar.update(tasks[what], completed=done)

        yield show
