"""A training, from top to bottom: prepare, build, open the run, fit, save, evaluate."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, suppress
from pathlib import Path

import keras

from cnnctl.arithmetic.checked import Checked
from cnnctl.compute.cluster import cluster_of
from cnnctl.compute.computation import Computation, start_computation
from cnnctl.compute.observer import Facts, loading
from cnnctl.compute.plan import Plan
from cnnctl.data.preparation import Prepared, prepare
from cnnctl.errors import CnnctlError, RunError, Stopped
from cnnctl.inference.evaluation import Evaluation, figures
from cnnctl.io.atomic import replacing, write_json
from cnnctl.io.notes import tell
from cnnctl.network.averages import load_averaged
from cnnctl.network.failures import failure
from cnnctl.runs.find import RUNS_DIR, create_run
from cnnctl.runs.run import Run, checkpoint_name
from cnnctl.training.best_model import model_of_best
from cnnctl.training.callbacks import Recorder, Resumed, checkpoints_from_spec, from_spec
from cnnctl.training.checkpoints import Checkpoints
from cnnctl.training.compiled_model import CompiledModel, compile_for
from cnnctl.training.description import describe
from cnnctl.training.divergence import FiniteLoss
from cnnctl.training.follower import Agreement, Follower, agreed
from cnnctl.training.interrupt import Interrupt
from cnnctl.training.randomness import Randomness
from cnnctl.training.results import Settings, Start, TrainingResult


class Trainer:
    """Trains the network of a spec in a new run folder.

    Of several processes that train together each has a trainer; that of the leading one alone has a
    run folder, saves and evaluates.

    Args:
        checked: A spec with `data`, `compile` and `fit`.
        settings: Device, data folder, observers.
        runs_dir: Where the run folder is made.

    Attributes:
        data: The data in the network's shape, once it is prepared.
        computation: Device, plan and replicas.
        compiled: The model, once it is built.
        run: The run folder, once it is open; None in a process that follows.
        stopped: The number of the signal that ended the training early, if one did.
    """

    data: Prepared
    computation: Computation
    compiled: CompiledModel
    checkpoints: Checkpoints
    recorder: Recorder

    def __init__(self, checked: Checked, settings: Settings, runs_dir: Path = RUNS_DIR) -> None:
        checked.spec.require("data", "compile")
        self.checked = checked
        self.spec = checked.spec
        self.settings = settings
        self.runs_dir = runs_dir
        self.observers = settings.observers
        self.start = Start()
        self.run: Run | None = None
        self.evaluation: Evaluation | None = None
        self.stopped: int | None = None
        self.interrupt = Interrupt(finish_epoch=settings.finish_epoch)
        self.cluster = cluster_of(self.spec)
        self.held = ExitStack()

    @property
    def leads(self) -> bool:
        """Whether this process writes the run folder and speaks to people."""
        return self.cluster is None or self.cluster.leads

    def train(self) -> TrainingResult:
        """Train, from the data to the evaluation of the best epoch.

        Returns:
            The run and its metrics; after a signal with `stopped` set.

        Raises:
            SpecError, DataError, RunError, CheckpointError: Before the first step.
            UsageError: There is no such device, or another process trains something else.
            TrainingError: It diverged, Keras failed in the middle, or another process is gone.
        """
        with self.interrupt.catching(), self.held:
            return self.train_steps()

    def train_steps(self) -> TrainingResult:
        """What a training consists of, inside the listening to signals."""
        self.prepare()
        self.build()
        if not self.leads:
            self.follow()
            return TrainingResult(None, [], None, None, self.stopped, notes=self.start.notes)
        self.run = run = self.open_run()
        self.fit(run)
        self.finish(run)
        return TrainingResult(
            run, self.recorder.rows, self.checkpoints.best_epoch, self.evaluation,
            self.stopped, notes=self.start.notes,
        )  # fmt: skip

    def prepare(self) -> None:
        """Load the data, and start the device and the other processes."""
        self.data = prepare(
            self.checked,
            data_dir=self.settings.data_dir,
            full_data=self.settings.full_data,
            progress=loading(self.observers) if self.leads else None,
            training=True,
        )
        self.begin(self.settings.plan)
        self.start = Start(notes=self.computation.notes)

    def begin(self, plan: Plan | None) -> None:
        """Start the device and the other processes.

        Args:
            plan: How steps are computed, where that is known: by default it is chosen.

        Raises:
            UsageError: There is no such device, or the processes cannot begin.
        """
        self.computation = start_computation(
            self.data.checked,
            len(self.data.dataset.train),
            device=self.settings.device,
            cluster=self.cluster,
            plan=plan,
        )
        if not self.settings.observers:
            tell(self.computation.unlike)

    def build(self) -> None:
        """Build the network, once every process is about to train the same."""
        replicas = self.computation.replicas
        replicas.compare(agreed(self.data, self.computation.plan, self.start))
        with replicas.together():
            self.compiled = compile_for(self.data, self.computation, self.start)

    def open_run(self) -> Run:
        """Make the run folder, locked, and write what the run is made from."""
        run = create_run(self.spec.name, self.runs_dir)
        self.held.enter_context(run.locked())
        try:
            describe(run, self.data, self.computation, self.compiled.plan)
        except BaseException:  # Ctrl-C too: half a description is of no use to anybody
            shutil.rmtree(run.path, ignore_errors=True)
            raise
        return run

    def fit(self, run: Run) -> None:
        """Train to the last epoch or to a signal; every epoch that ends is saved.

        Raises:
            TrainingError: It diverged, Keras failed in the middle, or another process is gone.
            RunError: An epoch cannot be saved.
        """
        spec, start, compiled = self.spec, self.start, self.compiled
        self.checkpoints = checkpoints_from_spec(spec, run, compiled.validation is not None)
        self.recorder = recorder = Recorder(
            run, len(self.data.dataset.train.x), self.checkpoints, self.observers, start.rows
        )
        try:
            self.checkpoints.begin(*start.best)
            self.checkpoints.refuse_full_disk(compiled.model, spec.fit.epochs - start.done)
            self.checkpoints.callbacks = callbacks = from_spec(spec, run, start.done)
            facts = self.facts(run)
            for each in self.observers:
                each.started(facts)
            self._fit(callbacks, recorder)
        except Stopped as signalled:
            recorder.finish()
            self.stopped = signalled.number
        except CnnctlError as error:
            self._note_failure(run, error)
            kept = run.checkpoints()
            if kept and error.hint and not error.diagnostics:
                error.hint += f"\n{kept[-1]} is the last good checkpoint"
            raise
        except (Exception, SystemExit) as error:  # a plug-in's `sys.exit` is no end of the training
            failed = self._failure(error)
            self._note_failure(run, failed)
            raise failed from error

    def follow(self) -> None:
        """Train with the process that leads, until that has written everything.

        Raises:
            TrainingError: It diverged, or another process is gone.
        """
        try:
            self._fit(from_spec(self.spec, None), Follower())
        except Stopped as signalled:
            self.stopped = signalled.number
        except CnnctlError:
            raise
        except (Exception, SystemExit) as error:
            raise self._failure(error) from error
        self.interrupt.gentle = False
        self.computation.replicas.wait()

    def _fit(
        self, callbacks: list[keras.callbacks.Callback], watcher: keras.callbacks.Callback
    ) -> None:
        """Run Keras's loop over the epochs that are left.

        Args:
            callbacks: Those of the spec.
            watcher: Comes after them: it sees what they have done.
        """
        spec, start, compiled = self.spec, self.start, self.compiled
        replicas = self.computation.replicas
        agreement = [Agreement(self.interrupt, replicas)] if replicas.cluster else []
        self.interrupt.listen()
        self.interrupt.gentle = True
        compiled.model.fit(
            compiled.feed.dataset,
            initial_epoch=start.done,
            epochs=start.done if start.content.get("stopped") else spec.fit.epochs,
            validation_data=compiled.validation and compiled.validation.dataset,
            callbacks=[
                Randomness(spec.seed, compiled.feed),
                FiniteLoss(),
                *callbacks,
                Resumed(callbacks, compiled.saved),
                watcher,
                *agreement,
                self.interrupt,
            ],
            shuffle=False,  # the pipeline shuffles
            verbose=0,
        )
        self.stopped = self.interrupt.caught

    def finish(self, run: Run) -> None:
        """Save the best epoch as a model, and evaluate it, unless a signal has come.

        What a signal leaves undone here is done by a resume, so none is waited for.
        """
        try:
            self.interrupt.gentle = False
            model = self.save(run)
            if self.stopped is None:
                if model is not None:
                    self.evaluate(run, model)
                run.update_state(status="finished", epochs=len(self.recorder.rows))
            self.computation.replicas.wait()
        except Stopped as signalled:
            self.stopped = signalled.number
        if self.stopped is not None:
            run.update_state(status="stopped", epochs=len(self.recorder.rows))

    def save(self, run: Run) -> keras.Model | None:
        """Save the model of the best epoch, for any Keras user; None if no epoch has ended."""
        if self.checkpoints.best_epoch is None:
            return None
        model = model_of_best(run, self.data, self.compiled, self.computation.replicas)
        load_averaged(model, run.checkpoint("best"))
        with replacing(run.model_path) as partial:
            model.save(partial)
        return model

    def evaluate(self, run: Run, model: keras.Model) -> None:
        """Evaluate the best epoch on the test set, if there is one, and write that down."""
        test, best = self.data.dataset.test, self.checkpoints.best_epoch
        if test is None or best is None:
            return
        self.evaluation = Evaluation(
            source=str(run),
            checkpoint=checkpoint_name(best),
            data=self.data.dataset.name,
            split="test",
            images=len(test.x),
            figures=figures(model, test, self.data, self.compiled.plan),
        )
        write_json(run.path / "evaluation.json", self.evaluation.to_dict())

    def facts(self, run: Run) -> Facts:
        """What is settled before the first epoch."""
        return Facts(
            spec=self.spec,
            run=run,
            device=self.computation.device,
            plan=self.compiled.plan,
            data=self.data,
            parameters=self.compiled.model.count_params(),
            steps=self.compiled.feed.steps,
            done=self.start.done,
            notes=(*self.start.notes, *self.compiled.notes),
            replicas=self.computation.replicas.count,
        )

    def _failure(self, error: BaseException) -> CnnctlError:
        lost = self.computation.replicas.failure(error)
        return lost or failure("the training", error, self.compiled.model, self.spec)

    def _note_failure(self, run: Run, error: CnnctlError) -> None:
        """Note why a training failed, if there is still a place to write it to."""
        with suppress(RunError):
            self.recorder.finish()
        with suppress(RunError):
            run.update_state(status="failed", reason=error.message, epochs=len(self.recorder.rows))
