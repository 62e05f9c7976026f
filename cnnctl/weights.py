"""Weights from a file that may come from anywhere, into a model rebuilt from a spec.

`keras.models.load_model` is never called: a `.keras` file can name code. The network comes from
the spec; the file is held against it, object by object, before a value is read.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from cnnctl.errors import CheckpointError
from cnnctl.runs import MANIFEST, WEIGHTS, verify_manifest

MAX_OBJECTS = 100_000
_IN_ARCHIVE = {"metadata.json", "config.json", WEIGHTS}


def load_weights(model: keras.Model, path: Path) -> None:
    """Put the weights of a file into a model.

    Args:
        model: Built, of the network that the file is said to hold.
        path: A checkpoint folder of a run, a `.keras` or a `.weights.h5` file.

    Raises:
        CheckpointError: The file is damaged or foreign, or holds another network; the model's
            weights are then as before.
    """
    if path.is_dir():
        if not (path / MANIFEST).exists():
            raise CheckpointError(f"{path} is no checkpoint: it has no {MANIFEST}")
        verify_manifest(path)
        path = path / WEIGHTS
    if not path.is_file():
        raise CheckpointError(f"no such file: {path}")
    with tempfile.TemporaryDirectory(prefix="cnnctl-") as folder:
        # A copy, so that what was checked is what is read.
        copy = Path(folder) / WEIGHTS
        expected = _layout(model, Path(folder) / "expected.weights.h5")
        limit = 4 * sum(size for _, _, size in expected.values()) + (16 << 20)
        if path.name.endswith(".h5"):
            _copy_limited(path.open("rb"), path, copy, limit)
        else:
            _extract(path, copy, limit)
        _verify(copy, expected, path)
        try:
            model.load_weights(copy)
        except Exception as error:
            raise CheckpointError(f"{path} cannot be read: {_first_line(error)}") from error


Layout = dict[str, tuple[tuple[int, ...], str, int]]
"""Path of a dataset in the file → shape, dtype, bytes."""


def _layout(model: keras.Model, scratch: Path) -> Layout:
    """What Keras itself writes for this model, without the optimizer."""
    model.save_weights(scratch)
    layout: Layout = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer/"):
            layout[name] = (tuple(item.shape), item.dtype.str, int(item.nbytes))

    with h5py.File(scratch, "r") as file:
        file.visititems(note)
    return layout


def _extract(archive: Path, target: Path, limit: int) -> None:
    """Take the weights out of a `.keras` file, whose other entries are only looked at."""
    try:
        with zipfile.ZipFile(archive) as file:
            names = [entry.filename for entry in file.infolist()]
            strange = [name for name in names if name not in _IN_ARCHIVE]
            if strange:
                raise CheckpointError(f"{archive} holds `{strange[0]}`, which no Keras model does")
            if WEIGHTS not in names or len(set(names)) != len(names):
                raise CheckpointError(f"{archive} is no Keras model: it has no single {WEIGHTS}")
            with file.open(WEIGHTS) as weights:
                _copy_limited(weights, archive, target, limit)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise CheckpointError(
            f"{archive} is damaged or no Keras model: {_first_line(error)}",
            hint="a `.keras` file, a `.weights.h5` file or a checkpoint folder is expected",
        ) from error


def _copy_limited(source: Any, name: Path, target: Path, limit: int) -> None:
    with source, target.open("wb") as out:
        shutil.copyfileobj(_Limited(source, limit, name), out, 1 << 20)


class _Limited:
    """A readable file that may give only so many bytes."""

    def __init__(self, file: Any, limit: int, name: Path) -> None:
        self.file, self.left, self.name = file, limit, name

    def read(self, size: int = -1, /) -> bytes:
        block: bytes = self.file.read(size)
        self.left -= len(block)
        if self.left < 0:
            raise CheckpointError(f"{self.name} is far larger than this network's weights")
        return block


def _verify(copy: Path, expected: Layout, name: Path) -> None:
    """Hold every object of the file against the layout, without reading a foreign one."""
    try:
        with h5py.File(copy, "r") as file:
            found = _datasets(file, name)
            _compare(found, expected, name)
            for path, item in found.items():
                values = item[()]
                if values.dtype.kind == "f" and not np.isfinite(values).all():
                    raise CheckpointError(f"{name} holds values that are not finite, in {path}")
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{name} is damaged or no weights file: {_first_line(error)}"
        ) from error


def _datasets(file: h5py.File, name: Path) -> dict[str, h5py.Dataset]:
    """The datasets of a file by path; anything that could reach outside it is refused."""
    found: dict[str, h5py.Dataset] = {}
    queue: list[tuple[str, h5py.Group]] = [("", file)]
    objects = 0
    while queue:
        prefix, group = queue.pop()
        for key in group:
            objects += 1
            path = f"{prefix}{key}"
            if path == "optimizer":
                continue
            if objects > MAX_OBJECTS or path.count("/") > 64:
                raise CheckpointError(f"{name} has more objects than any network")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise CheckpointError(f"{name} links to another place, in {path}")
            item = group[key]
            if isinstance(item, h5py.Group):
                queue.append((f"{path}/", item))
            elif isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual or item.compression or item.chunks:
                    raise CheckpointError(f"{name} stores {path} in a form that Keras never writes")
                found[path] = item
            else:
                raise CheckpointError(f"{name} holds {path}, which is no array")
    return found


def _compare(found: dict[str, h5py.Dataset], expected: Layout, name: Path) -> None:
    hint = "is it of the same network? `cnnctl summary` shows what the spec describes"
    for path, (shape, dtype, _) in expected.items():
        if path not in found:
            raise CheckpointError(f"{name} is of another network: it has no {path}", hint=hint)
        item = found[path]
        if tuple(item.shape) != shape or item.dtype.str != dtype:
            raise CheckpointError(
                f"{name} is of another network: {path} is {item.dtype} {tuple(item.shape)}, "
                f"and the spec's is {np.dtype(dtype)} {shape}",
                hint=hint,
            )
    for path in found:
        if path not in expected:
            raise CheckpointError(
                f"{name} is of another network: the spec has no {path}", hint=hint
            )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
