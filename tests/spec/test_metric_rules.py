"""Each metric with each kind of output and labels: rejected where Keras itself, on small arrays,
raises an error or cannot tell right from wrong predictions, and nowhere else."""

import keras
import numpy as np
import pytest
from conftest import XO

from cnnctl.catalog import load as load_catalog
from cnnctl.errors import Location, SpecError
from cnnctl.preflight import preflight
from cnnctl.spec.components import Checker
from cnnctl.spec.metric_rules import OF_ZERO_AND_ONE, Output, always_one, misfits, targets
from cnnctl.spec.nodes import located

SURE, UNSURE = 4.0, 0.45
"""Logits of 0.98 and of 0.61, which is on the right side of every threshold for probabilities, and
not above 0.5."""
TWO, THREE = np.arange(12) % 2, np.arange(12) % 3
SEVERAL = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]] * 3)
NUMBERS, ROWS = np.linspace(-2, 2, 12)[:, None], np.random.default_rng(0).normal(size=(12, 3))


def one_hot(labels):
    return np.eye(3)[labels]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def scenario(labels, right, wrong, function):
    """Labels, and pairs of right and wrong predictions, sure and unsure."""
    return labels, [(function(size * (2 * right - 1)), function(size * (2 * wrong - 1)))
                    for size in (SURE, UNSURE)]  # fmt: skip


def same(x):
    return x


ONE, NEXT = TWO[:, None], one_hot((THREE + 1) % 3)
FROM_LOGITS = "from_logits: true"
SCENARIOS = {
    Output(1, "int", "sigmoid", None): scenario(ONE, ONE, 1 - ONE, sigmoid),
    Output(1, "int", "linear", FROM_LOGITS): scenario(ONE, ONE, 1 - ONE, same),
    Output(1, "int", "tanh", "hinge"): scenario(ONE, ONE, 1 - ONE, np.tanh),
    Output(1, "float", "sigmoid", None): scenario(ONE, ONE, 1 - ONE, sigmoid),
    Output(3, "int", "softmax", None): scenario(THREE, one_hot(THREE), NEXT, softmax),
    Output(3, "int", "linear", FROM_LOGITS): scenario(THREE, one_hot(THREE), NEXT, same),
    Output(3, "categorical", "softmax", None):
        scenario(one_hot(THREE), one_hot(THREE), NEXT, softmax),
    Output(3, "categorical", "linear", FROM_LOGITS):
        scenario(one_hot(THREE), one_hot(THREE), NEXT, same),
    Output(3, "float", "sigmoid", None): scenario(SEVERAL, SEVERAL, 1 - SEVERAL, sigmoid),
    Output(3, "float", "linear", FROM_LOGITS): scenario(SEVERAL, SEVERAL, 1 - SEVERAL, same),
    Output(1, "float", "linear", None): (NUMBERS, [(NUMBERS + 0.01, -NUMBERS)]),
    Output(3, "float", "linear", None): (ROWS, [(ROWS + 0.01, -ROWS)]),
}  # fmt: skip

NEEDED = {"num_classes": 3, "target_class_ids": [0], "recall": 0.5, "precision": 0.9,
          "sensitivity": 0.5, "specificity": 0.5}  # fmt: skip
FURTHER = {
    "AUC": [{"from_logits": True}, {"multi_label": True}, {"multi_label": True, "num_labels": 2}],
    "BinaryAccuracy": [{"threshold": 0}, {"threshold": 1}],
    "BinaryCrossentropy": [{"from_logits": True}],
    "BinaryIoU": [{"threshold": 0}],
    "CategoricalCrossentropy": [{"from_logits": True}],
    "ConcordanceCorrelation": [{"axis": 0}],
    "CosineSimilarity": [{"axis": 0}],
    "F1Score": [{"threshold": 0.5}, {"average": "macro"}],
    "FBetaScore": [{"threshold": 0.5, "beta": 2.0}],
    "IoU": [{"sparse_y_pred": False}, {"sparse_y_true": False, "sparse_y_pred": False}],
    "MeanIoU": [{"sparse_y_pred": False}, {"sparse_y_true": False, "sparse_y_pred": False}],
    "OneHotIoU": [{"sparse_y_pred": True}],
    "PearsonCorrelation": [{"axis": 0}],
    "Precision": [{"thresholds": 0}, {"thresholds": [0.3, 0.6]}, {"top_k": 1}, {"class_id": 1},
                  {"class_id": 3}, {"top_k": 4}, {"thresholds": [0, 1]}],
    "Recall": [{"thresholds": 0}, {"class_id": 0}, {"top_k": 1}],
    "SparseCategoricalCrossentropy": [{"from_logits": True}],
    "SparseTopKCategoricalAccuracy": [{"k": 1}, {"k": 1, "from_sorted_ids": True}],
    "TopKCategoricalAccuracy": [{"k": 1}],
    "TrueNegatives": [{"thresholds": 0}],
    "TruePositives": [{"thresholds": [0.2, 0.5]}, {"thresholds": 1}],
}  # fmt: skip
LOOKS = {("SparseTopKCategoricalAccuracy", 5), ("TopKCategoricalAccuracy", 5)}
"""Top 5 of 3 classes is 1, by its definition."""
METRICS = [(name, arguments) for name in load_catalog().names("metric") if name != "accuracy"
           for arguments in [{}, *FURTHER.get(name, [])]
           if (name, arguments.get("k", 5)) not in LOOKS]  # fmt: skip

