"""The training of one trial: its seeds one after another, each gone on with where it was left."""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cnnctl.arithmetic.checked import Checked
from cnnctl.errors import (
    CheckpointError,
    CnnctlError,
    RunError,
    SpecError,
    Stopped,
    TrainingError,
    UsageError,
)
from cnnctl.preflight import vary
from cnnctl.runs.run import Run
from cnnctl.specs import Spec
from cnnctl.sweep.reporter import Pruned, Reporter
from cnnctl.sweep.request import Request
from cnnctl.sweep.space import Value, assignments
from cnnctl.sweep.trials import Ended, Trials

if TYPE_CHECKING:
    from optuna.trial import Trial


class Renew(Exception):
    """A trial takes TensorFlow with other threads than this process has."""


class TrialTraining:
    """Trains trials in this process.

    Args:
        request: What the user asks for.
        trials: The sweep's.
    """

    def __init__(self, request: Request, trials: Trials) -> None:
        self.request = request
        self.trials = trials
        self.definition = trials.definition
        self.threads: tuple[int, ...] | None = None

    def train(self, trial: Trial, spec: Spec, values: dict[str, Value]) -> float:
        """Train a trial, or go on with it; the mean of its seeds' figures.

        Args:
            trial: Optuna's trial.
            spec: Without the sweep's values.
            values: What the trial tries.

        Raises:
            Ended: It cannot be trained, or another worker retries it.
            TrialPruned: It is not worth going on with.
            Renew, CnnctlError, Stopped: This process cannot train it.
        """
        reported = self.trials.all()[trial.number].intermediate_values
        try:
            checked = self._checked(spec, values)
            threads = _threads(checked[0], self._earlier(trial, 0))
            if self.threads not in (None, threads):
                raise Renew
            self.threads = threads
            trial.set_user_attr("planned", sum(each.spec.fit.epochs for each in checked))
            found = list(trial.user_attrs.get("values", ()))
            for index in range(len(found), len(checked)):
                reporter = Reporter(
                    trial,
                    reported,
                    monitor=self.definition.monitor,
                    index=index,
                    runs_dir=self.request.runs_dir,
                    identity=self.trials.identity,
                )
                found.append(self._seed(trial, checked[index].spec, index, reporter))
        except (SpecError, TrainingError) as error:
            trial.set_user_attr("reason", reason_of(error))
            raise Ended from error
        return statistics.fmean(found)

    def _seed(self, trial: Trial, spec: Spec, index: int, reporter: Reporter) -> float:
        """Train one seed of a trial, or go on with it; its figure.

        Raises:
            TrialPruned, Ended: The reporter has ended it.
        """
        import keras
        from optuna.exceptions import TrialPruned

        from cnnctl.training.resume import resume
        from cnnctl.training.train import train

        settings: dict[str, Any] = {
            "data_dir": self.request.data_dir,
            "full_data": self.request.full_data,
            "device": self.request.device,
            "observers": [reporter],
        }
        earlier = self._earlier(trial, index)
        result = None
        with suppress(Pruned):
            keras.backend.clear_session()
            if earlier is not None:
                # A run that cannot go on (a lost checkpoint, other versions) is trained anew.
                with suppress(UsageError, CheckpointError, RunError):
                    result = resume(earlier.path, **settings)
            if result is None:
                result = train(spec, runs_dir=self.request.runs_dir, **settings)
        if reporter.taken:
            raise Ended
        if reporter.pruned:
            if result is not None and result.run is not None:
                result.run.update_state(
                    reason=f"ended by the sweep {self.request.name}: the others do better"
                )
            raise TrialPruned
        assert result is not None
        if result.stopped:
            raise Stopped(result.stopped)
        if result.unchanged:
            reporter.catch_up(result.history)
        value = self._best(result.history)
        reporter.finished(len(result.history), value)
        return value

    def _best(self, history: list[dict[str, Any]]) -> float:
        """The best figure of a training's epochs.

        Raises:
            TrainingError: No epoch has one.
        """
        monitor = self.definition.monitor
        values = [float(row[monitor]) for row in history if monitor in row]
        if not values:
            raise TrainingError(f"no epoch reports a finite {monitor}")
        return max(values) if self.definition.maximize else min(values)

    def _checked(self, spec: Spec, values: dict[str, Value]) -> list[Checked]:
        """The checked spec of each seed of a trial.

        Raises:
            SpecError: The combination contradicts itself.
        """
        first = vary(spec, assignments(self.definition.space, values))
        seed, others = first.spec.seed, range(1, self.definition.seeds)
        return [first, *(vary(first.spec, [f"seed={seed + index}"]) for index in others)]

    def _earlier(self, trial: Trial, index: int) -> Run | None:
        """The run in which a lost worker trained a seed of the trial, if it is here.

        Another machine has runs of the same names, which are other trials'.
        """
        kept = trial.user_attrs
        runs = kept.get("runs", ())
        if index >= len(runs) or kept.get("runs_at") != self.trials.identity:
            return None
        run = Run(self.request.runs_dir / str(runs[index]))
        return run if run.environment() else None


def _threads(checked: Checked, earlier: Run | None) -> tuple[int, ...]:
    """What TensorFlow takes once in a process: threads, and whether it is deterministic.

    A run that goes on has them from its first process.
    """
    from cnnctl.compute.plan import choose, recorded

    plan = recorded(earlier.environment()) if earlier is not None else None
    if plan is None:
        if checked.trace is None:  # only the images tell: a process of its own
            return (-1, time.monotonic_ns())
        plan = choose(checked, 1, on_gpu=False)
    return (plan.intra_op, plan.inter_op, int(checked.spec.deterministic))


def reason_of(error: CnnctlError) -> str:
    """Why a trial cannot be trained, in a line."""
    if error.diagnostics:
        return str(error.diagnostics[0])
    return error.message
