"""Which values of a metric are better, against what Keras's own callbacks decide."""

import re
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras.src.trainers.compile_utils import MetricsList

from cnnctl import plugins
from cnnctl.catalog import load as load_catalog
from cnnctl.catalog.describe import describe
from cnnctl.errors import SpecError
from cnnctl.preflight import check_run
from cnnctl.runs.run import Run
from cnnctl.specs import load
from cnnctl.specs.dump import flow
from cnnctl.specs.metrics import (
    in_short,
    is_reported,
    metric_of,
    mode_in_text,
    mode_of,
    reported,
)
from cnnctl.training.callbacks import checkpoints_from_spec, from_spec
from cnnctl.training.restart import _best

NEEDED = {"num_classes": 2, "target_class_ids": [0], "recall": 0.5, "precision": 0.5,
          "sensitivity": 0.5, "specificity": 0.5}  # fmt: skip
COUNTS = {"FalseNegatives", "FalsePositives", "TrueNegatives", "TruePositives"}
METRICS = [name for name in load_catalog().names("metric") if name != "accuracy"]


def needed(name):
    entry = load_catalog().find("metric", name)
    return {each.name: NEEDED[each.name] for each in entry.arguments if each.required}


def keras_decides(metric, monitor):
    """What a callback of Keras's with `mode: auto` goes by; None where it refuses to."""
    callback = keras.callbacks.EarlyStopping(monitor=monitor)
    callback.set_model(SimpleNamespace(metrics=[MetricsList([metric])], stop_training=False))
    try:
        callback._set_monitor_op()
    except ValueError:
        return None
    return "max" if callback.monitor_op is keras.ops.greater else "min"


def diagnostics(path, *overrides):
    try:
        load(path, overrides)
    except SpecError as error:
        return list(error.diagnostics)
    return []


@pytest.mark.parametrize("name", METRICS)
def test_the_direction_is_what_keras_decides_whatever_the_name(name, xo_spec):
    """Under names that suggest the contrary."""
    for label in ("accuracy_of", "loss_of", "score"):
        given = {**needed(name), "name": label}
        spec = load(xo_spec, [f"compile.metrics=[{flow({name: given})}]"])
        made = getattr(keras.metrics, name)(**given)
        for prefix in ("", "val_"):
            expected = keras_decides(made, prefix + label)
            assert mode_of(spec, prefix + label) == expected, (prefix, label)
            assert (expected is None) == (name in COUNTS)
        assert mode_of(spec, f"test_{label}") == expected


def test_the_loss_is_better_lower(xo_spec):
    spec = load(xo_spec)
    assert {mode_of(spec, name) for name in ("loss", "val_loss", "test_loss")} == {"min"}
    assert mode_of(spec, "val_accuracy") == "max"
    assert mode_of(spec, "learning_rate") is None
    assert {load_catalog().find("loss", each).direction for each in load_catalog().names("loss")} \
        == {"down"}  # fmt: skip


def test_names_are_reported_as_keras_reports_them(xo_spec):
    """Two metrics of one name are told apart by `_1`."""
    listed = "[accuracy, acc, mse, {BinaryAccuracy: {name: acc}}, MSE, {AUC: {name: mse}}]"
    spec = load(xo_spec, ["model.layers=[{Dense: {units: 1}}]", "compile.loss=mse",
                          f"compile.metrics={listed}"])  # fmt: skip
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    metrics = [
        "accuracy", "acc", "mse", keras.metrics.BinaryAccuracy(name="acc"), "MSE",
        keras.metrics.AUC(name="mse"),
    ]  # fmt: skip
    model.compile(loss="mse", metrics=metrics)
    found = model.evaluate(np.zeros((2, 1)), np.zeros((2, 1)), verbose=0, return_dict=True)
    assert set(reported(spec, has_validation=False)) == set(found)
    assert mode_of(spec, "val_mse") == "min"
    assert mode_of(spec, "val_mse_1") == "max"


