"""Each metric with each kind of output and labels: rejected where Keras itself, on small arrays,
raises an error or cannot tell right from wrong predictions, and nowhere else."""

import keras
import numpy as np
import pytest
from conftest import XO

from cnnctl.catalog import load as load_catalog
from cnnctl.errors import Location, SpecError
from cnnctl.preflight import check
from cnnctl.specs.checker import Checker
from cnnctl.specs.metric_families import OF_ZERO_AND_ONE, Output
from cnnctl.specs.metric_rules import misfits
from cnnctl.specs.metric_targets import Targets, always_one, one_by_one, targets
from cnnctl.specs.nodes import located

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
    if name == "KLDivergence" and output.count == 1:  # as good where every output is 1
        return value(name, arguments, y, np.ones_like(y)) <= value(name, arguments, y, y) + 1e-5
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
    found = list(targets([component(name, arguments)], 1, REAL))
    assert [each.rule for each in found] == ["metric-misfit"]
    assert list(targets([component("MSE", {}), component("R2Score", {})], 1, REAL)) == []


REAL = Targets(None)


@pytest.mark.parametrize(("name", "arguments"), [
    ("Accuracy", {}), ("MeanIoU", {"num_classes": 2}),
    ("IoU", {"num_classes": 2, "target_class_ids": [1]}),
])  # fmt: skip
def test_targets_that_are_no_whole_numbers_are_no_class_ids(name, arguments):
    """An almost perfect network is as bad as any for equality; IoU sees only the whole part."""
    y = np.array([[0.65], [0.25], [1.0], [1.9]])
    near = value(name, arguments, y, y + 0.01)
    assert near == 0 if name == "Accuracy" else near == value(name, arguments, y, np.floor(y))
    metric = component(name, arguments)
    (found,) = targets([metric], 1, REAL)
    assert (found.rule, "mae" in found.hint) == ("metric-misfit", True)
    assert list(targets([metric], 1, Targets((0, 1)))) == []


def test_class_ids_beyond_the_number_of_classes():
    """Keras leaves them out without a word; `ignore_class` is how to ask for that."""
    y, wrong = np.array([[0.0], [1], [5], [5]]), np.array([[0.0], [1], [0], [1]])
    assert value("MeanIoU", {"num_classes": 2}, y, wrong) == pytest.approx(1)
    values = (0, 1, 5)
    (found,) = targets([component("MeanIoU", {"num_classes": 2})], 1, Targets(values))
    assert "`num_classes: 6`" in found.hint
    for arguments in ({"num_classes": 6}, {"num_classes": 2, "ignore_class": 5}):
        assert list(targets([component("MeanIoU", arguments)], 1, Targets(values))) == []
    (found,) = targets([component("MeanIoU", {"num_classes": 2})], 1, Targets((-1, 0, 1)))
    assert "one is -1" in found.message


@pytest.mark.parametrize(("name", "arguments", "fix"), [
    ("CategoricalAccuracy", {}, "BinaryAccuracy"),
    ("TopKCategoricalAccuracy", {"k": 1}, "BinaryAccuracy"),
    ("OneHotMeanIoU", {"num_classes": 3}, "BinaryIoU"),
    ("MeanIoU", {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False}, "BinaryIoU"),
])  # fmt: skip
def test_the_largest_of_several_ones_is_no_label(name, arguments, fix):
    """Exactly right predictions with other probabilities are judged wrong, as accuracy and IoU of
    each number by itself do not."""
    y = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1], [0, 0, 0]])
    right = np.where(y == 1, [0.7, 0.8, 0.9], [0.1, 0.2, 0.3])
    assert value(name, arguments, y, right) < 1
    assert value(fix, {}, y, right) == pytest.approx(1)
    metric, multi = component(name, arguments), Targets((0, 1), multi_hot=True)
    (found,) = targets([metric], 3, multi)
    assert loosely(fix) in loosely(found.hint)
    (found,) = targets([metric], 3, multi, FROM_LOGITS)
    assert f"`{fix}: {{threshold: 0}}`" in found.hint
    assert list(targets([metric], 3, Targets((0, 1), one_hot=True))) == []
    assert list(targets([component("BinaryAccuracy", {})], 3, multi)) == []


def loosely(text):
    return text.replace("_", "").lower()


def test_binary_accuracy_of_a_network_that_knows_nothing():
    (note,) = one_by_one([component("BinaryAccuracy", {}), component("MSE", {})], 3)
    known = value("BinaryAccuracy", {}, one_hot(THREE), np.full((12, 3), 1 / 3))
    assert f"{known:.4f}" in note
    assert "`categorical_accuracy`" in note
    for outputs in (1, 2, None):
        assert one_by_one([component("BinaryAccuracy", {})], outputs) == []


@pytest.mark.parametrize(("loss", "layer", "mode", "fix"), [
    ("kl_divergence", "{units: 1, activation: sigmoid}", "int", "binary_crossentropy"),
    ("KLDivergence", "{units: 1}", "float", "mse"),
    ("cosine_similarity", "{units: 1}", "float", "mse"),
    ("{CosineSimilarity: {axis: 0}}", "{units: 1}", "float", None),
    ("kl_divergence", "{units: 3, activation: softmax}", "float", None),
])  # fmt: skip
def test_losses_over_a_row_of_one_number(loss, layer, mode, fix, tmp_path):
    (tmp_path / "a.yaml").write_text(
        f"data: {{label_mode: {mode}, dataset: {{npz: {{path: a.npz}}}}}}\n"
        f"model: {{input_shape: [4], layers: [{{Dense: {layer}}}]}}\n"
        f"compile: {{optimizer: sgd, loss: {loss}}}\n"
    )
    if not fix:
        check(tmp_path / "a.yaml")
        return
    with pytest.raises(SpecError) as raised:
        check(tmp_path / "a.yaml")
    (found,) = raised.value.diagnostics
    assert (found.rule, f"`{fix}`" in found.hint) == ("loss-misfit", True)
    # By Keras: where every output is 1, it is as good as the truth; or the size is not seen.
    judge = keras.losses.get(loss)
    y = np.array([[1.0], [0.5], [0.0]], "float32")
    other = np.ones_like(y) if "kl" in loss.lower() else 9 * y
    assert np.mean(judge(y, other)) <= np.mean(judge(y, y)) + 1e-5


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
        check(xo_spec)
    (found,) = raised.value.diagnostics
    assert found.location.line == XO[: XO.index("[accuracy]")].count("\n") + 1
    assert hint in found.hint
    xo_spec.write_text(text.replace("[accuracy]", f"[{fixed}]"))
    check(xo_spec)
