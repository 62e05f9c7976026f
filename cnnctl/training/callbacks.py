"""The spec's callbacks as Keras's own, and the ones that every training has."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from cnnctl.compute.observer import Observer
from cnnctl.errors import SpecError
from cnnctl.io.atomic import write_text
from cnnctl.io.untrusted import open_plain
from cnnctl.network.build import construct
from cnnctl.runs.run import Run
from cnnctl.specs import Component, Spec, schedules
from cnnctl.specs.metrics import MONITORING, mode_of
from cnnctl.specs.monitor_rules import monitored
from cnnctl.training import state
from cnnctl.training.checkpoints import ALL, Captured, Checkpoints
from cnnctl.training.divergence import refuse

DEFAULT_MONITORS = ("val_loss", "loss")
"""What decides which epoch is the best where no ModelCheckpoint says so: the first reported."""


_LONGEST_LINE = 10_000
"""Bytes of a line of `history.csv`."""

WRITE_ONLY = frozenset({"CSVLogger", "TensorBoard"})
"""Callbacks that change nothing in the training."""


def from_spec(spec: Spec, run: Run | None, done: int = 0) -> list[keras.callbacks.Callback]:
    """Keras's callbacks that the spec lists, in its order, wired to the run folder.

    `ModelCheckpoint` is not among them: see `checkpoints_from_spec`.

    Args:
        spec: The spec.
        run: Where they write; None for a process that writes nothing, whose callbacks that do
            nothing else do nothing.
        done: How many epochs of the run are done already; what was written of later ones goes.
    """
    made = []
    for component in spec.fit.callbacks:
        if component.name == "ModelCheckpoint":
            continue
        if component.name == "LearningRateScheduler":
            rate = schedules.make(component.arguments["schedule"], spec.fit.epochs)
            made.append(keras.callbacks.LearningRateScheduler(rate))
        elif run is None and component.name in WRITE_ONLY:
            made.append(keras.callbacks.Callback())
        else:
            mode = {"mode": _mode(spec, component)} if component.name in MONITORING else {}
            made.append(construct(component, **_places(component, run, done), **mode))
        if component.name == "SwapEMAWeights":
            _never_last(made[-1])
    return made


def _mode(spec: Spec, callback: Component) -> str:
    """How a callback compares what it monitors; as Keras does it, also where Keras's callback does
    not find a metric that is reported under another name than its own (`accuracy_1`).

    Raises:
        SpecError: Neither Keras nor the spec says so, which `check` would have asked for.
    """
    given = str(callback.arguments.get("mode", "auto"))
    if given != "auto":
        return given
    monitor = str(callback.arguments.get("monitor", DEFAULT_MONITORS[0]))
    mode = mode_of(spec, monitor)
    if mode is None:
        raise SpecError(monitored(spec, monitor.startswith("val_")))
    return mode


def _never_last(callback: keras.callbacks.Callback) -> None:
    """Let a callback of Keras's take no epoch for the last: in that it drops the weights behind the
    averages, which a training that goes on needs."""
    own = callback.set_params

    def set_params(params: dict[str, Any]) -> None:
        own({**params, "epochs": math.inf})

    callback.set_params = set_params


def _places(component: Component, run: Run | None, done: int) -> dict[str, Any]:
    """Where a callback writes: always inside the run folder."""
    if run is None:
        return {}
    if component.name == "CSVLogger":
        path = run.path / "history.csv"
        if done and path.exists():
            with open_plain(path, follow=False) as file:
                lines = [file.readline(_LONGEST_LINE) for _ in range(1 + done)]
            write_text(path, b"".join(lines).decode("utf-8", "replace"))
        return {"filename": str(path), "append": bool(done)}
    if component.name == "TensorBoard":
        return {"log_dir": str(run.path / "tensorboard")}
    return {}


def checkpoints_from_spec(spec: Spec, run: Run, has_validation: bool) -> Checkpoints:
    """The checkpoints of a run, by the spec's ModelCheckpoint where it lists one.

    One without `save_best_only` keeps every epoch's, as in Keras.
    """
    keep = ALL if spec.fit.keep == "all" else spec.fit.keep
    for component in spec.fit.callbacks:
        if component.name == "ModelCheckpoint":
            arguments = component.arguments
            return Checkpoints(
                run,
                monitor=arguments.get("monitor", DEFAULT_MONITORS[0]),
                maximize=_mode(spec, component) == "max",
                keep=keep if arguments.get("save_best_only", False) else ALL,
                threshold=arguments.get("initial_value_threshold"),
            )
    monitor = DEFAULT_MONITORS[0 if has_validation else 1]
    return Checkpoints(run, monitor=monitor, maximize=False, keep=keep)


class Resumed(keras.callbacks.Callback):
    """Puts the state of the callbacks back, after they have reset themselves.

    Args:
        callbacks: Those of the spec.
        saved: Their states; None where they start afresh.
    """

    def __init__(
        self, callbacks: list[keras.callbacks.Callback], saved: list[state.Saved] | None
    ) -> None:
        super().__init__()
        self.callbacks = callbacks
        self.saved = saved

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore."""
        if self.saved is not None:
            state.restore(self.callbacks, self.saved)


