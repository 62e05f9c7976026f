"""What a tracker is told of a run, read from the run folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnctl.runs.run import Run
from cnnctl.specs import load
from cnnctl.specs.nodes import plain
from cnnctl.trackers.tracker import Ending, Story

LONGEST = 500
"""Characters of a value; images that are written in a spec have more."""

FILES = (
    "spec.yaml",
    "environment.json",
    "state.json",
    "metrics.jsonl",
    "evaluation.json",
    "model.keras",
    "report.html",
)
FOLDERS = ("sources", "plots")
NOT_FIGURES = ("epoch",)
"""What of a line of `metrics.jsonl` is no figure."""


def story(run: Run, known: dict[str, Any], done: int) -> Story:
    """Read what is known of a training before its first epoch.

    Args:
        run: The run folder.
        known: What the tracker asked to keep.
        done: How many epochs of the run were done before.
    """
    spec = load(run.spec_path, recorded=True)
    tree = plain(spec.tree)
    parameters = dict(flattened({key: tree[key] for key in tree if key != "description"}))
    environment = run.environment()
    if overrides := environment.get("overrides"):
        parameters["overrides"] = _text(overrides)
    return Story(
        run,
        parameters,
        tags(run, environment, spec.description or ""),
        run.spec_path.read_text(encoding="utf-8"),
        known,
        done,
    )


def ending(run: Run, error: BaseException | None = None) -> Ending:
    """Read what a training has left.

    Args:
        run: The run folder.
        error: What ended it, if it did not come to its end.
    """
    state = run.state()
    status, reason = str(state.get("status")), state.get("reason")
    if status not in {"finished", "stopped", "failed"}:
        is_signal = isinstance(error, KeyboardInterrupt | SystemExit)
        status = "stopped" if is_signal else "failed"
        reason = None if is_signal else str(error or "it ended without a word")
    figures = run.evaluation().get("figures") if status == "finished" else None
    found = figures.items() if isinstance(figures, dict) else ()
    return Ending(
        status=status,
        reason=str(reason) if reason and status == "failed" else None,
        best_epoch=state.get("best_epoch"),
        figures={f"test_{key}": float(value) for key, value in found},
        artefacts=dict(artefacts(run)),
    )


def figures_of(row: dict[str, Any]) -> dict[str, float]:
    """The figures of a line of `metrics.jsonl`."""
    return {
        key: float(value)
        for key, value in row.items()
        if key not in NOT_FIGURES and isinstance(value, int | float)
    }


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a resolved spec by their dotted paths: `model.layers.0.Dense.units`.

    A list is gone into only where it has components in it; others are one value, as JSON.
    """
    inner = list(value) if isinstance(value, list) else []
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from flattened(each, f"{path}.{key}" if path else str(key))
    elif any(isinstance(each, dict) for each in inner):
        for index, each in enumerate(inner):
            yield from flattened(each, f"{path}.{index}")
    else:
        yield path, value if isinstance(value, bool | int | float | str) else _text(value)


def tags(run: Run, environment: dict[str, Any], description: str) -> dict[str, str]:
    """Versions, device, data and commit, by name."""
    found = dict(environment.get("versions") or {})
    device, data = environment.get("device"), environment.get("data") or {}
    if isinstance(device, dict):
        found["device"] = f"{device.get('name')} ({device.get('description')})"
    found["data"] = data.get("name")
    found["data.fingerprint"] = data.get("fingerprint")
    found["run"] = str(run.path.resolve())
    found["description"] = description
    found["git.commit"] = commit()
    return {key: str(value) for key, value in found.items() if value}


def commit() -> str | None:
    """The commit of the folder in which cnnctl was started, if it is one of Git's."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def artefacts(run: Run) -> Iterator[tuple[str, Path]]:
    """The files of a run that are worth keeping, by their names in it."""
    for name in FILES:
        if (run.path / name).is_file():
            yield name, run.path / name
    for folder in FOLDERS:
        for path in sorted((run.path / folder).glob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield f"{folder}/{path.name}", path


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