@pytest.mark.parametrize("name", sorted(COUNTS))
@pytest.mark.parametrize("callback", ["ModelCheckpoint", "EarlyStopping", "ReduceLROnPlateau"])
def test_where_keras_does_not_know_the_mode_is_asked_for(name, callback, xo_spec):
    listed = [f"compile.metrics=[{name}]"]
    text = xo_spec.read_text() + "  callbacks:\n    - %s: {monitor: val_%s%s}\n"
    monitor = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    xo_spec.write_text(text % (callback, monitor, ""))
    (found,) = diagnostics(xo_spec, *listed)
    assert (found.rule, found.location.line) == ("unknown-direction", text.count("\n"))
    assert "`mode: max`" in found.hint
    xo_spec.write_text(text % (callback, monitor, ", mode: auto"))
    assert [each.rule for each in diagnostics(xo_spec, *listed)] == ["unknown-direction"]
    for mode in ("min", "max"):
        xo_spec.write_text(text % (callback, monitor, f", mode: {mode}"))
        assert diagnostics(xo_spec, *listed) == []
        assert mode_of(load(xo_spec, listed), f"val_{monitor}") == mode
        assert mode_of(load(xo_spec, listed), f"test_{monitor}") == mode


def test_a_run_of_an_earlier_version_stays_readable(xo_spec, tmp_path):
    """Which guessed from the name; a flag is held against all rules."""
    run = Run(tmp_path / "runs/tiny/001")
    run.path.mkdir(parents=True)
    monitor = "fit.callbacks=[ModelCheckpoint: {monitor: val_true_positives}]"
    text = xo_spec.read_text().replace("signed", "signed\n  label_mode: categorical")
    text = text.replace("sparse_categorical", "categorical").replace("accuracy", "TruePositives")
    run.spec_path.write_text(f"{text}  callbacks: [EarlyStopping: {{monitor: true_positives}}]")
    assert diagnostics(run.spec_path)
    assert check_run(run).spec.fit.callbacks
    with pytest.raises(SpecError, match="ModelCheckpoint monitors `val_true_positives`"):
        check_run(run, [monitor])


def test_a_resumed_run_corrects_a_best_epoch_that_was_guessed(xo_spec, tmp_path):
    """An earlier version took the lowest `score` for the best."""
    spec = load(xo_spec, ["compile.metrics=[{SparseCategoricalAccuracy: {name: score}}]",
                          "fit.callbacks=[ModelCheckpoint: {monitor: val_score}]"])  # fmt: skip
    values = {1: 0.6, 2: 0.9, 3: 0.8}
    intact = {epoch: ({}, {"row": {"val_score": value}}) for epoch, value in values.items()}
    data = SimpleNamespace(spec=spec, dataset=SimpleNamespace(validation=True))
    for before, expected, said in ((1, (2, 0.9), 1), (2, (2, 0.9), 0)):
        content = {"best_epoch": before, "best": values[before]}
        notes = []
        assert _best(Run(tmp_path), data, content, intact, notes, ()) == expected
        assert notes == ["`val_score` is better higher: epoch 2 is the best so far"][:said]


def test_callbacks_and_checkpoints_go_by_it(xo_spec, tmp_path):
    callbacks = "[EarlyStopping: {monitor: score}, ReduceLROnPlateau: {monitor: val_score_1}, "
    overrides = [
        "compile.metrics=[{SparseCategoricalAccuracy: {name: score}}, {MSE: {name: score}}]",
        f"fit.callbacks={callbacks}ModelCheckpoint: {{monitor: val_score}}]",
    ]
    spec = load(xo_spec, overrides)
    stopping, plateau = from_spec(spec, None)
    assert (stopping.mode, plateau.mode) == ("max", "min")
    run = Run(tmp_path)
    assert checkpoints_from_spec(spec, run, has_validation=True).maximize
    other = load(xo_spec, [*overrides, "fit.callbacks=[ModelCheckpoint: {monitor: val_score_1}]"])
    assert not checkpoints_from_spec(other, run, has_validation=True).maximize


@pytest.mark.parametrize(
    ("metrics", "column"),
    [
        ("[{MSE: {name: loss}}]", 37),
        ("[{MSE: {name: epoch}}]", 37),
        ("[accuracy, {MSE: {name: val_accuracy}}]", 47),
        ("[accuracy, {MSE: {name: seconds}}]", 47),
        ("[acc, acc, {MSE: {name: acc_1}}]", 47),
        ("[{MSE: {name: rate}}]", 37),
        ("[accuracy, {MSE: {name: time}}]", 47),
    ],
)
def test_a_name_that_would_hide_another_value(metrics, column, xo_spec):
    found = diagnostics(xo_spec, f"compile.metrics={metrics}")
    assert [(each.rule, each.location.column) for each in found] == [("metric-name", column)]
    new = metrics.replace(re.search(r"name: (\w+)", metrics)[1], "mean_squared_error")
    assert f"`{re.search('name: [a-z_]+', new)[0]}`" in found[0].hint
    assert not diagnostics(xo_spec, f"compile.metrics={new}")


