"""`cnnctl plot RUN [KIND…]`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cnnctl.cli import completing
from cnnctl.cli.options import (
    Checkpoint,
    DataDir,
    Device,
    FullData,
    Json,
    Plugin,
    Set,
    SpecOfFile,
    Split,
    or_shipped,
)
from cnnctl.cli.output import say
from cnnctl.io.printable import shell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARCHITECTURE = "architecture"


def plot(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            callback=or_shipped,
            autocompletion=completing.specs_and_runs,
            help="A run folder, a checkpoint in one, a .keras or .weights.h5 file; a spec, for its "
            "architecture.",
        ),
    ],
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KIND]...",
            help="curves, confusion, calibration, filters, features, saliency, excitation, "
            "histograms, architecture; all of them by default.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="One figure's file, or a folder; RUN/plots by default."
        ),
    ] = None,
    form: Annotated[
        Literal["png", "svg"], typer.Option("--format", help="What files are written.")
    ] = "png",
    layer: Annotated[
        str | None,
        typer.Option("--layer", metavar="NAME", help="For filters, saliency, excitation."),
    ] = None,
    picture: Annotated[
        str | None,
        typer.Option(
            "--picture", metavar="FILE", help="For features and saliency: a file, or a number."
        ),
    ] = None,
    split: Split = "test",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the noise of excitation.")] = 0,
    spec: SpecOfFile = None,
    set_: Set = None,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Draw a trained network: how it learned, what it mistakes, what it looks at.

    The architecture is drawn to scale from the spec alone, before anything is trained.
    """
    from cnnctl.cli.output import print_json
    from cnnctl.errors import UsageError
    from cnnctl.plots.figures import KINDS, drawn
    from cnnctl.plots.subject import Choice, Subject
    from cnnctl.preflight import check

    every = [*KINDS, ARCHITECTURE]
    wanted = list(dict.fromkeys(kinds or []))
    for kind in wanted:
        if kind not in every:
            raise UsageError(f"there is no figure `{kind}`", hint=f"there are {', '.join(every)}")
    is_spec = source.suffix in {".yaml", ".yml"}
    if set_ and not (is_spec or spec):
        raise UsageError("--set changes a spec, and this is none")
    if is_spec:
        if any(kind != ARCHITECTURE for kind in wanted):
            raise UsageError(
                f"{source} is a spec: only its {ARCHITECTURE} can be drawn",
                hint=f"train it first: cnnctl train {shell(source)}; then name its run",
            )
        wanted = [ARCHITECTURE]
    checked = check(spec, set_ or ()).spec if spec else None
    subject = Subject(source, Choice(layer, picture, split, seed), spec=checked,
                      checkpoint=checkpoint, data_dir=data_dir, full_data=full_data,
                      device=device)  # fmt: skip
    place = _Place(source, out, form, wanted)
    if not is_spec:
        place.default = subject.run_if_any.path / "plots" if subject.run_if_any else Path()
    written: dict[str, str] = {}
    figures: dict[str, str] = {}
    if not wanted or ARCHITECTURE in wanted:
        path = spec or (source if is_spec else subject.run.spec_path)
        written[ARCHITECTURE] = place.write(ARCHITECTURE, _architecture(path, set_, is_spec))
    rest = [kind for kind in wanted if kind != ARCHITECTURE]
    for kind, found in drawn(subject, rest) if rest or not wanted else ():
        if isinstance(found, str):
            figures[kind] = found
        else:
            written[kind] = place.write(kind, found)
    if json:
        print_json({"plots": written, "left_out": figures})
        return
    for kind, file in written.items():
        say(f"{kind:<14} {file}")
    for kind, reason in figures.items():
        say(f"{kind:<14} not drawn: {reason}")


def _architecture(path: Path, overrides: list[str] | None, is_spec: bool) -> Figure:
    from cnnctl.plots.architecture import architecture
    from cnnctl.summary.summary import summarize

    return architecture(summarize(path, (overrides or ()) if is_spec else ()))


class _Place:
    """Where figures are written: into a folder, or the one that is wanted into a file."""

    def __init__(self, source: Path, out: Path | None, form: str, wanted: list[str]) -> None:
        from cnnctl.errors import UsageError
        from cnnctl.plots.style import SUFFIXES, check_suffix

        self.default: Path = Path()
        self.form = form
        self.prefix = f"{source.stem}-" if source.is_file() else ""
        self.file = out if out is not None and out.suffix.lower() in SUFFIXES else None
        self.folder = out if self.file is None else None
        if self.file is not None:
            if len(wanted) != 1:
                raise UsageError(f"{self.file} is one file: name the one figure that it gets")
            check_suffix(self.file)

    def write(self, kind: str, figure: Any) -> str:
        """Write a figure, and return where it is."""
        from cnnctl.errors import RunError
        from cnnctl.io.atomic import cannot_write
        from cnnctl.plots.style import save

        path = self.file
        if path is None:
            folder = self.folder if self.folder is not None else self.default
            path = folder / f"{self.prefix}{kind}.{self.form}"
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise cannot_write(folder, error, "choose another place with --out") from error
        try:
            save(figure, path)
        except RunError as error:
            error.hint = "choose another place with --out"
            raise
        return str(path)
