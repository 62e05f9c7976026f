"""A checkpoint folder: written whole or not at all, and held against its checksums before use.

    checkpoints/epoch-0003/
      model.weights.h5     weights and optimizer, in Keras's own layout
      state.json           epoch, best figure so far, the state of every callback, the epoch's row
      callbacks.npz        arrays that a callback keeps, if one does
      spec.yaml            the resolved spec that it was trained by
      manifest.json        size and SHA-256 of each of them; written last

Files are made in memory and written as plain bytes: where the disk is full, that is an error with
a name, while the HDF5 library may end the process.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Container
from pathlib import Path
from typing import Any

from cnnctl.errors import CheckpointError, RunError
from cnnctl.io.atomic import replacing
from cnnctl.io.untrusted import open_plain, parse_json, read_plain

MANIFEST = "manifest.json"
WEIGHTS = "model.weights.h5"
STATE = "state.json"
ARRAYS = "callbacks.npz"
SPEC = "spec.yaml"
FILES = (WEIGHTS, STATE, ARRAYS, SPEC)
"""What a checkpoint may hold beside its manifest."""

MAX_MANIFEST = 1 << 14
MAX_STATE = 1 << 21
"""How many bytes these may have; a value of JSON takes up to 30 times its text in memory."""

_NUMBER = (int, float)
_OPTIONAL = type(None)
_STATE_TYPES: dict[str, tuple[type, ...]] = {
    "epoch": (int,),
    "value": _NUMBER,
    "best": _NUMBER,
    "best_epoch": (int, _OPTIONAL),
    "stopped": (bool,),
    "row": (dict,),
    "callbacks": (list, _OPTIONAL),
}
"""What is expected of a state, where it has these keys."""


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write a checkpoint beside its place, flush it, and rename it.

    A process that is killed at any moment leaves the folder as it was: absent, or whole.

    Args:
        folder: Where it belongs; what stood there, a damaged checkpoint, is moved aside.
        files: Their bytes, by name.

    Raises:
        RunError: It cannot be written; nothing of it is left.
    """
    if (size := len(files.get(STATE, b""))) > MAX_STATE:
        raise RunError(
            f"the state of the callbacks takes {size:,} bytes, and {folder / STATE} may have "
            f"{MAX_STATE:,}"
        )
    with replacing(folder) as partial:
        partial.mkdir()
        for name, data in {**files, MANIFEST: _manifest(files)}.items():
            (partial / name).write_bytes(data)
        if folder.exists():
            set_aside(folder)


def read(
    folder: Path, limit: int | None = None, *, names: Container[str] = FILES
) -> dict[str, bytes]:
    """The files of a checkpoint, after each was compared with its checksum.

    Args:
        folder: The checkpoint.
        limit: How many bytes a file may have at most, by the network that it is for.
        names: Which of its files are read.

    Raises:
        CheckpointError: There is none, or a file is missing, cut off, different or too large.
    """
    expected = _expected(folder)
    files = {}
    for name, (size, digest) in expected.items():
        if name not in names:
            continue
        path = folder / name
        most = MAX_STATE if name == STATE else math.inf if limit is None else limit
        if size > most:
            raise CheckpointError(f"{path} is far larger than this network's weights")
        data = _read(path, size)
        if data is None:
            raise CheckpointError(f"{path} is missing or damaged: its size is not as in {MANIFEST}")
        if hashlib.sha256(data).hexdigest() != digest:
            raise CheckpointError(f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}")
        files[name] = data
    return files


def state_of(files: dict[str, bytes], folder: Path) -> dict[str, Any]:
    """The state among a checkpoint's files.

    Raises:
        CheckpointError: There is none, or it is no JSON object, or has values of other types.
    """
    try:
        state = parse_json(files[STATE])
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{folder / STATE} cannot be read") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{folder / STATE} cannot be read")
    for key, types in _STATE_TYPES.items():
        # Compared, not `isinstance`: True is an int.
        if key in state and type(state[key]) not in types:
            raise CheckpointError(f"{folder / STATE} is no state: {key} is {state[key]!r:.50}")
    row = state.get("row", {})
    numbers = [*row.values(), *(state.get(key) for key in ("epoch", "value", "best", "best_epoch"))]
    if not all(_is_number(each) for each in numbers if each is not None):
        raise CheckpointError(f"{folder / STATE} is no state: it holds what is no figure")
    return state


def _is_number(value: Any) -> bool:
    """Whether a value is a float, or a whole number that a float can take."""
    return type(value) is float or (type(value) is int and abs(value) < 2**63)


def set_aside(folder: Path) -> Path:
    """Move a checkpoint that is damaged out of the way, to `damaged-epoch-0003`; returns where."""
    for number in range(1, 10_000):
        target = folder.with_name(f"damaged-{folder.name}" + (f"-{number}" if number > 1 else ""))
        if not target.exists():
            folder.rename(target)
            return target
    raise OSError(f"too many damaged checkpoints beside {folder}")


def remove(folder: Path) -> None:
    """Remove a checkpoint: the files that cnnctl wrote, and the folder if nothing else is in it."""
    if folder.is_symlink() or not folder.is_dir():
        return
    # The manifest goes first: what is left of a removal that is cut short is no checkpoint.
    for name in (MANIFEST, *FILES):
        (folder / name).unlink(missing_ok=True)
    try:
        folder.rmdir()
    except OSError:
        return  # somebody else's files are in it


def _manifest(files: dict[str, bytes]) -> bytes:
    sums = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in sorted(files.items())
    }
    # The manifest vouches for the files, and this sum for the manifest.
    digest = hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()
    return (json.dumps({"files": sums, "sha256": digest}, indent=2) + "\n").encode()


def _expected(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of a checkpoint's files, by its manifest."""
    problem = CheckpointError(f"{folder} has no readable {MANIFEST}: it is not complete")
    try:
        manifest = parse_json(read_plain(folder / MANIFEST, MAX_MANIFEST))
        files = manifest["files"]
        digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
        if digest != manifest["sha256"] or not {WEIGHTS, STATE} <= files.keys() <= set(FILES):
            raise problem
        expected = {name: (each["bytes"], each["sha256"]) for name, each in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise problem from error
    if any(type(size) is not int or size < 0 for size, _ in expected.values()):
        raise problem
    return expected


def _read(path: Path, size: int) -> bytes | None:
    """The bytes of a plain file of that size; None if there is none."""
    try:
        with open_plain(path, follow=False) as file:
            # Asked first: memory is not taken for what a manifest only claims to be there.
            return file.read(size) if os.fstat(file.fileno()).st_size == size else None
    except (OSError, MemoryError):
        return None
