"""A sweep's folder: what processes of one machine, or one file system, share."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnnctl.io.atomic import cannot_write, write_text

if TYPE_CHECKING:
    from filelock import BaseFileLock

SWEEPS = "sweeps"
"""The folder beside the runs in which each sweep has one of its own."""


@dataclass(frozen=True)
class SweepFolder:
    """The folder of a sweep.

    Args:
        path: `runs/sweeps/NAME`.
    """

    path: Path

    def make(self) -> None:
        """Make the folder and the name by which workers know that they share it.

        Raises:
            RunError: It cannot be written.
        """
        try:
            (self.path / "locks").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        with self.lock("place"):
            if not (self.path / "place").is_file():
                write_text(self.path / "place", f"{uuid.uuid4().hex}\n")

    @property
    def identity(self) -> str:
        """The same for all who see the same folder, and for nobody else."""
        return (self.path / "place").read_text(encoding="utf-8").strip()

    def lock(self, name: str) -> BaseFileLock:
        """The lock of a name, for `with`; the kernel ends it with the process that holds it."""
        from filelock import FileLock

        return FileLock(self.path / "locks" / f"{name}.lock")

    def is_alive(self, worker: str) -> bool:
        """Whether the worker of this name holds its lock."""
        from filelock import Timeout

        if not re.fullmatch(r"[0-9a-f]{32}", worker):
            return False
        lock = self.lock(worker)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        (self.path / "locks" / f"{worker}.lock").unlink(missing_ok=True)
        lock.release()
        return False
