"""Find a trained network on the disk: its weights, its spec and its normalization."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnnctl import plugins
from cnnctl.data.pixel_normalization import Normalization
from cnnctl.data.pixels import Pixels
from cnnctl.errors import RunError, UsageError
from cnnctl.inference.trained import Trained
from cnnctl.io.arguments import AnyPath, as_path
from cnnctl.io.path_kinds import refuse_other
from cnnctl.io.printable import shell
from cnnctl.preflight import check
from cnnctl.runs.checkpoint import MANIFEST
from cnnctl.runs.find import find_run
from cnnctl.runs.run import Run
from cnnctl.specs import AnySpec, Spec, load


def find(
    source: AnyPath, *, spec: AnySpec | None = None, checkpoint: str | int | None = None
) -> Trained:
    """Find a trained network.

    Args:
        source: A run folder, a checkpoint folder in it, a `.keras` or a `.weights.h5` file.
        spec: The network and data of a file that is in no run folder: a spec, its path, or the
            name of a shipped one.
        checkpoint: `best` (default), `last`, `epoch-0003` or 3, where `source` is a run.

    Raises:
        UsageError: There is no such run, checkpoint or file, or its spec is not known.
        RunError: The run does not tell what its data is.
    """
    source = as_path(source, "source")
    if spec is not None and not isinstance(spec, Spec):
        spec = check(spec).spec
    weights, run = _locate(source, None if checkpoint is None else str(checkpoint))
    if run is not None and source.is_dir() and not (source / MANIFEST).exists():
        source = run.path
    beside = run.environment() if run else {}
    recorded: dict[str, Any] = {}
    if spec is None:
        if run is None:
            raise UsageError(
                f"{source} is in no run folder, so its network is not known",
                hint="name the spec it was trained from: --spec configs/mnist.yaml",
            )
        recorded = beside
        plugins.require(recorded.get("plugins") or (), run)
        spec = load(run.spec_path, recorded=True)
        if not isinstance(recorded.get("data"), dict) or "normalization" not in recorded:
            raise RunError(
                f"{run} has no readable environment.json, so its data is not known",
                hint=f"name the data by a spec: --spec {shell(run.spec_path)}",
            )
    fixed = None
    notes: tuple[str, ...] = ()
    if run is not None and "normalization" in beside:
        fixed = Normalization.from_dict(beside["normalization"], run.path / "environment.json")
        if not recorded and not _suits(fixed, spec):
            fixed = None
        elif not recorded and fixed.kind == "standard":
            # Anew, from other images, would be other numbers than the weights were learnt with.
            notes = (f"pictures are normalized as recorded in {run}, not by those of {spec.path}",)
    replaceable = run is not None and source == run.path and checkpoint is None
    pixels = Pixels.from_dict(beside.get("data", {}).get("pixels"))
    known = pixels.range if pixels else None
    return Trained(source, weights, spec, run, recorded, fixed, replaceable, known, notes)


def _suits(recorded: Normalization, spec: Spec) -> bool:
    """Whether a spec asks for a normalization of this kind, for as many channels."""
    shape = spec.model.input_shape
    kind = spec.data.normalize if spec.data else recorded.kind
    return kind == recorded.kind and (not shape or len(recorded.subtract) in (1, shape[-1]))


def _locate(source: Path, checkpoint: str | None) -> tuple[Path, Run | None]:
    """The weights that are meant, and the run that they belong to, if any."""
    if not source.exists():
        find_run(source)  # says what is there instead
    if checkpoint is not None and (source.is_file() or (source / MANIFEST).exists()):
        raise UsageError(
            f"{source} is one file or checkpoint already: --checkpoint belongs to a run"
        )
    if source.is_file():
        if source.suffix not in {".keras", ".h5"}:
            refuse_other(source, "run folder")
        parent = source.resolve().parent
        return source, Run(parent) if (parent / "spec.yaml").is_file() else None
    if (source / MANIFEST).exists():
        folder = source.resolve()
        return folder, find_run(folder.parent.parent)
    run = find_run(source)
    return run.checkpoint("best" if checkpoint is None else checkpoint), run
