"""What a path is, for commands that are handed another kind of thing than they take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cnnctl.errors import CnnctlError, UsageError
from cnnctl.io.printable import shell
from cnnctl.io.untrusted import open_plain

_MAGIC = (
    (b"\x89PNG", 0, "image"),
    (b"\xff\xd8\xff", 0, "image"),
    (b"GIF8", 0, "image"),
    (b"BM", 0, "image"),
    (b"WEBP", 8, "image"),
    (b"II*\x00", 0, "image"),
    (b"MM\x00*", 0, "image"),
    *((b"ftyp" + brand, 4, "image") for brand in (b"hei", b"hevc", b"mif1", b"msf1", b"avi")),
    (b"\x93NUMPY", 0, "array"),
    (b"\x89HDF\r\n", 0, "weights"),
    (b"TFL3", 4, "exported"),
    (b"\x1f\x8b", 0, "archive"),
    (b"7z\xbc\xaf", 0, "archive"),
    (b"Rar!", 0, "archive"),
    (b"ustar", 257, "archive"),
)
_SUFFIXES = {
    ".yaml": "spec",
    ".yml": "spec",
    ".onnx": "exported",
    ".tflite": "exported",
    ".py": "python",
    ".ipynb": "notebook",
    ".csv": "table",
    ".json": "JSON",
    ".jsonl": "JSON",
}
_IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_MOST_ENTRIES = 1000

WORDS = {
    "archive": "an archive",
    "broken run": "a run folder without spec.yaml",
    "array": "a NumPy array",
    "arrays": "an .npz file of arrays",
    "checkpoint": "a checkpoint",
    "empty": "an empty folder",
    "exported": "an exported network",
    "image": "an image",
    "images": "a folder of images",
    "JSON": "a JSON file",
    "model": "a Keras model",
    "notebook": "a notebook",
    "python": "a Python file",
    "run": "a run folder",
    "runs": "a folder of runs",
    "spec": "a spec",
    "specs": "a folder of specs",
    "table": "a table",
    "text": "a text file",
    "weights": "a file of weights",
}
"""The kinds, in words."""

_HINTS = {
    "archive": "unpack it, and name what it holds",
    "array": "to classify its images: cnnctl predict RUN {path}; a data set is "
    "np.savez(file, x_train=…, y_train=…)",
    "arrays": "in a spec it is `dataset: {{npz: {{path: {plain}}}}}`; to look at it: "
    "cnnctl data info {path}",
    "exported": "name the run or the .keras file that it was exported from",
    "image": "to classify it: cnnctl predict RUN {path}",
    "images": "in a spec it is `dataset: {{image_folder: {{path: {plain}}}}}`; to look at it: "
    "cnnctl data info {path}; to classify its images: cnnctl predict RUN {path}",
    "model": "to evaluate it on a spec's data: cnnctl evaluate {path} --spec SPEC",
    "python": "a plug-in is loaded with --plugin {path}",
    "weights": "to evaluate it on a spec's data: cnnctl evaluate {path} --spec SPEC",
    "specs": "name one of the specs in it",
    "runs": "name one of the runs in it, such as {first}",
}
_HINTS_FOR = {
    ("run", "spec"): "its spec is {path}/spec.yaml; to go on with it: cnnctl resume {path}",
    (
        "spec",
        "image",
    ): "to classify images of the data set of RUN: cnnctl predict RUN, without a file",
    ("checkpoint", "spec"): "its spec is {path}/spec.yaml",
    ("checkpoint", "run folder"): "name its run: {run}",
    ("model", "data set"): "the data of a run: cnnctl data info RUN",
    ("weights", "data set"): "the data of a run: cnnctl data info RUN",
    ("spec", "run folder"): "train it first: cnnctl train {path}; then name its run",
}


_FALLBACK = {
    "image": "predict takes images, .npy files and folders of them",
    "data set": "a data set is a folder of images, an .npz file, or a name of cnnctl data list",
    "named data set": "cnnctl data list names those that can be fetched",
    "run folder": "a run folder has a spec.yaml and checkpoints/, such as runs/mnist/001",
    "spec": "a spec is a YAML file; cnnctl new NAME writes one",
}

_SPEC = "spec.yaml"
_REST_OF_RUN = ("state.json", "environment.json", "metrics.jsonl", "checkpoints")

_PERHAPS = {("text", "spec"), ("JSON", "spec"), ("empty", "run folder")}
"""(kind, what is wanted): where more is known once it is read."""


def kind_of(path: Path) -> str | None:
    """Return what a file or folder is, one of `WORDS`; None if that is not known.

    A file is known by its first bytes, or by its name where it is text.
    """
    try:
        if path.is_dir():
            return _kind_of_folder(path)
        return _kind_of_file(path) if path.is_file() else None
    except OSError:
        return None


def is_run(path: Path) -> bool:
    """Whether a folder is a run with a spec; one without checkpoints has its figures still."""
    return (
        (path / _SPEC).is_file()
        and ((path / "checkpoints").is_dir() or (path / "environment.json").is_file())
        and not (path / "manifest.json").is_file()
    )


def is_broken_run(path: Path) -> bool:
    """Whether a folder has so much of a run that it was one, and no spec to read it by."""
    if (path / _SPEC).is_file() or (path / "model.weights.h5").exists():  # that is a checkpoint
        return False
    return sum((path / each).exists() for each in _REST_OF_RUN) > 1


def repair(path: Path) -> str:
    """Return what can be done for a run folder without a spec."""
    missing = shell(path / _SPEC)
    # A folder, or a link to nowhere: no copy can be written there.
    aside = f"mv {missing} {missing}.aside; " if os.path.lexists(path / _SPEC) else ""
    copies = sorted(each for each in path.glob("checkpoints/epoch-*/" + _SPEC) if each.is_file())
    if copies:
        return f"each checkpoint has a copy of it: {aside}cp {shell(copies[-1])} {missing}"
    written = sorted(each for each in (path / "sources").glob("*.y*ml") if each.is_file())
    if written:
        name = shell(written[0] if len(written) == 1 else path / "sources")
        return f"put it back, or train anew by the YAML as it was written: cnnctl train {name}"
    return "put it back, or train anew: there is no copy of it in the folder"


def refuse_other(
    path: Path,
    wanted: str,
    name: str | None = None,
    raises: type[CnnctlError] = UsageError,
) -> None:
    """Reject a path that is known to be of another kind, and say which command takes it.

    Args:
        path: The path; nothing is said of one that does not exist.
        wanted: What is wanted, in words without an article: `spec`, `run folder`.
        name: How the message calls it; the path by default.
        raises: The exception.

    Raises:
        CnnctlError: It is of another kind.
    """
    kind = kind_of(path)
    if kind is None or kind == wanted or (kind, wanted) in _PERHAPS:
        return
    article = "an" if wanted[0] in "aeio." else "a"
    other = "" if (kind, wanted) == ("broken run", "run folder") else f", not {article} {wanted}"
    raise raises(f"{name or path} is {WORDS[kind]}{other}", hint=advice(path, kind, wanted))


def advice(path: Path, kind: str, wanted: str) -> str | None:
    """Return what to do with a path of one kind where another one is wanted."""
    if kind == "broken run":
        return repair(path)
    text = _HINTS_FOR.get((kind, wanted)) or _HINTS.get(kind) or _FALLBACK.get(wanted)
    if text is None:
        return None
    return text.format(
        path=shell(path),
        plain=path,
        run=path.resolve().parent.parent,
        first=next(_runs_in(path), ""),
    )


def _kind_of_file(path: Path) -> str | None:
    with open_plain(path) as file:
        start = file.read(512)
    suffix = path.suffix.lower()
    for magic, offset, kind in _MAGIC:
        if start[offset : offset + len(magic)] == magic:
            if kind == "image" and b"\x00" not in start:
                continue  # a text that begins with BM, say
            return kind
    if start.startswith(b"PK\x03\x04"):
        return {".npz": "arrays", ".keras": "model"}.get(suffix, "archive")
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    return None if b"\x00" in start else "text"


def _kind_of_folder(path: Path) -> str | None:
    if (path / _SPEC).is_file() and (path / "manifest.json").is_file():
        return "checkpoint"
    if is_run(path):
        return "run"
    if is_broken_run(path):
        return "broken run"
    if (path / "saved_model.pb").is_file():
        return "exported"
    if next(_runs_in(path), None):
        return "runs"
    entries = list(_entries(path))
    if not entries:
        return "empty"
    if any(name.endswith(_IMAGES) for name in entries):
        return "images"
    return "specs" if any(name.endswith((".yaml", ".yml")) for name in entries) else None


def _runs_in(path: Path) -> Iterator[Path]:
    for pattern in ("*/spec.yaml", "*/*/spec.yaml"):  # of runs/NAME and of runs
        for spec in path.glob(pattern):
            if is_run(spec.parent):
                yield spec.parent


def _entries(path: Path) -> Iterator[str]:
    """The names of the first files below a folder, in lower case, level by level."""
    level, seen = [str(path)], 0
    for _ in range(4):
        below: list[str] = []
        for folder in level:
            with os.scandir(folder) as found:
                for entry in found:
                    seen += 1
                    if seen > _MOST_ENTRIES:
                        return
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        below.append(entry.path)
                    else:
                        yield entry.name.lower()
        level = below
