"""What a sweep is: settled by the first process, and the same for all that join it."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

from cnnctl import plugins
from cnnctl.errors import UsageError
from cnnctl.specs import Spec
from cnnctl.specs.nodes import plain
from cnnctl.sweep.space import Space, size

METHODS = ("grid", "random", "tpe")
PRUNERS = ("none", "median", "hyperband")

TRIALS = 20
"""How many trials there are where ranges are drawn from and nobody says."""

MOST_POINTS = 10_000
"""How many combinations a grid may have."""

LONGEST_KEPT = 1000
"""Longer values of a spec (pictures that are written out) are kept as their SHA-256."""


@dataclass(frozen=True)
class Definition:
    """What a sweep is, whoever works on it.

    Args:
        tree: The spec with everything that it extends and `--set`, as plain values.
        space: What is varied.
        method: `grid`, `random` or `tpe`.
        seeds: How many trainings a trial has, with seeds one after another.
        seed: The first of them; also of what is drawn.
        prune: `none`, `median` or `hyperband`.
        monitor: The figure by which trials are compared.
        maximize: Whether it is best where it is largest.
        epochs: Of a training.
    """

    tree: dict[str, Any]
    space: Space
    method: str
    seeds: int
    seed: int
    prune: str
    monitor: str
    maximize: bool
    epochs: int

    def to_dict(self) -> dict[str, Any]:
        """Dotted names and plain values: what has to be the same for all that join."""
        return {
            **{f"spec.{key}": value for key, value in _flat(self.tree).items()},
            **{f"over.{each.path}": each.to_dict() for each in self.space},
            **{f"plugin.{each.name}": each.sha256 for each in plugins.loaded()},
            "method": self.method,
            "seeds": self.seeds,
            "prune": self.prune,
            "monitor": self.monitor,
            "direction": "maximize" if self.maximize else "minimize",
        }


def define(
    spec: Spec,
    space: Space,
    *,
    method: str | None,
    seeds: int,
    prune: str | None,
    monitor: tuple[str, bool],
) -> Definition:
    """Settle what the user left open.

    Args:
        spec: The checked spec.
        space: What is varied.
        method: None for a grid where every value is in a list, TPE where there is a range.
        seeds: Trainings in a trial.
        prune: None for `none` in a grid, whose points are all wanted, and else `median`.
        monitor: What `checks.monitor_of` gave.

    Raises:
        UsageError: A grid over a range of real numbers, or of too many points; or a spec whose
            training takes several processes.
    """
    if spec.fit.distribute == "multi_worker":
        raise UsageError(
            "a sweep trains each trial by one process, and `fit.distribute` is multi_worker",
            hint="--set fit.distribute=none; --workers 2 trains two trials at a time",
        )
    counted = all(each.points for each in space)
    listed = all(each.kind == "choice" for each in space)
    method = method or ("grid" if listed else "tpe")
    if method == "grid" and not counted:
        real = next(each for each in space if not each.points)
        raise UsageError(
            f"a grid takes every value, and {real.path} is a range of real numbers",
            hint="--method random or --method tpe draws from it; a `choice` lists values",
        )
    if method == "grid" and size(space) > MOST_POINTS:
        raise UsageError(
            f"the grid has {size(space):,.0f} points, more than {MOST_POINTS:,}",
            hint="--method random or --method tpe tries some of them",
        )
    tree = plain(spec.tree)
    tree.pop("description", None)
    return Definition(
        tree={"name": spec.name, **tree},
        space=space,
        method=method,
        seeds=seeds,
        seed=spec.seed,
        prune=prune or ("none" if method == "grid" else "median"),
        monitor=monitor[0],
        maximize=monitor[1],
        epochs=spec.fit.epochs,
    )


def count_trials(definition: Definition, wanted: int | None, before: int) -> int:
    """How many trials a sweep has.

    Args:
        definition: What it is.
        wanted: What the user asks for, if anything.
        before: How many it had; they never become fewer.

    Raises:
        UsageError: A grid is asked for another number than it has points.
    """
    if definition.method == "grid":
        points = int(size(definition.space))
        if wanted is not None and wanted != points:
            raise UsageError(
                f"this grid has {points} trials, and --trials asks for {wanted}",
                hint="leave --trials away, or draw some of them: --method random",
            )
        return points
    if wanted is None and before:
        return before
    return max(wanted or int(min(TRIALS, size(definition.space))), before)


def refuse_others(name: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to join a sweep that is another one.

    Args:
        name: Of the sweep.
        before, now: What `Definition.to_dict` gave, then and now.

    Raises:
        UsageError: They differ; the differences are named.
    """
    lines = [
        f"{key}: {_shown(before, key)} → {_shown(now, key)}"
        for key in dict.fromkeys([*before, *now])
        if before.get(key, math.nan) != now.get(key, math.nan)
    ]
    if lines:
        more = [f"and {len(lines) - 8} more"] if len(lines) > 8 else []
        raise UsageError(
            f"the sweep {name} is there already, and is another one",
            hint="\n".join(["--name OTHER starts one of its own; this differs:",
                            *lines[:8], *more]),
        )  # fmt: skip


def _shown(values: dict[str, Any], key: str) -> str:
    if key not in values:
        return "–"
    value = values[key]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Nested mappings and lists by dotted path; long lists of numbers stay whole."""
    parts: dict[str, Any] = {}
    if isinstance(value, dict) and value:
        parts = value
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        parts = {str(index): each for index, each in enumerate(value)}
    if not parts:
        text = json.dumps(value)
        if len(text) > LONGEST_KEPT:
            return {path: f"sha256 {hashlib.sha256(text.encode()).hexdigest()}"}
        return {path: value}
    found: dict[str, Any] = {}
    for key, each in parts.items():
        found |= _flat(each, f"{path}.{key}" if path else key)
    return found
