"""Contradictions that need a whole spec; the others are in tests/cli/test_bad_specs.py."""

from pathlib import Path

import pytest
from conftest import XO

from cnnctl.errors import SpecError
from cnnctl.preflight import check
from cnnctl.specs import load

SCHEDULE = "{ExponentialDecay: {initial_learning_rate: 0.1, decay_steps: 9, decay_rate: 0.5}}"


def rules(tmp_path, text, *overrides):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    try:
        load(path, overrides)
    except SpecError as error:
        return [each.rule for each in error.diagnostics]
    return []


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], []),
        (["data.validation=0"], []),
        (["fit.callbacks=[EarlyStopping]"], []),
        (["fit.callbacks=[EarlyStopping]", "data.validation=0"], ["unknown-monitor"]),
        (["fit.callbacks=[EarlyStopping: {monitor: loss}]", "data.validation=0"], []),
        (["fit.callbacks=[EarlyStopping: {monitor: val_accuracy}]"], []),
        (["fit.callbacks=[EarlyStopping: {monitor: val_acc}]"], ["unknown-monitor"]),
        (["fit.callbacks=[EarlyStopping: {monitor: val_acc}]", "compile.metrics=[acc]"], []),
        (["fit.callbacks=[EarlyStopping: {monitor: top}]",
          "compile.metrics=[SparseTopKCategoricalAccuracy: {k: 2, name: top}]"], []),
        ([f"compile.optimizer.Adam.learning_rate={SCHEDULE}"], []),
        ([f"compile.optimizer.Adam.learning_rate={SCHEDULE}",
          "fit.callbacks=[LearningRateScheduler: {schedule: lr}]"], ["two-schedules"]),
        ([f"compile.optimizer.Adam.learning_rate={SCHEDULE}",
          "fit.callbacks=[ReduceLROnPlateau]"], ["two-schedules"]),
        (["fit.callbacks=[LearningRateScheduler: {schedule: lr}, ReduceLROnPlateau]"],
         ["two-schedules"]),
        (["fit.callbacks=[LearningRateScheduler: {schedule: {step: {initial_learning_rate: 1, "
          "every: 2}}}]"], []),
        (["compile.loss=categorical_crossentropy"], ["label-mode"]),
        (["compile.loss=categorical_crossentropy", "data.label_mode=categorical"], []),
        (["compile.loss.SparseCategoricalCrossentropy.from_logits=true"],
         ["softmax-from-logits"]),
        (["compile.loss.SparseCategoricalCrossentropy.from_logits=true",
          "model.layers.Dense.activation=linear"], []),
        (["model.layers.Dense.activation=linear"], ["logits-without-softmax"]),
        (["model.layers.Dense.activation=relu"], ["no-probabilities"]),
        (["compile.loss=binary_crossentropy", "model.layers.Dense.units=1"],
         ["no-probabilities"]),
        (["compile.loss=binary_crossentropy", "model.layers.Dense.units=1",
          "model.layers.Dense.activation=sigmoid"], []),
        (["compile.loss=binary_crossentropy", "model.layers.Dense.activation=linear"],
         ["logits-without-softmax"]),
        (["fit.callbacks=[SwapEMAWeights]"], ["no-averages"]),
        (["fit.callbacks=[SwapEMAWeights]", "compile.optimizer.Adam.use_ema=true"], []),
        (["fit.callbacks=[LearningRateScheduler: {schedule: cosine}]"], ["bad-schedule"]),
        (["fit.epochs=1200",
          "fit.callbacks=[LearningRateScheduler: {schedule: 0.1 - epoch * 0.0001}]"],
         ["bad-schedule"]),
    ],
)  # fmt: skip
def test_contradictions(tmp_path, overrides, expected):
    assert rules(tmp_path, XO, *overrides) == expected


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], []),
        (["compile.loss=mse"], ["label-mode"]),
        (["compile.loss=mse", "data.label_mode=categorical"], []),
        (["compile.metrics=[accuracy, Precision]"], ["label-mode"]),
        (["compile.metrics=[acc, SparseTopKCategoricalAccuracy]"], []),
        (["model.layers.Dense.units=1"], ["one-output"]),
        (["model.layers.Dense.units=1", "model.layers.Dense.activation=tanh",
          "compile.loss=hinge"], ["logit-threshold"]),
        (["model.layers.Dense.units=1", "model.layers.Dense.activation=tanh",
          "compile.loss=hinge", "compile.metrics=[BinaryAccuracy: {threshold: 0}]"], []),
        (["model.layers.Flatten.name=f", "model.layers.Dense.inputs=[input]"], ["unused-layer"]),
        (["model.layers=[{Dense: {units: 2, activation: softmax}}]"], ["output-rank"]),
        (["model.input_shape=[8, 8, 1]"], ["input-shape"]),
    ],
)  # fmt: skip
def test_what_the_shapes_tell(tmp_path, overrides, expected):
    path = tmp_path / "a.yaml"
    path.write_text(XO)
    found = []
    try:
        check(path, overrides)
    except SpecError as error:
        found = [each.rule for each in error.diagnostics]
    assert found == expected


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mein netz.yaml", "mein_netz"),
        ("ü.yaml", "spec"),
        ("_a(1).yml", "a_1_"),
        ("net-2.1.yaml", "net-2.1"),
    ],
)
def test_a_file_of_any_name_has_a_name_for_its_runs(tmp_path, file, name):
    (tmp_path / file).write_text(XO.replace("name: tiny\n", ""))
    assert load(tmp_path / file).name == name


def test_data_starts_where_its_path_is_written(tmp_path):
    """In the extended spec's folder, or the current one for a flag."""
    (tmp_path / "sub").mkdir()
    data = "dataset: {npz: {path: a.npz}}"
    old = "dataset: {xo: {count: 120, test_count: 40, translate: 1}}"
    (tmp_path / "base.yaml").write_text(XO.replace(old, data))
    (tmp_path / "sub/child.yaml").write_text("extends: ../base.yaml\n")
    child = tmp_path / "sub/child.yaml"
    assert load(child).data_base.resolve() == tmp_path.resolve()
    assert load(child, ["data.dataset.npz.path=b.npz"]).data_base == Path()