class Recorder(keras.callbacks.Callback):
    """At the end of an epoch: saves it, writes its line of `metrics.jsonl`, and tells the
    observers, in this order, so that an epoch that was reported is saved.

    The state is copied at once, and written by another thread while the next epoch computes; the
    observers are told by the training's own thread, once it is written.

    Args:
        run: Whose history is written.
        images: Training images in an epoch.
        checkpoints: Saves the epoch.
        observers: Who is told.
        rows: The lines of the epochs that are done already.
    """

    def __init__(
        self,
        run: Run,
        images: int,
        checkpoints: Checkpoints,
        observers: Sequence[Observer],
        rows: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__()
        self.run = run
        self.images = images
        self.checkpoints = checkpoints
        self.observers = observers
        self.rows = list(rows)
        self._began = 0.0
        self._trained = 0.0
        self._rate = 0.0
        self._writer = ThreadPoolExecutor(1, "checkpoints")
        self._pending: tuple[Captured, Future[None]] | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock of an epoch, counted from 0."""
        self._began = time.perf_counter()
        self._trained = 0.0
        # Schedulers have set it by now; ReduceLROnPlateau changes it at an epoch's end.
        self._rate = float(np.asarray(self.model.optimizer.learning_rate))
        for each in self.observers:
            each.epoch_began(epoch + 1, self._rate)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Pass the running figures on."""
        if self._pending and self._pending[1].done():
            self.finish()
        for each in self.observers:
            each.step_ended(batch + 1, dict(logs or {}))

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """The training part of the epoch ends where its validation begins."""
        self._trained = time.perf_counter() - self._began

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save an epoch, counted from 0."""
        self.finish()
        seconds = time.perf_counter() - self._began
        refuse(self.model, epoch + 1, float((logs or {}).get("loss", 0.0)))
        figures = {key: float(value) for key, value in (logs or {}).items()}
        # JSON has no infinity: a validation loss that is none is left out of the line.
        figures = {key: value for key, value in figures.items() if math.isfinite(value)}
        figures.pop("learning_rate", None)
        row = {
            "epoch": epoch + 1,
            "seconds": round(seconds, 3),
            "images_per_second": round(self.images / (self._trained or seconds), 1),
            "learning_rate": self._rate,
            **figures,
        }
        captured = self.checkpoints.capture(self.model, row)
        self._pending = captured, self._writer.submit(self.checkpoints.write, captured)
        if epoch + 1 == self.params.get("epochs") or self.model.stop_training:
            self.finish()

    def finish(self) -> None:
        """Wait until the last epoch that ended is written, and tell of it.

        Raises:
            RunError: It cannot be written; the earlier checkpoints are as before.
        """
        if self._pending is None:
            return
        (captured, written), self._pending = self._pending, None
        written.result()
        self.rows.append(captured.row)
        for each in self.observers:
            each.epoch_ended(captured.row, captured.improved)
