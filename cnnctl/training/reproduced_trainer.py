"""A run that is trained again, in a folder that goes afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cnnctl.arithmetic.checked import Checked
from cnnctl.compute.observer import Facts
from cnnctl.io.notes import tell
from cnnctl.runs.run import Run
from cnnctl.training.results import Settings
from cnnctl.training.trainer import Trainer


class ReproducedTrainer(Trainer):
    """Trains a run again; observers are told of the run, not of the folder.

    Args:
        reproduced: The run.
        checked: Its spec.
        settings: With the run's plan.
        runs_dir: Where the folder is made.
    """

    def __init__(
        self, reproduced: Run, checked: Checked, settings: Settings, runs_dir: Path
    ) -> None:
        super().__init__(checked, settings, runs_dir)
        self.reproduced = reproduced

    def facts(self, run: Run) -> Facts:
        """What is settled, of the run that is reproduced."""
        facts = super().facts(run)
        if len(self.settings.observers) == 1:  # nobody but the one that compares
            tell(facts.notes)
        notes = (*facts.notes, "it is trained again, and nothing of that is kept")
        return replace(facts, run=self.reproduced, notes=notes)
