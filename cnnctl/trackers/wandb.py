"""Weights & Biases: a run in the project `cnnctl`, or offline in the folder `wandb`."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any

from cnnctl.errors import UsageError
from cnnctl.trackers import wandb_files
from cnnctl.trackers.metadata import figures_of
from cnnctl.trackers.tracker import Ending, Opened, Story

PROJECT = "cnnctl"
_ID = re.compile(r"[0-9a-z]{8}")
_ONLINE = ("online", "run", "shared")


def refuse_no_account() -> None:
    """Refuse a training whose figures W&B would not take.

    Raises:
        UsageError: No API key is configured, and none is needed only offline.
    """
    _settle()
    import wandb

    if wandb.setup().settings.mode in _ONLINE and not wandb.login(prompt=False, verify=False):
        raise UsageError(
            "Weights & Biases has no API key on this machine",
            hint="wandb login; or WANDB_MODE=offline, and later: wandb sync wandb/offline-run-…",
        )


class WandB:
    """Configuration, figures of every epoch, summary and the run's files as an artifact.

    W&B itself decides where they go. Its own output is left out, and it does not listen to the
    terminal's.
    """

    def __init__(self) -> None:
        self._run: Any = None
        self._name = ""

    def open(self, story: Story) -> Opened:
        """Begin a run, or go on with the one that this training had."""
        _settle()
        import wandb

        known = story.known.get("id")
        is_known = isinstance(known, str) and _ID.fullmatch(known) is not None
        number = str(known) if is_known else secrets.token_hex(4)
        self._name = story.name.replace("/", "-")
        note = None
        try:
            self._run = self._begin(story, number)
        except wandb.errors.CommError as error:
            note = f"it does not answer, and the run is kept offline: {str(error).splitlines()[0]}"
            is_known, number = False, secrets.token_hex(4)  # the other one counts as in use
            self._run = self._begin(story, number, mode="offline")
        self._run.config.update({**story.parameters, **story.tags}, allow_val_change=True)
        self._run.define_metric("*", step_metric="epoch")
        epochs = self._epochs(story) if is_known else 0
        return Opened(self._where(), epochs, {"id": number}, note)

    def epoch(self, row: dict[str, Any]) -> None:
        """Send the figures of an epoch."""
        row = {"epoch": row["epoch"], **figures_of(row)}
        self._run.log(row, step=row["epoch"], commit=True)

    def close(self, ending: Ending) -> None:
        """Send figures and files, and say how it ended."""
        import wandb

        told = {"status": ending.status, "best_epoch": ending.best_epoch, "reason": ending.reason}
        self._run.summary.update({key: value for key, value in told.items() if value is not None})
        self._run.summary.update(ending.figures)
        artifact = wandb.Artifact(self._name, type="run")
        for name, path in ending.artefacts.items():
            artifact.add_file(str(path), name=name)
        self._run.log_artifact(artifact)
        self._run.finish(exit_code={"finished": 0, "stopped": 130}.get(ending.status, 1))

    def _begin(self, story: Story, number: str, **options: Any) -> Any:
        import wandb

        return wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            group=os.environ.get("WANDB_RUN_GROUP") or story.group,
            name=story.name,
            notes=story.tags.get("description"),
            id=number,
            resume="allow",
            settings=wandb.Settings(
                silent=True, console="off", save_code=False, finish_timeout_raises=True
            ),
            **options,
        )

    def _where(self) -> str:
        """Where the user finds it."""
        if self._run.disabled:
            return "nowhere, since WANDB_MODE is disabled"
        return str(self._run.url or f"offline; to send it: wandb sync {Path(self._run.dir).parent}")

    def _epochs(self, story: Story) -> int:
        """The last epoch that W&B has."""
        if not self._run.offline:
            return max(int(self._run.starting_step) - 1, 0)
        found = wandb_files.epochs(Path(self._run.dir).parent.parent, self._run.id)
        if found is not None:
            return found
        known = story.known.get("epochs")  # the files have been sent, and are gone
        return known if type(known) is int else 0


def _settle() -> None:
    """What W&B is told by its environment, where the user has not: to be silent, not to report on
    itself, and not to try without end."""
    for key, value in (
        ("WANDB_SILENT", "true"),
        ("WANDB_ERROR_REPORTING", "false"),
        ("WANDB_INIT_TIMEOUT", "30"),
        ("WANDB_FINISH_TIMEOUT", "50"),
    ):
        os.environ.setdefault(key, value)
