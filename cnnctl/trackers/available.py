"""Which trackers there are, and whether one can be had. Imports none of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import UsageError
from cnnctl.runs.run import Run
from cnnctl.trackers.tracker import Tracker

NONE = "none"
"""Stands for no tracker, where a run has some."""

NAMES = {
    "tensorboard": (),
    "mlflow": ("mlflow", "sqlalchemy", "alembic"),
    "wandb": ("wandb",),
}
"""By name, the packages that it needs beside cnnctl's own; its extra has the same name."""


def require(names: Sequence[str]) -> tuple[str, ...]:
    """Refuse trackers that there are not, before anything is trained.

    Args:
        names: As the user gave them.

    Returns:
        Each once; none where `none` is given.

    Raises:
        UsageError: There is no such tracker, its package is not installed, or it has no account.
    """
    for name in names:
        if name not in NAMES and name != NONE:
            close = nearest(name, [*NAMES, NONE])
            hint = f"did you mean {close}?" if close else f"there are {', '.join([*NAMES, NONE])}"
            raise UsageError(f"there is no tracker `{name}`", hint=hint)
    wanted = tuple(dict.fromkeys(names))
    if NONE in wanted:
        if len(wanted) > 1:
            raise UsageError(f"--track {NONE} goes with no other tracker")
        return ()
    for name in wanted:
        missing = [each for each in NAMES[name] if importlib.util.find_spec(each) is None]
        if missing:
            raise UsageError(
                f"--track {name} needs {', '.join(missing)}",
                hint=f"pip install 'cnnctl[{name}]'; or go on without it: --track {NONE}",
            )
        if name == "wandb":
            from cnnctl.trackers.wandb import refuse_no_account

            refuse_no_account()
    return wanted


def chosen(given: Sequence[str] | None, run: Path | None = None) -> tuple[str, ...]:
    """The trackers that the user names, or else those that a run was tracked by.

    Args:
        given: As the user gave them, if at all.
        run: The run folder, of a training that goes on.

    Raises:
        UsageError: One of them cannot be had.
    """
    if given or run is None:
        return require(given or ())
    return require([name for name in Run(run).trackers() if name in NAMES])


def make(name: str) -> Tracker:
    """A tracker by its name. Imports what it needs only when it is opened."""
    if name == "tensorboard":
        from cnnctl.trackers.tensorboard import TensorBoard

        return TensorBoard()
    if name == "mlflow":
        from cnnctl.trackers.mlflow import MLflow

        return MLflow()
    from cnnctl.trackers.wandb import WandB

    return WandB()