OF_TARGETS = {"CategoricalCrossentropy", "F1Score", "FBetaScore", "Poisson"}
WORKED_OUT = {"Accuracy", "IoU", "MeanIoU"}
"""A linear output may be a class number or another whole number, as in a worked example."""


def component(name, arguments):
    checker = Checker(load_catalog())
    made = checker.component(located({name: arguments or None}, Location("a.yaml")), "metric")
    assert not checker.found
    return made


def arguments_of(name, further):
    needed = load_catalog().find("metric", name).arguments
    return {each.name: NEEDED[each.name] for each in needed if each.required} | further


def value(name, arguments, y, predictions):
    metric = getattr(keras.metrics, name)(**arguments)
    metric.update_state(y.astype("float32"), predictions.astype("float32"))
    return np.asarray(metric.result(), float)


def is_blind(name, arguments, y, right, wrong):
    """Whether Keras raises, or gives the wrong predictions no worse a value than the right ones."""
    try:
        good, bad = (value(name, arguments, y, each) for each in (right, wrong))
    except Exception:  # whatever TensorFlow raises
        return True
    direction = load_catalog().find("metric", name).direction
    if np.isnan(good).any() or np.allclose(good, bad):
        return True
    return bool(direction) and (good.mean() > bad.mean()) != (direction == "up")


def crossentropy(name, y, right):
    """By its definition; of several classes, probabilities are made to add up to 1."""
    if name == "BinaryCrossentropy":
        return -np.mean(y * np.log(right) + (1 - y) * np.log(1 - right))
    y = y if y.ndim == 2 else one_hot(y)
    return -np.mean(np.sum(y * np.log(right / right.sum(-1, keepdims=True)), -1))


def is_wrong(output, name, arguments):
    """Whether a metric says nothing about an output, or something wrong, by Keras's own values."""
    y, pairs = SCENARIOS[output]
    if any(is_blind(name, arguments, y, *pair) for pair in pairs):
        return True
    if name.endswith("Crossentropy") and output.logits != "hinge" and (
        output.logits or output.activation != "linear"
    ):  # fmt: skip
        right = pairs[0][0]
        several = name != "BinaryCrossentropy"
        known = (softmax if several else sigmoid)(right) if output.logits else right
        return not np.isclose(value(name, arguments, y, right), crossentropy(name, y, known), 1e-3)
    if name == "AUC" or "At" in name:  # a threshold parts these, wherever it lies
        low = SURE + y if output.logits else 0.3 + 0.4 * y
        low = np.clip(pairs[0][0], -0.6, -0.2) if output.activation == "tanh" else low
        return is_blind(name, arguments, y, low, low.max() + low.min() - low)
    return False


@pytest.mark.parametrize("output", SCENARIOS, ids=lambda o: f"{o.count}-{o.labels}-{o.activation}")
def test_what_is_rejected_is_what_keras_cannot_compute(output):
    regression = output.activation == "linear" and not output.logits
    for name, further in METRICS:
        arguments = arguments_of(name, further)
        metric = component(name, arguments)
        found = list(misfits(output, [metric]))
        if regression and name in OF_ZERO_AND_ONE | WORKED_OUT | OF_TARGETS:
            continue  # the targets decide, which the output does not tell
        if name.startswith("Sparse") and output.labels == "categorical":
            continue  # rejected before the output is known: see `rules.contradictions`
        if name == "MeanAbsolutePercentageError" and (output.count, output.labels) != (3, "int"):
            continue  # labels of 0 make it huge, and it still tells right from wrong
        if output.logits and 1 in (further.get("threshold"), further.get("thresholds")):
            continue  # chosen for logits
        expected = is_wrong(output, name, arguments)
        assert bool(found) == expected, (name, arguments, found)


