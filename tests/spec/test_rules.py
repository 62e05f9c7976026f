"""Contradictions that need a whole spec; the others are in tests/cli/test_bad_specs.py."""

import pytest
from conftest import XO

from cnnctl.errors import SpecError
from cnnctl.spec import load

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
    ],
)  # fmt: skip
def test_contradictions(tmp_path, overrides, expected):
    assert rules(tmp_path, XO, *overrides) == expected
