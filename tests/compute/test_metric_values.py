"""Metrics of a network with one output, whose labels are single numbers, by their formulas; and
an adjusted `R2Score` in a graph."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnctl.compute.metric_values import adjust_in_graphs, take_one_label

Y, P = np.array([0, 1, 1, 0]), np.array([[0.2], [0.9], [0.4], [0.7]])
SIGNS, ONE = 2 * Y - 1, P[:, 0]
FORMULAS = {
    "BinaryAccuracy": np.mean((ONE > 0.5) == Y),
    "BinaryCrossentropy": -np.mean(np.log(np.where(Y, ONE, 1 - ONE))),
    "Hinge": np.mean(np.maximum(1 - SIGNS * ONE, 0)),
    "LogCoshError": np.mean(np.log(np.cosh(ONE - Y))),
    "MeanSquaredError": np.mean((ONE - Y) ** 2),
    "Poisson": np.mean(ONE - Y * np.log(ONE + 1e-7)),
    "R2Score": 1 - np.sum((ONE - Y) ** 2) / np.sum((Y - Y.mean()) ** 2),
    "SquaredHinge": np.mean(np.maximum(1 - SIGNS * ONE, 0) ** 2),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_each_label_is_compared_with_its_own_output(name):
    """Without it, Keras compares each label of `Hinge` with every output of the batch."""
    metric = getattr(keras.metrics, name)()
    take_one_label(metric)
    metric.update_state(Y, P.astype("float32"))
    assert float(metric.result()) == pytest.approx(FORMULAS[name], rel=1e-5)


def test_the_metric_of_a_plug_in_is_left_as_it_is():
    class Mine(keras.metrics.Hinge):
        pass

    for metric in (Mine(), "accuracy"):
        before = vars(metric).copy() if isinstance(metric, Mine) else metric
        take_one_label(metric)
        assert (vars(metric) if isinstance(metric, Mine) else metric) == before


@pytest.mark.parametrize("regressors", [0, 1, 2, 5, 6, 7])
def test_an_adjusted_r2_score_in_a_graph_is_the_one_of_keras_outside(regressors):
    """Six labels: from five regressors on, Keras gives the score that is not adjusted."""
    labels, outputs = np.random.default_rng(0).normal(size=(2, 6, 1)).astype("float32")
    eager, ours = (keras.metrics.R2Score(num_regressors=regressors) for _ in range(2))
    eager.update_state(labels, outputs)
    adjust_in_graphs(ours)
    ours.update_state(labels, outputs)
    with pytest.warns(UserWarning, match="adjusted|Adjusted") if regressors >= 5 else nullcontext():
        expected = float(eager.result())
    assert float(tf.function(ours.result)()) == pytest.approx(expected, rel=1e-6)
    if regressors == 2:
        r2 = 1 - np.sum((labels - outputs) ** 2) / np.sum((labels - labels.mean()) ** 2)
        assert expected == pytest.approx(1 - (1 - r2) * 5 / 3, rel=1e-5)
