"""Metrics whose value is an array, against values counted by hand."""

import numpy as np
import pytest

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.compute.metric_values import report_each_value, take_one_label  # noqa: E402


class Confusions(keras.metrics.Metric):
    """How often each of two classes was taken for which."""

    def __init__(self):
        super().__init__(name="confusions")
        self.counts = self.add_weight(shape=(2, 2), initializer="zeros", name="counts")

    def update_state(self, y_true, y_pred, sample_weight=None):
        true = keras.ops.one_hot(keras.ops.argmax(y_true, -1), 2)
        taken = keras.ops.one_hot(keras.ops.argmax(y_pred, -1), 2)
        self.counts.assign(self.counts + keras.ops.transpose(true) @ taken)

    def result(self):
        return self.counts


def compiled(outputs, *metrics):
    """A network that puts out its input."""
    model = keras.Sequential([keras.Input((outputs,)), keras.layers.Identity()])
    model.compile(loss="mse", metrics=list(metrics))
    report_each_value(model)
    return model


def evaluated(model, x, y):
    found = model.evaluate(np.array(x, "float32"), np.array(y), verbose=0, return_dict=True)
    found.pop("loss")
    return found


def test_each_value_has_a_name():
    model = compiled(2, keras.metrics.F1Score(), Confusions())
    found = evaluated(model, [[1, 0], [1, 0], [0, 1], [1, 0]], [[1, 0], [0, 1], [0, 1], [1, 0]])
    # Class 0: two right, one too many. Class 1: one right, one missed.
    assert found == {
        "f1_score/0": pytest.approx(2 * 2 / (2 * 2 + 1)), "f1_score/1": pytest.approx(2 / 3),
        "confusions/0/0": 2, "confusions/0/1": 0, "confusions/1/0": 1, "confusions/1/1": 1,
    }  # fmt: skip


def test_a_metric_per_threshold():
    model = compiled(1, keras.metrics.Recall(thresholds=[0.3, 0.6]))
    found = evaluated(model, [[0.2], [0.5], [0.9], [0.9]], [[1], [1], [1], [0]])
    assert found == {"recall/0": pytest.approx(2 / 3), "recall/1": pytest.approx(1 / 3)}


def test_an_array_of_one_value_has_the_metrics_own_name():
    metric = keras.metrics.F1Score(threshold=0.5)
    take_one_label(metric)
    found = evaluated(compiled(1, metric), [[0.2], [0.7], [0.9], [0.1]], [0, 1, 0, 1])
    assert found == {"f1_score": pytest.approx(0.5)}  # one right, one too many, one missed
