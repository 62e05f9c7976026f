"""A training that has diverged is ended before anything of it reaches a checkpoint."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from cnnctl.errors import TrainingError


class FiniteLoss(keras.callbacks.Callback):
    """Ends an epoch at the step whose running loss is no number any more.

    oneDNN can leave the loss finite where the weights are not: `refuse` looks at those.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch, counted from 0."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise a `TrainingError` if the loss is not finite."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            refuse(self.model, self.epoch + 1, loss, step=batch + 1)


def refuse(model: keras.Model, epoch: int, loss: float, *, step: int | None = None) -> None:
    """Raise a `TrainingError` if the loss or a weight is not finite.

    Args:
        model: After the epoch, or in it.
        epoch: Counted from 1.
        loss: Of the epoch so far.
        step: Counted from 1, where the epoch is not over.
    """
    culprit = first_bad_layer(model)
    if math.isfinite(loss) and culprit is None:
        return
    where = f"in epoch {epoch}" + (f", step {step}," if step else "")
    raise TrainingError(
        f"the training diverged: {where} the loss is {loss:g}"
        + (f", and the first layer with a weight that is no number is `{culprit}`" if culprit else
           ", while every weight is a number"),
        hint="lower the learning rate, or look for values that are no numbers in the pictures",
    )  # fmt: skip


def first_bad_layer(model: keras.Model) -> str | None:
    """The name of the first layer with a weight that is not finite."""
    for layer in model.layers:
        if not all(np.isfinite(np.asarray(weight)).all() for weight in layer.get_weights()):
            return str(layer.name)
    return None
