"""A training from a spec to a run folder, with real Keras on pictures that are made."""

import json
import os
import signal
import threading

import numpy as np
import pytest
from conftest import XO

from cnnctl.compute.observer import Observer
from cnnctl.errors import RunError, SpecError, Stopped, TrainingError
from cnnctl.inference.evaluation import evaluate
from cnnctl.runs.checkpoint import WEIGHTS
from cnnctl.runs.find import find_run
from cnnctl.runs.run import epoch_of
from cnnctl.specs import load
from cnnctl.startup import quiet

quiet()

from cnnctl.training.train import train  # noqa: E402 - Keras is started quietly before


def trained(tmp_path, *changes, text=XO, folder="runs", observers=()):
    path = tmp_path / "tiny.yaml"
    path.write_text(text)
    return train(load(path, changes), runs_dir=tmp_path / folder, device="cpu", observers=observers)


def weights(run, name="last"):
    import h5py

    found = {}
    with h5py.File(run.checkpoint(name) / WEIGHTS) as file:
        file.visititems(
            lambda key, item: found.update({key: item[()]}) if hasattr(item, "shape") else None
        )
    return found


def test_the_run_folder_has_everything(tmp_path):
    result = trained(tmp_path)
    run = result.run
    assert run.path == tmp_path / "runs/tiny/001"
    names = {path.name for path in run.path.iterdir()}
    assert names == {"spec.yaml", "sources", "environment.json", "state.json", "metrics.jsonl",
                     "checkpoints", "model.keras", "evaluation.json", ".lock"}  # fmt: skip
    assert (run.path / "sources/tiny.yaml").read_text() == XO
    environment = run.environment()
    assert environment["data"]["images"] == {"train": 100, "validation": 20, "test": 40}
    assert environment["device"]["name"] == "cpu"
    assert environment["seed"] == 0
    assert run.state()["status"] == "finished"
    rows = run.history()
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert list(rows[0]) == ["epoch", "seconds", "images_per_second", "learning_rate", "accuracy",
                             "loss", "val_accuracy", "val_loss"]  # fmt: skip
    best = min(rows, key=lambda row: row["val_loss"])["epoch"]
    assert result.best_epoch == best
    assert run.checkpoint("best") == run.checkpoint(f"epoch-{best:04d}")
    assert run.checkpoint("last").name == "epoch-0003"
    assert json.loads((run.path / "evaluation.json").read_text())["figures"]["accuracy"] >= 0.5


def test_the_same_seed_gives_the_same_bits(tmp_path):
    """Dropout, shuffling and initial weights included."""
    one, two = trained(tmp_path), trained(tmp_path)
    assert two.run.path.name == "002"
    first, second = weights(one.run), weights(two.run)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)
    other = trained(tmp_path, "seed=1")
    kernel = "layers/dense/vars/0"
    assert not np.array_equal(first[kernel], weights(other.run)[kernel])


def test_steps_per_execution_change_no_bit(tmp_path):
    one = trained(tmp_path, "compile.steps_per_execution=1")
    many = trained(tmp_path, "compile.steps_per_execution=5")
    first, second = weights(one.run), weights(many.run)
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_the_figures_are_those_of_plain_keras(tmp_path):
    """Without shuffling and dropout, the history equals `model.fit` on normalized arrays."""
    import keras

    from cnnctl.compute.device import start_device
    from cnnctl.data.preparation import prepare
    from cnnctl.network.build import build, compile_model

    text = XO.replace("    - Dropout: {rate: 0.2}\n", "")
    result = trained(tmp_path, "fit.shuffle=false", text=text)
    spec = load(tmp_path / "tiny.yaml")
    data = prepare(spec)
    start_device("cpu", spec.seed)
    model = build(spec, data.input_shape)
    compile_model(model, spec)
    train_split, held_out = data.dataset.train, data.dataset.validation
    history = model.fit(
        train_split.x.astype("float32") / 127.5 - 1,
        train_split.y,
        batch_size=16,
        epochs=3,
        shuffle=False,
        validation_data=(held_out.x.astype("float32") / 127.5 - 1, held_out.y),
        verbose=0,
    ).history
    assert isinstance(model, keras.Sequential)
    for key, values in history.items():
        ours = [row[key] for row in result.history]
        np.testing.assert_allclose(ours, values, rtol=1e-4, atol=1e-5)


def test_plain_keras_opens_the_model(tmp_path):
    import keras

    result = trained(tmp_path)
    model = keras.models.load_model(result.run.model_path)
    spec = load(result.run.spec_path)
    from cnnctl.data.preparation import prepare

    test = prepare(spec).dataset.test
    loss, accuracy = model.evaluate(test.x.astype("float32") / 127.5 - 1, test.y, verbose=0)
    assert accuracy == pytest.approx(result.evaluation.figures["accuracy"])
    assert loss == pytest.approx(result.evaluation.figures["loss"], rel=1e-4)