def test_of_a_text_only_two_sections_are_read(xo_spec):
    """The rest may be of another version, or lack its plug-in."""
    text = xo_spec.read_text().replace("- Flatten", "- NoSuchLayer: {a: [1, 2}")
    assert mode_in_text(text, "val_accuracy") == "max"
    assert mode_in_text(text, "test_loss") == "min"
    assert mode_in_text(text, "val_score") is None
    named = text.replace("[accuracy]", "\n  - BinaryCrossentropy:\n      name: score\n  - acc")
    assert mode_in_text(named, "val_score") == "min"
    assert mode_in_text(named, "val_acc") == "max"
    assert mode_in_text("compile: [", "val_acc") is None
    assert mode_in_text("{compile: {metrics: [acc]}}", "val_acc") == "max"


def test_a_plug_in_says_it_as_keras_does(xo_spec):
    class Up(keras.metrics.MeanMetricWrapper):
        def __init__(self, name="up", dtype=None):
            super().__init__(keras.losses.mean_squared_error, name, dtype)
            self._direction = "up"

    class Attribute(keras.metrics.Metric):
        _direction = "down"

    class Inherited(keras.metrics.SparseCategoricalAccuracy):
        pass

    class OfLoss(keras.metrics.KLDivergence):
        pass

    class Silent(keras.metrics.Mean):
        pass

    expected = {Up: "up", Attribute: "down", Inherited: "up", OfLoss: "down", Silent: ""}
    assert {each: describe("metric", each, "a.py").direction for each in expected} == expected
    before = plugins.registering.keys()
    try:
        for each in (Up, Silent):
            plugins.register(each)
        spec = load(xo_spec, ["compile.metrics=[Up, Silent]"])
        assert (mode_of(spec, "val_up"), mode_of(spec, "val_mean")) == ("max", None)
        assert Silent().name == "mean"  # it inherits the name as well
        (found,) = diagnostics(xo_spec, "compile.metrics=[Silent]",
                               "fit.callbacks=[EarlyStopping: {monitor: val_mean}]")  # fmt: skip
        assert found.rule == "unknown-direction"
    finally:
        plugins.registering.forget(plugins.registering.keys() - before)


VECTORS = (
    "[F1Score, {F1Score: {average: macro, name: macro}}, {R2Score: {class_aggregation: null}}]"
)


def test_a_metric_with_several_values_has_a_name_for_each(xo_spec):
    """One per output. That training reports these names: tests/compute/test_each_component.py."""
    overrides = [f"compile.metrics={VECTORS}", "data.label_mode=categorical",
                 "compile.loss=categorical_crossentropy"]  # fmt: skip
    spec = load(xo_spec, overrides)
    names = ["loss", "f1_score/0", "f1_score/1", "macro", "r2_score/0", "r2_score/1"]
    assert reported(spec, has_validation=False) == names
    assert reported(spec, has_validation=True) == [*names, *(f"val_{name}" for name in names)]
    assert mode_of(spec, "val_f1_score/1") == "max"
    assert metric_of("val_f1_score/1") == "val_f1_score"

    def monitors(name):
        return diagnostics(
            xo_spec, *overrides, f"fit.callbacks=[{{EarlyStopping: {{monitor: {name}}}}}]"
        )

    assert not monitors("val_f1_score/1")
    (found,) = monitors("f1_score")
    assert "several values" in found.message
    assert "`f1_score/0`" in found.hint
    (found,) = monitors("val_f1_score/2")
    assert "not reported" in found.message


def test_where_only_shapes_tell_how_many_values_there_are_any_may_be_monitored(xo_spec):
    layers = ("[{Conv2D: {filters: 2, kernel_size: 3}}, GlobalAveragePooling2D, Flatten, "
              "{Activation: {activation: softmax}}]")  # fmt: skip
    spec = load(xo_spec, [f"model.layers={layers}", "compile.metrics=[F1Score]",
                          "data.label_mode=categorical",
                          "compile.loss=categorical_crossentropy"])  # fmt: skip
    assert is_reported(spec, "val_f1_score/1", has_validation=True)
    assert not is_reported(spec, "f1_score", has_validation=True)
    assert not is_reported(spec, "val_f1_score/1", has_validation=False)


def test_several_values_are_told_in_short():
    values = {"loss": 0.25, "f1_score/0": 0.5, "f1_score/1": 0.125, "f1_score/2": 1.0}
    assert in_short(values) == ["loss 0.2500", "f1_score 0.1250 to 1.0000"]