@pytest.mark.parametrize("name", sorted(OF_ZERO_AND_ONE - {"BinaryAccuracy", "BinaryIoU"}))
def test_numeric_targets_are_taken_for_0_and_1(name):
    """All that these metrics see of a target is whether it is 0."""
    arguments = arguments_of(name, {})
    y, predictions = np.array([[0.0], [0.2], [3], [0], [-1]]), np.linspace(0.1, 0.9, 5)[:, None]
    assert value(name, arguments, y, predictions) == value(name, arguments, y != 0, predictions)
    assert [each.rule for each in targets([component(name, arguments)], 1)] == ["metric-misfit"]
    assert list(targets([component("MSE", {}), component("R2Score", {})], 1)) == []


def test_top_5_of_3_classes_is_1_by_its_definition():
    y, wrong = THREE, softmax(SURE * NEXT)
    top = component("SparseTopKCategoricalAccuracy", {})
    assert value("SparseTopKCategoricalAccuracy", {}, y, wrong) == 1
    (note,) = always_one([top, component("MSE", {})], 3)
    assert "among the 5 largest of 3 outputs" in note
    for metric, outputs in (
        (top, 6),
        (top, None),
        (component("TopKCategoricalAccuracy", {"k": 2}), 3),
    ):
        assert always_one([metric], outputs) == []


XO_ONE = (
    XO.replace("units: 2, activation: softmax", "units: 1, activation: sigmoid")
    .replace("sparse_categorical_crossentropy", "binary_crossentropy")
)  # fmt: skip
LOGIT = XO_ONE.replace(", activation: sigmoid", "").replace(
    "binary_crossentropy", "{BinaryCrossentropy: {from_logits: true}}"
)


IOU = "MeanIoU: {num_classes: 2"


@pytest.mark.parametrize(
    ("text", "metric", "hint", "fixed"),
    [
        (XO_ONE, "Accuracy", "accuracy", "accuracy"),
        (XO_ONE, "CategoricalAccuracy", "BinaryAccuracy", "BinaryAccuracy"),
        (XO_ONE, "SparseCategoricalAccuracy", "BinaryAccuracy", "BinaryAccuracy"),
        (XO_ONE, "CategoricalCrossentropy", "BinaryCrossentropy", "BinaryCrossentropy"),
        (XO_ONE, "F1Score", "F1Score: {threshold: 0.5}", "{F1Score: {threshold: 0.5}}"),
        (XO_ONE, f"{{{IOU}}}}}", "BinaryIoU", "BinaryIoU"),
        (XO_ONE, "{Recall: {thresholds: 0}}", "thresholds: 0.5", "{Recall: {thresholds: 0.5}}"),
        (LOGIT, "Precision", "Precision: {thresholds: 0}", "{Precision: {thresholds: 0}}"),
        (LOGIT, "AUC", "from_logits: true", "{AUC: {from_logits: true}}"),
        (LOGIT, "BinaryIoU", "BinaryIoU: {threshold: 0}", "{BinaryIoU: {threshold: 0}}"),
        (LOGIT, "bce", "from_logits: true", "{BinaryCrossentropy: {from_logits: true}}"),
        (XO, f"{{{IOU}}}}}", "sparse_y_pred: false", f"{{{IOU}, sparse_y_pred: false}}}}"),
        (XO, f"{{OneHot{IOU}}}}}", "MeanIoU: {sparse_y_pred: false, …}",
         f"{{{IOU}, sparse_y_pred: false}}}}"),
        (XO, "Precision", "starts with `sparse_`", "sparse_categorical_accuracy"),
    ],
)  # fmt: skip
def test_the_fix_fixes(text, metric, hint, fixed, xo_spec):
    xo_spec.write_text(text.replace("[accuracy]", f"[{metric}]"))
    with pytest.raises(SpecError) as raised:
        preflight(xo_spec)
    (found,) = raised.value.diagnostics
    assert found.location.line == XO[: XO.index("[accuracy]")].count("\n") + 1
    assert hint in found.hint
    xo_spec.write_text(text.replace("[accuracy]", f"[{fixed}]"))
    preflight(xo_spec)