def test_an_evaluation_repeats_the_figures_of_the_training(tmp_path):
    result = trained(tmp_path)
    for source in (result.run.path, result.run.model_path, result.run.checkpoint("best")):
        found = evaluate(source, device="cpu")
        assert found.figures == pytest.approx(result.evaluation.figures)
    assert evaluate(result.run.path, split="validation").images == 20


def test_learning_rates_follow_the_expression(tmp_path):
    text = XO + "  callbacks:\n    - LearningRateScheduler: {schedule: 0.01 * 0.5 ** epoch}\n"
    rows = trained(tmp_path, text=text).history
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.01, 0.005, 0.0025])


def test_callbacks_of_keras_do_their_work(tmp_path):
    text = (
        XO
        + """\
  callbacks:
    - EarlyStopping: {monitor: loss, patience: 2, min_delta: 100}
    - CSVLogger
    - TensorBoard
    - TerminateOnNaN
    - ReduceLROnPlateau: {monitor: loss, factor: 0.1, patience: 0, min_delta: 100}
"""
    )
    result = trained(tmp_path, "fit.epochs=9", text=text)
    assert len(result.history) == 3  # nothing improves by 100, and two epochs of patience
    assert (result.run.path / "history.csv").read_text().count("\n") == 4
    assert list((result.run.path / "tensorboard").rglob("events.*"))
    # A patience of 0 lowers the rate at the end of the second epoch: the third is trained with it.
    rates = [row["learning_rate"] for row in result.history]
    assert rates == pytest.approx([0.01, 0.01, 0.001])


def test_only_the_newest_and_the_best_checkpoints_are_kept(tmp_path):
    result = trained(tmp_path, "fit.epochs=6")
    kept = {epoch_of(path) for path in result.run.checkpoints()}
    assert kept == {5, 6, result.best_epoch}


def test_model_checkpoint_decides_what_is_best_and_what_is_kept(tmp_path):
    text = XO + "  callbacks:\n    - ModelCheckpoint: {monitor: val_accuracy}\n"
    result = trained(tmp_path, "fit.epochs=5", text=text)
    rows = result.history
    best = max(rows, key=lambda row: row["val_accuracy"])["epoch"]  # the first of equals, as Keras
    assert result.best_epoch == best
    assert [epoch_of(path) for path in result.run.checkpoints()] == [1, 2, 3, 4, 5]


def test_divergence_is_caught_before_a_checkpoint_is_written(tmp_path):
    with pytest.raises(TrainingError, match="diverged: in epoch 1") as caught:
        trained(tmp_path, "compile.optimizer.SGD.learning_rate=1e30")
    assert "learning rate" in caught.value.hint
    run = find_run(tmp_path / "runs/tiny/001")
    assert run.checkpoints() == []
    assert run.state()["status"] == "failed"


def test_a_signal_ends_the_training_after_the_last_full_epoch(tmp_path):
    class Watcher(Observer):
        def epoch_began(self, epoch, learning_rate):
            if epoch == 3:
                os.kill(os.getpid(), signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    result = trained(tmp_path, "fit.epochs=50", observers=[Watcher()])
    assert result.stopped == signal.SIGINT
    assert len(result.history) == 2
    assert result.run.state()["status"] == "stopped"
    assert result.run.checkpoint("last").name == "epoch-0002"
    assert result.run.model_path.exists()


def test_a_folder_that_ctrl_c_catches_in_the_making_goes(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise Stopped(signal.SIGINT)

    monkeypatch.setattr("cnnctl.training.description.write_environment", interrupted)
    (tmp_path / "tiny.yaml").write_text(XO)
    with pytest.raises(Stopped):
        train(load(tmp_path / "tiny.yaml"), runs_dir=tmp_path / "runs", device="cpu")
    assert not list((tmp_path / "runs/tiny").iterdir())


def test_missing_sections_are_named(tmp_path):
    (tmp_path / "a.yaml").write_text("model: {input_shape: [4], layers: [{Dense: {units: 2}}]}\n")
    with pytest.raises(SpecError) as caught:
        train(load(tmp_path / "a.yaml"), runs_dir=tmp_path / "runs")
    assert [each.message.split()[0] for each in caught.value.diagnostics] == ["`data`", "`compile`"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "runs").write_text("a file, not a folder")
    with pytest.raises(RunError, match="cannot write"):
        trained(tmp_path)


def test_regression_on_inline_numbers(tmp_path):
    """y = 2x − 1 on four points: a single neuron finds slope and offset."""
    text = """
data:
  dataset: {inline: {x_train: [[-1], [0], [1], [2]], y_train: [-3.0, -1.0, 1.0, 3.0]}}
  normalize: none
  label_mode: float
model:
  input_shape: [1]
  layers: [Dense: {units: 1}]
compile: {optimizer: {SGD: {learning_rate: 0.1}}, loss: mse}
fit: {epochs: 200, batch_size: 4}
"""
    result = trained(tmp_path, text=text)
    found = weights(result.run)
    assert found["layers/dense/vars/0"].item() == pytest.approx(2, abs=0.01)
    assert found["layers/dense/vars/1"].item() == pytest.approx(-1, abs=0.01)
