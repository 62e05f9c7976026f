"""Values of metrics that Keras does not give: one per class, of one output, within a graph."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf


def report_each_value(model: keras.Model) -> None:
    """Let a compiled model report an array of `f1_score` as `f1_score/0`, `f1_score/1`, ….

    Callbacks, the history, trackers and plots know scalars only.
    """
    results = model.get_metrics_result

    def each_value() -> dict[str, Any]:
        return {
            name: value for key, array in results().items() for name, value in _values(key, array)
        }

    model.get_metrics_result = each_value


def _values(name: str, array: Any) -> list[tuple[str, Any]]:
    """The values of an array, each with its name; an array of one value has the metric's own."""
    array = tf.convert_to_tensor(array)
    shape = array.shape
    if shape.rank == 0:
        return [(name, array)]
    if not shape.is_fully_defined():
        raise ValueError(
            f"the metric {name} has a value whose shape is not known before the first step"
        )
    if shape.num_elements() == 1:
        return [(name, tf.reshape(array, ()))]
    return [("/".join([name, *map(str, at)]), array[at]) for at in np.ndindex(*shape)]


def take_one_label(metric: Any) -> None:
    """Let a metric of Keras's take the labels of a network with one output, which are single
    numbers.

    `F1Score` raises an error for them, and `Hinge`, `Poisson`, `CosineSimilarity` and others
    compare each label of a batch with all outputs of it. Losses and `BinaryAccuracy` expand the
    labels themselves.

    Args:
        metric: As constructed; a string and a plug-in's metric are left as they are.
    """
    if not type(metric).__module__.startswith("keras."):
        return
    update = metric.update_state

    def update_state(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        y_true = tf.convert_to_tensor(y_true)
        if y_true.shape.rank == 1 and y_pred.shape[1:] == (1,):
            y_true = y_true[:, None]
        return update(y_true, y_pred, sample_weight=sample_weight)

    metric.update_state = update_state


def adjust_in_graphs(metric: Any) -> None:
    """Let `R2Score` with `num_regressors` be computed within a graph.

    Keras decides by an `if` over the number of labels seen, which only an eager metric knows: it
    raises an error in `fit`.

    Args:
        metric: As constructed; others than an adjusted `R2Score` are left as they are.
    """
    if type(metric) is not keras.metrics.R2Score or not metric.num_regressors:
        return
    result, regressors = metric.result, metric.num_regressors

    def adjusted() -> Any:
        metric.num_regressors = 0
        try:
            plain = result()
        finally:
            metric.num_regressors = regressors
        count = tf.cast(tf.convert_to_tensor(metric.num_samples), plain.dtype)
        free = count - regressors - 1
        value = 1 - (1 - plain) * (count - 1) / tf.where(free > 0, free, tf.ones_like(free))
        return tf.where(free > 0, value, plain)

    metric.result = adjusted
