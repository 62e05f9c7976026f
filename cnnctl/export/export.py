"""A trained network for other programs, each export loaded back by its own runtime and compared.

What does not agree with the Keras model on test pictures is an error, and leaves no file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import CnnctlError, UsageError
from cnnctl.export.agreement import Disagreement, compare
from cnnctl.export.export_errors import conversion_error, disagreement_error
from cnnctl.export.writers import (
    SUFFIXES,
    WRITERS,
    refuse_missing,
    silent,
    with_normalization,
)
from cnnctl.inference.find_trained import find
from cnnctl.io.atomic import cannot_write, replacing

if TYPE_CHECKING:
    from cnnctl.specs import Spec


@dataclass(frozen=True)
class Exported:
    """An export that agrees with its network.

    Args:
        path: The file, or the folder of a saved model.
        format: keras, saved_model, onnx or litert.
        quantize: `int8`, `float16` or None.
        takes: What it takes: `pixels`, or `normalized` pictures.
        bytes: Of the file, or of all files in the folder.
        pictures: How many test pictures were compared.
        difference: The largest difference of an output.
        agreement: The part of the pictures with the same class; None where there are no classes.
        accuracy: Of the export; None where there are no classes.
        accuracy_by_keras: Of the Keras model on the same pictures.
        milliseconds: For one picture, median.
        milliseconds_by_keras: The same for the Keras model, compiled.
        notes: What is worth knowing.
    """

    path: str
    format: str
    quantize: str | None
    takes: str
    bytes: int
    pictures: int
    difference: float
    agreement: float | None
    accuracy: float | None
    accuracy_by_keras: float | None
    milliseconds: float
    milliseconds_by_keras: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def export(
    source: Path,
    format: str,
    out: Path | None = None,
    *,
    quantize: str | None = None,
    pixels: bool = False,
    images: int = 1000,
    spec: Spec | None = None,
    checkpoint: str | None = None,
    data_dir: Path | None = None,
    full_data: bool = False,
    device: str = "auto",
) -> Exported:
    """Export a trained network, and compare the export with it.

    Args:
        source: A run folder, a checkpoint folder in it, a `.keras` or a `.weights.h5` file.
        format: keras, saved_model, onnx or litert.
        out: Where; beside the run by default: RUN/exports/NAME.onnx.
        quantize: `int8` or `float16` weights, for litert.
        pixels: Whether the export takes pixels as stored, and normalizes them itself.
        images: On how many test pictures they are compared.
        spec, checkpoint, data_dir, full_data, device: As in `cnnctl.predict_split`.

    Raises:
        UsageError: There is no such format, or its packages are not installed, or the place is
            taken.
        RunError: The export does not agree with the network, or cannot be written.
    """
    if format not in SUFFIXES:
        raise UsageError(f"there is no format `{format}`", hint=f"there are {', '.join(SUFFIXES)}")
    if quantize is not None and format != "litert":
        raise UsageError("--quantize is for litert")
    refuse_missing(format)
    trained = find(source, spec=spec, checkpoint=checkpoint)
    path = out or _place(trained.run.path if trained.run else None, source, format, quantize)
    if path.exists():
        raise UsageError(f"{path} is there already", hint="name another with --out, or remove it")
    if out is not None and not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")
    data = trained.prepare(data_dir=data_dir, full_data=full_data)
    loaded = trained.load(data.checked, images, device)
    model = with_normalization(loaded.model, data.normalization) if pixels else loaded.model
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path.parent, error, "name another place with --out") from error
    with replacing(path, elsewhere="name another place with --out") as partial:
        try:
            with silent():
                notes = WRITERS[format](model, partial, data, quantize, pixels) or ()
            found = compare(model, partial, data, trained.spec, format, quantize, pixels, images)
        except Disagreement as error:
            raise disagreement_error(
                error, loaded.model, partial, data, trained, quantize, pixels
            ) from None
        except (CnnctlError, OSError):
            raise
        except Exception as error:  # whatever a converter raises
            raise conversion_error(error, format, model, trained) from error
    return Exported(path=str(path), format=format, quantize=quantize,
                    takes="pixels" if pixels else "normalized", bytes=_size(path),
                    notes=(*loaded.notes, *notes), **found)  # fmt: skip


def _place(run: Path | None, source: Path, name: str, quantize: str | None) -> Path:
    folder = run / "exports" if run else source.parent
    stem = f"{run.parent.name if run else source.stem}{f'-{quantize}' if quantize else ''}"
    return folder / f"{stem}{SUFFIXES[name] or '-saved_model'}"


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(each.stat().st_size for each in files if each.is_file())
