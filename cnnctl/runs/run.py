"""The run folder: everything about one training. Never imports Keras.

runs/mnist/001/
  spec.yaml            resolved: enough to rebuild the network without any other file
  sources/             the YAML files as they were written
  environment.json     versions, device, threads, seed, data name, count, fingerprint, pixels
  state.json           running, finished, stopped or failed; the best epoch
  metrics.jsonl        one line an epoch
  checkpoints/         epoch-0003/ … (see `cnnctl.runs.checkpoint`); `best` and `last` point to two
  model.keras          the best model, for any Keras user
  evaluation.json      loss and metrics on the test set
  trackers.json        which trackers have it, and what they need to find it again
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnctl.errors import RunError, UsageError
from cnnctl.io.atomic import cannot_write, replacing, write_json, write_text
from cnnctl.io.notes import note
from cnnctl.io.printable import shell
from cnnctl.io.untrusted import read_plain
from cnnctl.runs.checkpoint import MANIFEST, set_aside
from cnnctl.runs.history import read_history
from cnnctl.runs.records import ENVIRONMENT, EVALUATION, STATE, finite_values, read_json

_PARTIAL = re.compile(r"\.partial-\d+-[\w.]+")
"""What `atomic.replacing` makes before it replaces a file or a link."""
_CHECKPOINT = re.compile(r"epoch-(\d{4,})")


@dataclass(frozen=True)
class Run:
    """A run folder.

    Args:
        path: The folder, such as runs/mnist/001.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def spec_path(self) -> Path:
        """The resolved spec."""
        return self.path / "spec.yaml"

    @property
    def checkpoints_dir(self) -> Path:
        """Where the checkpoints are."""
        return self.path / "checkpoints"

    @property
    def model_path(self) -> Path:
        """The best model as a `.keras` file."""
        return self.path / "model.keras"

    def state(self) -> dict[str, Any]:
        """`state.json`; empty if there is none yet."""
        return read_json(self.path / "state.json", STATE)

    def environment(self) -> dict[str, Any]:
        """`environment.json`; empty if there is none yet."""
        return read_json(self.path / "environment.json", ENVIRONMENT)

    def evaluation(self) -> dict[str, Any]:
        """`evaluation.json`, whose figures are finite numbers; empty if there is none."""
        path = self.path / "evaluation.json"
        found = read_json(path, EVALUATION)
        if "figures" in found:
            found["figures"] = finite_values(found["figures"], path)
        return found

    def trackers(self) -> dict[str, Any]:
        """`trackers.json`, by the tracker's name; empty if there is none."""
        found = read_json(self.path / "trackers.json", {})
        return {name: known for name, known in found.items() if isinstance(known, dict)}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the one process that writes to this run; a process that ends lets go of it.

        Raises:
            RunError: Another process trains in it.
        """
        from filelock import FileLock, Timeout

        self._refuse_links()
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            pid = self.state().get("pid")
            who = f"process {pid}" if isinstance(pid, int) else "another process"
            raise RunError(
                f"{self} is in use: {who} trains in it",
                hint="wait until it has ended, or start another training without --resume",
            ) from None
        except OSError as error:
            raise cannot_write(self.path / ".lock", error) from error
        try:
            yield
        finally:
            lock.release()

    def _refuse_links(self) -> None:
        """Refuse to write to a folder whose links would lead the writing to another place."""
        known = {self.checkpoints_dir / "best", self.checkpoints_dir / "last"}
        for folder, folders, files in os.walk(self.path):
            for path in (Path(folder) / name for name in (*folders, *files)):
                if path in known or _PARTIAL.fullmatch(path.name):
                    continue
                if path.is_symlink() or not (path.is_file() or path.is_dir()):
                    raise RunError(
                        f"{path} is a link or a device, and a run is written to in its own folder",
                        hint="put what it leads to in its place",
                    )

    def remove_partial(self) -> None:
        """Remove what a killed process left beside a file or a link that it would replace."""
        self.checkpoints_dir.mkdir(exist_ok=True)  # a copy of a run may lack an empty folder
        for folder in (self.path, self.checkpoints_dir):
            for path in folder.iterdir():
                if _PARTIAL.fullmatch(path.name) and (path.is_symlink() or path.is_file()):
                    path.unlink()

    def update_state(self, **changes: Any) -> None:
        """Change some keys of `state.json`."""
        write_json(self.path / "state.json", {**self.state(), **changes})

    def history(self, state: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The epochs of `metrics.jsonl` (see `runs.history.read_history`); where `state.json`
        counts more of them, a note says so.

        Args:
            state: What `state` has returned, where it was read before.
        """
        # The state is read first: a training writes the lines before it counts them.
        counted = (self.state() if state is None else state).get("epochs") or 0
        path = self.path / "metrics.jsonl"
        rows = read_history(path)
        if len(rows) < counted:
            has = f"has {len(rows) or 'none'}" if path.exists() else "is missing, which had those"
            is_saved = not rows and len(self.checkpoints()) == counted
            note(
                f"{path} {has} of the {counted} epochs that state.json counts: "
                + (
                    f"cnnctl resume {shell(self.path)} writes it again from the checkpoints"
                    if is_saved
                    else "put it back from a copy, or go by the epochs that it has"
                )
            )
        return rows

    def begin(self, planned: int) -> None:
        """Note that a training begins.

        Args:
            planned: How many epochs it is to have.
        """
        self.update_state(status="running", epochs=0, planned=planned, pid=os.getpid())

    def resume(self, done: int, planned: int, changes: Sequence[str]) -> None:
        """Note that the training goes on.

        Args:
            done: After how many epochs.
            planned: How many it is to have in all.
            changes: What is not as it was.
        """
        state = self.state()
        state.pop("reason", None)
        before = state.get("resumed")
        resumed = [*(before if isinstance(before, list) else ()),
                   {"after": done, "at": _now(), "changes": list(changes)}]  # fmt: skip
        changed = {"status": "running", "epochs": done, "planned": planned, "pid": os.getpid()}
        write_json(self.path / "state.json", {**state, **changed, "resumed": resumed})

    def rewrite_history(self, rows: Sequence[dict[str, Any]]) -> None:
        """Make `metrics.jsonl` of these rows, if it is not already."""
        path = self.path / "metrics.jsonl"
        text = "".join(json.dumps(row) + "\n" for row in rows)
        try:
            is_same = read_plain(path, len(text)) == text.encode()
        except OSError:  # none, or one that is longer
            is_same = False
        if not is_same:
            write_text(path, text)

    def append_history(self, row: dict[str, Any]) -> None:
        """Add one epoch to `metrics.jsonl` and flush it to the disk."""
        path = self.path / "metrics.jsonl"
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise cannot_write(path, error) from error

    def checkpoints(self, *, complete: bool = True) -> list[Path]:
        """The checkpoints, oldest first; those without a manifest only if not `complete`."""
        if not self.checkpoints_dir.is_dir():
            return []
        found = [
            path
            for path in self.checkpoints_dir.iterdir()
            if _CHECKPOINT.fullmatch(path.name)
            and path.is_dir()
            and not path.is_symlink()
            and (not complete or (path / MANIFEST).exists())
        ]
        return sorted(found, key=epoch_of)

    def checkpoint(self, name: str) -> Path:
        """A checkpoint by name: `best`, `last`, `epoch-0003` or `3`.

        Raises:
            UsageError: There is no such checkpoint.
        """
        if name.isdecimal():
            name = checkpoint_name(int(name))
        path = self.checkpoints_dir / name
        if path.parent == self.checkpoints_dir and (path / MANIFEST).exists():
            path = path.resolve()
            # `best` and `last` are links; one that leads out of the run is none of cnnctl's.
            if path.parent == self.checkpoints_dir.resolve():
                return path
        there = [each.name for each in self.checkpoints()]
        links = ("best", "last")
        there += [each for each in links if (self.checkpoints_dir / each / MANIFEST).exists()]
        hint = f"there are: {', '.join(there)}" if there else "it has no checkpoint"
        known = checkpoint_name(self.state().get("best_epoch") or 0)
        if name == "best" and (self.checkpoints_dir / known / MANIFEST).exists():
            hint += f"; the best is --checkpoint {known}"
        elif name == "best" and self.model_path.is_file():
            hint += f"; the best model is in {shell(self.model_path)} too: name that file"
        raise UsageError(f"{self.path} has no checkpoint `{name}`", hint=hint)

    def point(self, name: str, checkpoint: Path) -> None:
        """Make `best` or `last` point to a checkpoint.

        Raises:
            RunError: It cannot be written.
        """
        link = self.checkpoints_dir / name
        with replacing(link) as temporary:
            if link.is_dir() and not link.is_symlink():  # a copy that has followed the link
                set_aside(link)
            temporary.symlink_to(checkpoint.name)


def checkpoint_name(epoch: int) -> str:
    """The folder name of the checkpoint after an epoch, counted from 1."""
    return f"epoch-{epoch:04d}"


def epoch_of(checkpoint: Path) -> int:
    """The epoch, counted from 1, of a checkpoint folder."""
    match = _CHECKPOINT.fullmatch(checkpoint.resolve().name)
    return int(match[1]) if match else 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
