"""The networks that are timed, and the pictures for them, without any framework.

Every script of a framework reads its pictures here, so that all train on the same ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Network:
    """A network of `configs/`.

    Args:
        file: Its pictures, in Keras's layout.
        batch_size: Pictures in a step.
        flop: Operations of training on one picture: three times those of the forward pass, less
            the gradient of the pictures themselves; a product and its sum are two.
        signed: Whether pixels become [-1, 1], not [0, 1].
        held_out: The pictures for validation: a fraction from the end, or a number from the start.
    """

    file: str
    batch_size: int
    flop: float
    signed: bool = False
    held_out: float | int = 0


NETWORKS = {
    "mnist": Network("mnist.npz", 128, 82.05e6, held_out=0.1),
    "cifar10": Network("cifar10.npz", 32, 10.18e6, held_out=5_000),
    "mnist_book": Network("mnist.npz", 64, 16.38e6),
    "cifar10_lenet": Network("cifar10.npz", 4, 3.20e6, signed=True),
}
SMALL_BATCHES = "cifar10_lenet"

Arrays = tuple[np.ndarray, np.ndarray]


def pictures(name: str, file: str) -> tuple[Arrays, Arrays, Arrays]:
    """Training, validation and test pictures uint8 (n, height, width, channels) and labels."""
    data = np.load(file)
    x, y = data["x_train"], data["y_train"].reshape(-1).astype("int32")
    x_test, y_test = data["x_test"], data["y_test"].reshape(-1).astype("int32")
    if x.ndim == 3:
        x, x_test = x[..., None], x_test[..., None]
    train, validation = held_out(name, len(x))
    return (x[train], y[train]), (x[validation], y[validation]), (x_test, y_test)


def held_out(name: str, count: int) -> tuple[slice, slice]:
    """Which of the training pictures are trained on, and which are held out."""
    wanted = NETWORKS[name].held_out
    if isinstance(wanted, float):
        kept = math.floor(count * (1.0 - wanted))
        return slice(0, kept), slice(kept, count)
    first = min(wanted, count // 10)
    return slice(first, count), slice(0, first)
