"""What W&B has written in a training without a network, read back from its own files.

W&B writes them seconds late, so that a training that is killed leaves fewer epochs in them than it
has sent. A file is LevelDB's log of protocol buffers behind a header of seven bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from cnnctl.io.untrusted import read_plain

_HEADER = 7
_BLOCK = 1 << 15
_RECORD = struct.Struct("<IHB")
_WHOLE, _LAST = 1, 4
_MOST_BYTES = 1 << 28


def epochs(folder: Path, number: str) -> int | None:
    """Up to which epoch W&B has all that a run sent.

    Args:
        folder: W&B's folder, with one folder for each part of a run.
        number: The run's id.

    Returns:
        The epoch, 0 for none; None if there are no such files.
    """
    paths = sorted(folder.glob(f"offline-run-*-{number}*/run-{number}.wandb"))
    if not paths:
        return None
    steps = {step for path in paths for step in _steps(path)}
    return next(epoch for epoch in range(len(steps) + 1) if epoch + 1 not in steps)


def _steps(path: Path) -> Iterator[int]:
    from google.protobuf.message import DecodeError
    from wandb.proto.wandb_internal_pb2 import Record

    try:
        for data in records(read_plain(path, _MOST_BYTES)):
            record = Record.FromString(data)
            if record.HasField("history"):
                yield record.history.step.num
    except (OSError, ValueError, DecodeError):
        return  # the rest of a file that was cut off


def records(data: bytes) -> Iterator[bytes]:
    """The records of a file, each put together from its parts; one that is cut off is left out."""
    position, parts = _HEADER, b""
    while position + _RECORD.size <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < _RECORD.size:
            position += left
            continue
        _, size, kind = _RECORD.unpack_from(data, position)
        position += _RECORD.size
        if kind == 0 or position + size > len(data):
            return
        parts += data[position : position + size]
        position += size
        if kind in (_WHOLE, _LAST):
            yield parts
            parts = b""
