"""The plain Keras script of a shipped network, as a textbook has it: one file, `model.fit`.

    python benchmarks/plain.py mnist|cifar10|mnist_book|cifar10_lenet FILE.npz EPOCHS [SEED]
        [--short]

Optimizer, loss, metrics and callbacks are those of `configs/`; MNIST's batches are 128 here. Prints
one JSON object: images per second of each epoch's training, loss and accuracy on the test set,
seconds from the start of the process to the end of the first epoch's training (of the first step,
where the file has one batch), the time at which the last step ended, the most memory, and images
per second of `evaluate` and `predict`, the second call of each; `--short` leaves these two out.
Keras alone is imported, so KERAS_BACKEND=jax or torch puts it on another backend.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from networks import NETWORKS, held_out
from process import Clock, peak_bytes, report

words = [word for word in sys.argv[1:] if word != "--short"]
name, file, epochs, seed = words[0], words[1], int(words[2]), int([*words, "0"][3])
keras.utils.set_random_seed(seed)
data = np.load(file)
y_train, y_test = data["y_train"].reshape(-1), data["y_test"].reshape(-1)
if NETWORKS[name].signed:
    x_train = (data["x_train"].astype("float32") - 127.5) / 127.5
    x_test = (data["x_test"].astype("float32") - 127.5) / 127.5
else:
    x_train = data["x_train"].astype("float32") / 255
    x_test = data["x_test"].astype("float32") / 255
if name in {"mnist", "mnist_book"}:
    x_train, x_test = x_train[..., None], x_test[..., None]
if name in {"cifar10", "mnist_book"}:
    y_train = keras.utils.to_categorical(y_train, 10)
    y_test = keras.utils.to_categorical(y_test, 10)

callbacks: list[keras.callbacks.Callback] = []
if name == "mnist":
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(2, 2),
        layers.Conv2D(64, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(2, 2),
        layers.Flatten(),
        layers.Dense(1024, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    callbacks = [keras.callbacks.LearningRateScheduler(lambda epoch: 0.001 * 0.6**epoch)]
elif name == "cifar10":
    model = keras.Sequential([
        keras.Input((32, 32, 3)),
        layers.Conv2D(16, 2, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 2, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 2, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.3),
        layers.Flatten(),
        layers.Dense(500, activation="relu"),
        layers.Dropout(0.4),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
elif name == "mnist_book":
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
else:
    model = keras.Sequential([
        keras.Input((32, 32, 3)),
        layers.Conv2D(6, 5, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 5, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(120, activation="relu"),
        layers.Dense(84, activation="relu"),
        layers.Dense(10),
    ])  # fmt: skip
    model.compile(
        keras.optimizers.SGD(0.001, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )

trained, validation = held_out(name, len(x_train))
x_val, y_val = x_train[validation], y_train[validation]
x_train, y_train = x_train[trained], y_train[trained]


class Timer(keras.callbacks.Callback):
    """The training part of an epoch ends where its validation begins."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(len(x_train))

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.clock.begin()

    def on_test_begin(self, logs: object = None) -> None:
        self.clock.end()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        if not len(x_val):
            self.clock.end()


def second_call(call: Callable[[], object]) -> float:
    """Images per second of the second call."""
    call()
    began = time.perf_counter()
    call()
    return len(x_test) / (time.perf_counter() - began)


timer = Timer()
with tempfile.TemporaryDirectory() as folder:
    best = Path(folder) / "best.keras"
    if len(x_val):
        callbacks.append(
            keras.callbacks.ModelCheckpoint(best, monitor="val_loss", save_best_only=True)
        )
    model.fit(
        x_train,
        y_train,
        batch_size=NETWORKS[name].batch_size,
        epochs=epochs,
        validation_data=(x_val, y_val) if len(x_val) else None,
        callbacks=[timer, *callbacks],
        verbose=0,
    )
    if best.exists():
        model.load_weights(best)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
figures: dict[str, object] = {"loss": loss, "accuracy": accuracy, "peak_bytes": peak_bytes()}
if "--short" not in sys.argv:
    figures["evaluate"] = second_call(lambda: model.evaluate(x_test, y_test, verbose=0))
    figures["predict"] = second_call(lambda: model.predict(x_test, verbose=0))
report(timer.clock, figures)
