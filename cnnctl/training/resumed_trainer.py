"""A training that goes on where it was: after a kill, a stop, or for more epochs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from cnnctl.arithmetic.checked import Checked
from cnnctl.compute.observer import loading
from cnnctl.compute.plan import recorded
from cnnctl.data.pixel_normalization import Normalization
from cnnctl.data.preparation import prepare
from cnnctl.errors import CheckpointError, UsageError
from cnnctl.inference.evaluation import Evaluation
from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import SPEC, STATE
from cnnctl.runs.run import Run
from cnnctl.specs import Spec, load
from cnnctl.training import compatibility
from cnnctl.training.checkpoints import forget
from cnnctl.training.compatibility import Change
from cnnctl.training.description import write_environment, write_spec
from cnnctl.training.restart import find_start
from cnnctl.training.results import Settings, TrainingResult
from cnnctl.training.trainer import Trainer


class ResumedTrainer(Trainer):
    """Goes on with a run, as the same training, to the bits it would have reached without a break.

    Args:
        resumed: The run.
        checked: The spec by which it goes on.
        settings: Device, data folder, observers.
        allow: Which changes are meant: of `cnnctl.training.compatibility.KINDS`.
        may_shrink: Whether a finished run may be asked for fewer epochs than it has, as by a spec
            that is trained again.
    """

    def __init__(
        self,
        resumed: Run,
        checked: Checked,
        settings: Settings,
        allow: tuple[str, ...] = (),
        *,
        may_shrink: bool = False,
    ) -> None:
        super().__init__(checked, settings, resumed.path.parent.parent)
        self.resumed = resumed
        self.allow = allow
        self.may_shrink = may_shrink
        self.environment = resumed.environment()
        self.changes: list[Change] = []

    def train_steps(self) -> TrainingResult:
        """Find out what has changed, and train the epochs that are left."""
        run = self.resumed
        if self.leads:
            self.held.enter_context(run.locked())
        self.before = _spec_of_checkpoint(run) or load(run.spec_path, recorded=True)
        self._allow(
            *compatibility.of_spec(self.before, self.spec),
            *compatibility.of_versions(self.environment),
        )
        self._allow(*compatibility.of_plugins(self.environment))
        if self._is_done():
            return self._unchanged()
        return super().train_steps()

    def prepare(self) -> None:
        """Load the data, which has to be the run's, and find the checkpoint to go on from."""
        run, environment = self.resumed, self.environment
        path = run.path / "environment.json"
        fixed = Normalization.from_dict(environment["normalization"], path)
        self.data = prepare(
            self.checked,
            data_dir=self.settings.data_dir,
            full_data=self.settings.full_data,
            progress=loading(self.observers) if self.leads else None,
            fixed=None if any(each.kind == "data" for each in self.changes) else fixed,
            training=True,
            recorded=True,
        )
        self._allow(*compatibility.of_data(environment, self.data))
        start = find_start(run, self.before, self.data, self.changes, run.history())
        # Whoever leads changes nothing in the run before all are there, and have read it.
        changed = any(each.kind in {"compile", "fit", "model"} for each in self.changes)
        self.begin(None if changed else recorded(environment))
        device, replicas = self.computation.device, self.computation.replicas
        planned = int(run.state().get("planned") or self.before.fit.epochs)
        notes = (
            *start.notes,
            *self.computation.notes,
            *(f"changed: {change}" for change in self.changes),
            *compatibility.of_machine(environment, device, replicas.count),
            *compatibility.of_schedules(self.spec, planned, start.done),
        )
        self.start = replace(start, notes=notes)

    def open_run(self) -> Run:
        """Take back what the run has beyond the checkpoint, and write down what has changed."""
        run, start = self.resumed, self.start
        forget(run, start.done)
        if start.path is not None:
            run.point("last", start.path)
        run.rewrite_history(start.rows)
        if self.spec.fit.epochs != self.before.fit.epochs or self.changes:
            write_spec(run, self.data)
        if self.changes:  # what was allowed once is what later commands go by
            write_environment(run, self.data, self.computation, self.compiled.plan)
        changes = [str(change) for change in self.changes]
        run.resume(start.done, self.spec.fit.epochs, changes)
        return run

    def _allow(self, *changes: Change) -> None:
        """Note changes, or refuse to go on if one is not meant."""
        self.changes += compatibility.refuse(changes, self.allow, self.resumed)

    def _is_done(self) -> bool:
        """Whether the run is finished and nothing is left to do.

        Raises:
            UsageError: It has more epochs than it shall have.
        """
        run, state, done = self.resumed, self.resumed.state(), len(self.resumed.history())
        is_finished, epochs = state.get("status") == "finished", self.spec.fit.epochs
        if epochs < done and not (is_finished and self.may_shrink):
            raise UsageError(
                f"{run} has {done} epochs already, which is more than {epochs}",
                hint=f"--epochs {done + 1} or more goes on with it",
            )
        if not is_finished or self.changes or not done:
            return False
        return epochs <= max(done, int(state.get("planned") or 0)) or _has_ended_itself(run)

    def _unchanged(self) -> TrainingResult:
        """What a finished run has."""
        if not self.leads:
            return TrainingResult(None, [], None, None)
        run, evaluation = self.resumed, None
        with suppress(TypeError):  # a file that was changed
            evaluation = Evaluation(**run.evaluation())
        best = run.state().get("best_epoch")
        return TrainingResult(run, run.history(), best, evaluation, unchanged=True)


def _spec_of_checkpoint(run: Run) -> Spec | None:
    """The spec by which the newest checkpoint was trained, whatever spec.yaml says by now."""
    for path in reversed(run.checkpoints()):
        try:
            found = checkpoint.read(path, 1 << 24, names={SPEC})
        except CheckpointError:
            continue
        if SPEC in found:
            return load(path / SPEC, recorded=True)
    return None


def _has_ended_itself(run: Run) -> bool:
    """Whether a callback has ended the training, by its last checkpoint."""
    try:
        path = run.checkpoint("last")
        return bool(checkpoint.state_of(checkpoint.read(path, names=[STATE]), path).get("stopped"))
    except (UsageError, CheckpointError):
        return False
