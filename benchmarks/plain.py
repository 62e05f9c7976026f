"""The plain Keras script of a shipped network, as a textbook has it: one file, `model.fit`.

    python benchmarks/plain.py mnist|cifar10|mnist_book FILE.npz EPOCHS [SEED]

Prints one JSON object: images per second of each epoch, and loss and accuracy on the test set.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

name, file, epochs, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int([*sys.argv, "0"][4])
keras.utils.set_random_seed(seed)
data = np.load(file)
x_train, y_train = data["x_train"].astype("float32") / 255, data["y_train"].reshape(-1)
x_test, y_test = data["x_test"].astype("float32") / 255, data["y_test"].reshape(-1)
callbacks: list[keras.callbacks.Callback] = []
if name == "mnist":
    x_train, x_test = x_train[..., None], x_test[..., None]
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
    held_out, batch_size = slice(55_000, 60_000), 100
elif name == "mnist_book":
    x_train, x_test = x_train[..., None], x_test[..., None]
    y_train, y_test = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)
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
    held_out, batch_size = slice(0, 0), 64
else:
    y_train, y_test = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)
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
    held_out, batch_size = slice(0, 5_000), 32

x_val, y_val = x_train[held_out], y_train[held_out]
if len(x_val):
    x_train, y_train = np.delete(x_train, held_out, 0), np.delete(y_train, held_out, 0)


class Clock(keras.callbacks.Callback):
    """Images per second of each epoch's training, without its validation."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.began, self.ended = time.perf_counter(), 0.0

    def on_test_begin(self, logs: object = None) -> None:
        self.ended = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.rates.append(len(x_train) / ((self.ended or time.perf_counter()) - self.began))


clock = Clock()
model.fit(
    x_train,
    y_train,
    batch_size=batch_size,
    epochs=epochs,
    validation_data=(x_val, y_val) if len(x_val) else None,
    callbacks=[*callbacks, clock],
    verbose=0,
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(json.dumps({"images_per_second": clock.rates, "loss": loss, "accuracy": accuracy}))
