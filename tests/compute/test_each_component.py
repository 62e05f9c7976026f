"""Every layer, loss, optimizer and metric of the catalog is trained as by Keras's own `fit`.

From the same weights, in the same order, by `cnnctl.train` with the default plan on two threads and
a smaller last batch. In float32 the sums are in another order: an error of some 1e-7 per step,
where the bound is 1e-4. `CNNCTL_EVERY=1` (`make soak`) trains all of them, otherwise a selection
that has every kind of assumption in it; `-s` prints a table.
"""

import os
import sys

import pytest
from component_cases import LOSSES, METRICS, case_of, cases
from components import compared, files

from cnnctl.catalog import load

import keras  # isort: skip

CASES = cases()

SELECTED = {
    "layers of a kind": "each assumption about layers: see KINDS",
    "layers across": "statistics of the batch, its loudest value, weights assigned to in the step",
    "layers drawn": "random numbers, in a whole batch",
    "loss Dice": "a loss that is no mean over images",
    "loss MeanSquaredError 2": "a loss in another type",
    "loss SparseCategoricalCrossentropy 2": "labels that do not count",
    "metrics of one-hot labels": "metrics whose value is an array",
    "metrics of one output": "labels that are single numbers",
    "metrics of numbers": "metrics of numbers",
    "optimizer Adam": "a fused update",
    "optimizer Adam 2": "updates in some steps only",
    "optimizer Muon": "an update of Keras's own",
    "activations": "every activation",
    "initializers": "every initializer",
    "constraints": "every constraint",
    "regularizers": "every regularizer",
    "regularizers of outputs": "penalties on outputs",
    "no trainable weight": "no gradient at all",
    "a layer in float64": "weights in another type",
}
"""What `make test` trains, each with the assumption of the fast steps that it looks at."""

KINDS = {
    "Conv2D": "a ReLU before pooling, kernel gradients that wait",
    "Dense": "a gradient whose shape is not known while a step is traced",
    "MultiHeadAttention": "several inputs, einsum",
    "GRU": "weights read in a loop within the graph",
    "Bidirectional": "a layer within a layer",
    "Embedding": "a gradient of single rows",
    "RandomBrightness": "augmentation",
}
"""The layers of the selection."""

CASES |= {
    "layers of a kind": case_of(KINDS, "cut"),
    "layers across": case_of(["BatchNormalization", "MelSpectrogram", "SpectralNormalization"]),
    "layers drawn": case_of(["RandomFlip", "Dropout", "RandomRotation"], "drawn"),
}
EVERY = bool(os.environ.get("CNNCTL_EVERY"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    files(folder)
    return folder


@pytest.mark.parametrize("name", [name for name in CASES if EVERY or name in SELECTED])
def test_a_component_is_trained_as_by_fit(name, data, tmp_path):
    case = CASES[name]
    try:
        found = compared(case, tmp_path, data)
    finally:
        keras.backend.clear_session()
    plan = f"{found.plan.parts} part{'s' * (found.plan.parts > 1)}"
    lines = zip(case.members, found.of_members, strict=True) if case.members else [
        (name, found.weights)]  # fmt: skip
    for what, weights in lines:
        print(f"{what:40} {plan:8} {found.largest:8.1e} {weights:8.1e}", file=sys.stderr)
    assert case.parts in (None, found.plan.parts), str(found.plan)
    assert found.plan.reordered, str(found.plan)
    assert found.largest <= case.tolerance, (found.ours, found.theirs)
    assert found.weights <= case.tolerance, found.of_members


def test_all_of_the_catalog_is_trained():
    def trained(kind):
        return {name.split()[1] for name in CASES if name.startswith(f"{kind} ")}

    layers = {name for case in CASES.values() for name in case.members}
    assert layers == set(load().names("layer"))
    for kind in ("optimizer", "schedule", "callback"):
        assert trained(kind) == set(load().names(kind)), kind
    assert set(LOSSES) == set(load().names("loss")) - {"crossentropy"}
    used = {
        metric if isinstance(metric, str) else next(iter(metric))
        for *_, some in METRICS.values()
        for metric in some
    }
    assert set(load().names("metric")) - used == {"Accuracy", "IoU", "MeanIoU"}


def test_the_selection_exists():
    assert set(SELECTED) <= set(CASES)
