"""The run folder: everything about one training. Never imports Keras.

runs/mnist/001/
  spec.yaml            resolved: enough to rebuild the network without any other file
  sources/             the YAML files as they were written
  environment.json     versions, device, threads, seed, data name, count and fingerprint
  state.json           running, finished, stopped or failed; the best epoch
  metrics.jsonl        one line an epoch
  checkpoints/         epoch-0003/ …, `best` and `last` point to two of them
  model.keras          the best model, for any Keras user
  evaluation.json      loss and metrics on the test set
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnctl.errors import CheckpointError, UsageError
from cnnctl.files import cannot_write, flush, write_json

RUNS_DIR = Path("runs")
MANIFEST = "manifest.json"
WEIGHTS = "model.weights.h5"
_NUMBER = re.compile(r"\d{3,}")
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
        return _read_json(self.path / "state.json")

    def environment(self) -> dict[str, Any]:
        """`environment.json`; empty if there is none yet."""
        return _read_json(self.path / "environment.json")

    def evaluation(self) -> dict[str, Any]:
        """`evaluation.json`; empty if there is none."""
        return _read_json(self.path / "evaluation.json")

    def update_state(self, **changes: Any) -> None:
        """Change some keys of `state.json`."""
        write_json(self.path / "state.json", {**self.state(), **changes})

    def history(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`, one an epoch; a last line that is cut off is left out."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        rows = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return rows

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

    def checkpoints(self) -> list[Path]:
        """The checkpoints that are complete, oldest first."""
        if not self.checkpoints_dir.is_dir():
            return []
        found = [
            path
            for path in self.checkpoints_dir.iterdir()
            if _CHECKPOINT.fullmatch(path.name) and (path / MANIFEST).exists()
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
            return path.resolve()
        there = [each.name for each in self.checkpoints()]
        there += [each for each in ("best", "last") if (self.checkpoints_dir / each).exists()]
        hint = f"there are: {', '.join(there)}" if there else "it has no checkpoint yet"
        raise UsageError(f"{self.path} has no checkpoint `{name}`", hint=hint)

    def point(self, name: str, checkpoint: Path) -> None:
        """Make `best` or `last` point to a checkpoint."""
        link = self.checkpoints_dir / name
        temporary = self.checkpoints_dir / f".partial-{os.getpid()}-{name}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(checkpoint.name)
        temporary.replace(link)
        flush(self.checkpoints_dir)


def create(name: str, runs_dir: Path = RUNS_DIR) -> Run:
    """Make the next free run folder of a spec: runs/NAME/001, 002, ….

    Two processes that ask at once get two numbers: making a folder is atomic.

    Raises:
        RunError: The folder cannot be made.
    """
    parent = runs_dir / name
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.name) for p in parent.iterdir() if _NUMBER.fullmatch(p.name)),
                         default=0)  # fmt: skip
        while True:
            path = parent / f"{number:03d}"
            try:
                path.mkdir()
                break
            except FileExistsError:
                number += 1
        (path / "checkpoints").mkdir()
        (path / "sources").mkdir()
    except OSError as error:
        raise cannot_write(parent, error) from error
    return Run(path)


def find(path: str | Path) -> Run:
    """The run at a path: the folder itself, or `runs/NAME`, of which the newest run with a best
    checkpoint is meant (the newest, if none has one).

    Raises:
        UsageError: It is no run folder.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"no such run: {path}", hint=_existing(path))
    if (path / "spec.yaml").is_file() and (path / "checkpoints").is_dir():
        return Run(path)
    if path.is_dir():
        numbered = [p for p in path.iterdir() if _NUMBER.fullmatch(p.name) and p.is_dir()]
        numbered.sort(key=lambda p: int(p.name))
        with_best = [p for p in numbered if (p / "checkpoints/best" / MANIFEST).exists()]
        if numbered:
            return find((with_best or numbered)[-1])
    raise UsageError(
        f"not a run folder: {path}",
        hint="a run folder has a spec.yaml and checkpoints/, such as runs/mnist/001",
    )


def _existing(path: Path) -> str | None:
    """The runs that are there instead."""
    for parent in (path.parent, path.parent.parent):
        if parent.is_dir():
            found = sorted(p for p in parent.glob("**/spec.yaml") if p.parent.is_dir())
            if found and len(found) <= 200:
                return "there are: " + ", ".join(str(p.parent) for p in found[-5:])
    return None


def checkpoint_name(epoch: int) -> str:
    """The folder name of the checkpoint after an epoch, counted from 1."""
    return f"epoch-{epoch:04d}"


def epoch_of(checkpoint: Path) -> int:
    """The epoch, counted from 1, of a checkpoint folder."""
    match = _CHECKPOINT.fullmatch(checkpoint.resolve().name)
    return int(match[1]) if match else 0


def write_manifest(folder: Path) -> None:
    """Record size and SHA-256 of every file of a folder; what has a manifest is complete."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }
    write_json(folder / MANIFEST, {"files": files})


def verify_manifest(folder: Path) -> None:
    """Compare a checkpoint's files with its manifest.

    Raises:
        CheckpointError: A file is missing, larger, smaller or different.
    """
    manifest = _read_json(folder / MANIFEST)
    files = manifest.get("files")
    if not isinstance(files, dict) or not files:
        raise CheckpointError(f"{folder} has no readable {MANIFEST}: it is not complete")
    for name, expected in files.items():
        path = folder / name
        if path.parent != folder or path.is_symlink() or not path.is_file():
            raise CheckpointError(f"{path} is missing: the checkpoint is damaged")
        known = expected if isinstance(expected, dict) else {}
        if path.stat().st_size != known.get("bytes") or sha256(path) != known.get("sha256"):
            raise CheckpointError(
                f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}",
                hint="use another checkpoint of the run: `--checkpoint last`, `--checkpoint best`",
            )


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
