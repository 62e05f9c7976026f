"""Trainings of one component each: by `cnnctl.train`, and by Keras's own `fit`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnnctl.compute.observer import Observer
from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.data.preparation import prepare  # noqa: E402
from cnnctl.network.build import build, compile_model  # noqa: E402
from cnnctl.network.weights import load_weights  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.specs.metrics import reported  # noqa: E402
from cnnctl.training.callbacks import from_spec  # noqa: E402
from cnnctl.training.randomness import Randomness  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

IMAGES, HELD_OUT, BATCH = 22, 5, 8
"""Training images in batches of 8, 8 and 6; the held-out ones in parts of 2 and 3."""


def files(folder: Path) -> None:
    """Write the data: noise on one color per class, and three kinds of labels."""
    random = np.random.default_rng(0)
    count = IMAGES + HELD_OUT
    labels = np.arange(count) % 3
    x = random.integers(0, 120, (count, 9, 8, 3)).astype(np.uint8)
    x[np.arange(len(x)), ..., labels] += 100
    targets = {
        "labels": labels,
        "two": labels % 2,
        "numbers": random.normal(size=(len(x), 3)).astype("float32"),
        "positive": random.uniform(0.1, 2, (len(x), 3)).astype("float32"),
        "signs": np.where(random.random((len(x), 3)) < 0.5, -1, 1).astype("float32"),
        "multi": (random.random((len(x), 3)) < 0.5).astype("float32"),
    }
    for name, y in targets.items():
        np.savez(folder / f"{name}.npz", x_train=x, y_train=y)


@dataclass(frozen=True)
class Case:
    """A network to train.

    Args:
        layers: Of the spec.
        loss, optimizer, metrics, callbacks: Of the spec.
        data: Which of `files`.
        mode: The `label_mode`.
        parts: In how many parts the plan computes a batch; None for any number.
        overrides: Further settings.
        tolerance: How far losses and metrics may differ, relatively.
        epochs: How many.
        members: What is trained side by side: the layers of the third are called `b2_…`.
        pixels: The normalization.
    """

    layers: list[Any]
    loss: Any = "sparse_categorical_crossentropy"
    optimizer: Any = field(default_factory=lambda: {"SGD": {"learning_rate": 0.05}})
    metrics: tuple[Any, ...] = ()
    callbacks: tuple[Any, ...] = ()
    data: str = "labels"
    mode: str = "int"
    parts: int | None = 2
    overrides: tuple[str, ...] = ()
    tolerance: float = 1e-4
    pixels: str = "signed"
    epochs: int = 1
    members: tuple[str, ...] = ()

    def text(self, folder: Path) -> str:
        """The spec; JSON is YAML."""
        return json.dumps({
            "name": "component",
            "data": {"dataset": {"npz": {"path": str(folder / f"{self.data}.npz")}},
                     "normalize": self.pixels, "label_mode": self.mode,
                     "validation": HELD_OUT, "validation_from": "end"},
            "model": {"input_shape": [9, 8, 3], "layers": self.layers},
            "compile": {"optimizer": self.optimizer, "loss": self.loss,
                        "metrics": list(self.metrics)},
            "fit": {"batch_size": BATCH, "epochs": self.epochs, "shuffle": False,
                    "callbacks": list(self.callbacks)},
        }, indent=1)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """What came of a case.

    Args:
        plan: How it was computed.
        ours, theirs: The metrics of the last epoch.
        largest: The largest relative difference of a metric.
        weights: The largest difference of a weight, relative to the largest of its tensor.
        of_members: The same for each member of the case.
    """

    plan: Any
    ours: dict[str, float]
    theirs: dict[str, float]
    largest: float
    weights: float
    of_members: tuple[float, ...]


class _Told(Observer):
    """Keeps what a training tells before it begins."""

    def started(self, facts: Any) -> None:
        self.facts = facts


def compared(case: Case, folder: Path, data: Path) -> Compared:
    """Train a case twice, from the same weights in the same order."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "component.yaml"
    path.write_text(case.text(data))
    spec = load(path, ["compile.threads=2", *case.overrides])
    told = _Told()
    result = train(spec, runs_dir=folder / "runs", device="cpu", observers=[told])
    ours = {key: value for key, value in result.history[-1].items()
            if key not in {"epoch", "seconds", "images_per_second", "learning_rate"}}  # fmt: skip
    model, theirs, by_fit = by_keras(spec)
    assert set(ours) == set(theirs), set(ours) ^ set(theirs)
    names = set(reported(spec, has_validation=True))
    assert set(ours) == names, set(ours) ^ names
    load_weights(model, result.run.checkpoint("last"))
    apart = {
        layer.name: max(map(difference, layer.get_weights(), by_fit[layer.name]), default=0.0)
        for layer in model.layers
    }
    of_members = tuple(
        max(value for name, value in apart.items() if name.startswith(f"b{number}_"))
        for number in range(len(case.members))
    )
    largest = max(relative(ours[name], theirs[name]) for name in theirs)
    return Compared(told.facts.plan, ours, theirs, largest, max(apart.values()), of_members)


class _Weights(keras.callbacks.Callback):
    """Keeps the weights of the last epoch: `fit` may replace them by averages at its end."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.found = {layer.name: layer.get_weights() for layer in self.model.layers}


def by_keras(spec: Any) -> tuple[keras.Model, dict[str, float], dict[str, list[np.ndarray]]]:
    """A spec's training by `model.fit`: the metrics of the last epoch, and its weights by layer."""
    data = prepare(spec)
    keras.utils.set_random_seed(spec.seed)
    model = build(spec, data.input_shape)
    compile_model(model, spec)
    # ScheduleFreeAdamW starts from the weights; built within the first step, as by `fit`, it would
    # not: Keras then trains otherwise than with `run_eagerly=True`.
    model.optimizer.build(model.trainable_variables)
    mean, scale = (np.asarray(each, "float32") for each in
                   (data.normalization.subtract, data.normalization.divide))  # fmt: skip
    x, y = {}, {}
    for name in ("train", "validation"):
        split = getattr(data.dataset, name)
        x[name] = (split.x.astype("float32") - mean) / scale
        y[name] = keras.utils.to_categorical(split.y, data.classes) if data.one_hot else split.y
        if model.output_shape[1:] == (1,):
            y[name] = y[name].reshape(-1, 1)  # as Keras wants them
    kept = _Weights()
    feed = type("Feed", (), {"set_epoch": lambda self, epoch: None})()
    history = model.fit(
        x["train"], y["train"], batch_size=BATCH, epochs=spec.fit.epochs, shuffle=False, verbose=0,
        validation_data=(x["validation"], y["validation"]),
        callbacks=[Randomness(spec.seed, feed), *from_spec(spec, None), kept],
    ).history  # fmt: skip
    figures = {name: values[-1] for name, values in history.items() if name != "learning_rate"}
    return model, figures, kept.found


def relative(a: float, b: float) -> float:
    """How far two values are apart, relative to the larger; of very small ones, absolutely."""
    if math.isnan(a) and math.isnan(b):
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 1e-3)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference of two tensors, relative to the largest value."""
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    return float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-3))
