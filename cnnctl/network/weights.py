"""Weights from a file that may come from anywhere, into a model rebuilt from a spec.

`keras.models.load_model` is never called: a `.keras` file can name code. The network comes from
the spec; the file is held against it, object by object, before a value is read. Keras then reads
the values from a file that was written here: neither it nor the HDF5 library ever opens a foreign
one.
"""

from __future__ import annotations

import io
import math
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import BinaryIO

import keras
import numpy as np

from cnnctl import compat
from cnnctl.errors import CheckpointError, shortened
from cnnctl.io import hdf5
from cnnctl.io.untrusted import MAX_READ, open_plain, open_zip, reason
from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import WEIGHTS

_IN_ARCHIVE = {"metadata.json", "config.json", WEIGHTS}
_KINDS = "a `.keras` file, a `.weights.h5` file or a checkpoint folder is expected"


def load_weights(model: keras.Model, path: Path) -> None:
    """Put the weights of a file into a model.

    Args:
        model: Built, of the network that the file is said to hold. Where it is compiled and its
            optimizer built, the optimizer's variables are taken from a checkpoint folder too.
        path: A checkpoint folder of a run, a `.keras` or a `.weights.h5` file.

    Raises:
        CheckpointError: The file is damaged or foreign, or holds another network; the model's
            weights are then as before.
    """
    if path.is_dir():
        files = checkpoint.read(path, limit_for(model))
        # An optimizer whose variables are there goes on from the checkpoint as well.
        optimizer = getattr(model, "optimizer", None)
        built = optimizer is not None and optimizer.built
        load_bytes(model, files[WEIGHTS], path / WEIGHTS, optimizer=built)
        return
    try:
        file = open_plain(path)
    except OSError as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else reason(error)
        raise CheckpointError(f"{path} cannot be read: {why}", hint=_KINDS) from error
    try:
        with file, tempfile.TemporaryFile(prefix="cnnctl-") as copy:
            if path.name.endswith(".h5"):
                _load(model, file, path, optimizer=False)
            else:
                _extract(file, path, copy, limit_for(model))
                _load(model, copy, path, optimizer=False)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {reason(error)}", hint=_KINDS) from error


def load_bytes(model: keras.Model, data: bytes, name: Path, *, optimizer: bool = False) -> None:
    """Put the weights of a checkpoint into a model.

    Args:
        model: Built; with `optimizer` compiled as well, and its optimizer built.
        data: A `.weights.h5` file.
        name: What messages call it.
        optimizer: Whether the optimizer's variables are taken too; they are checked likewise.

    Raises:
        CheckpointError: As in `load_weights`.
    """
    _load(model, io.BytesIO(data), name, optimizer=optimizer)


def to_bytes(model: keras.Model) -> bytes:
    """A model's weights, and its optimizer's, as `model.save_weights` writes them.

    Made in memory: where a disk is full, HDF5 may end the whole process.
    """
    return compat.saved_weights(model)


def limit_for(model: keras.Model) -> int:
    """How many bytes a file of a checkpoint may have: all variables several times over, since an
    optimizer keeps some for each, and what describes them."""
    size = sum(8 * math.prod(map(int, each.shape)) + (16 << 10) for each in _variables(model))
    return 8 * size + (1 << 20)


def _load(model: keras.Model, source: BinaryIO, name: Path, *, optimizer: bool) -> None:
    """Hold a file against the model, then copy its values into one that is written here, and let
    Keras read that."""
    skip = None if optimizer else "optimizer"
    with tempfile.TemporaryDirectory(prefix="cnnctl-") as folder:
        before, ours = Path(folder) / "before.weights.h5", Path(folder) / WEIGHTS
        before.write_bytes(to_bytes(model))
        shutil.copyfile(before, ours)
        with ours.open("r+b") as file:
            expected = hdf5.File(file, skip=skip)
            try:
                found = hdf5.File(source, skip=skip, limit=4 * expected.read + MAX_READ)
                _compare(found, expected, name)
                for path, array in found.arrays.items():
                    values = found.values(array)
                    _refuse_infinite(values, array, path, name)
                    file.seek(expected.arrays[path].offset)
                    file.write(values)
            except (hdf5.Refused, OSError, MemoryError) as error:
                raise CheckpointError(f"{name} is refused: {reason(error)}", hint=_KINDS) from error
        try:
            model.load_weights(ours)
        except BaseException as error:
            model.load_weights(before)
            if isinstance(error, Exception):
                raise CheckpointError(f"{name} cannot be read: {reason(error)}") from error
            raise


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Those of a model and of its optimizer; one that is not compiled has none."""
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *(optimizer.variables if optimizer is not None else ())]


def _extract(source: BinaryIO, name: Path, target: BinaryIO, limit: int) -> None:
    """Take the weights out of a `.keras` file, of whose other entries nothing is read."""
    try:
        with open_zip(source) as archive:
            names = archive.namelist()
            if strange := [each for each in names if each not in _IN_ARCHIVE]:
                raise CheckpointError(
                    f"{name} holds `{shortened(strange[0])}`, which no Keras model does"
                )
            if WEIGHTS not in names:
                raise CheckpointError(f"{name} is no Keras model: it has no {WEIGHTS}")
            if archive.getinfo(WEIGHTS).file_size > limit:
                raise CheckpointError(f"{name} is far larger than this network's weights")
            with archive.open(WEIGHTS) as weights:
                while block := weights.read(MAX_READ):
                    target.write(block)
    except CheckpointError:
        raise
    except Exception as error:  # whatever zipfile makes of foreign bytes: struct.error, …
        what = "no Keras model" if isinstance(error, zipfile.BadZipFile) else "damaged"
        raise CheckpointError(f"{name} is {what}: {reason(error)}", hint=_KINDS) from error


def _compare(found: hdf5.File, expected: hdf5.File, name: Path) -> None:
    problem = f"{name} is of another network"
    hint = "is it of the same network? `cnnctl summary` shows what the spec describes"
    for path, array in expected.arrays.items():
        if path not in found.arrays:
            raise CheckpointError(f"{problem}: it has no {shortened(path)}", hint=hint)
        other = found.arrays[path]
        if (other.shape, other.type) != (array.shape, array.type):
            raise CheckpointError(
                f"{problem}: {shortened(path)} is {shortened(other)}, and the spec's is {array}",
                hint=hint,
            )
    for path in [*found.arrays, *sorted(found.groups)]:
        if path not in expected.arrays and path not in expected.groups:
            raise CheckpointError(f"{problem}: the spec has no {shortened(path)}", hint=hint)


def _refuse_infinite(values: bytes, array: hdf5.Array, path: str, name: Path) -> None:
    if array.exponent is not None:
        width, mask = array.exponent
        if ((np.frombuffer(values, f"<u{width}") & mask) == mask).any():
            raise CheckpointError(f"{name} holds values that are not finite, in {path}")
