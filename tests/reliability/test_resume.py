"""A run that goes on reaches the very bits that it would have reached without the break."""

import json
import os
import shutil

import numpy as np
import pytest

from cnnctl.errors import RunError, UsageError
from cnnctl.inference.evaluation import evaluate
from cnnctl.specs import load
from cnnctl.startup import quiet
from reliability.helpers import RANDOM, Killed, KilledAfter, arrays, figures, same_bits

quiet()

from cnnctl.training.reproduce import reproduce  # noqa: E402
from cnnctl.training.resume import resume  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

VARIANTS = {
    "adam": RANDOM,
    "momentum, a plateau and a patience": RANDOM.replace(
        "{Adam: {learning_rate: 0.01}}", "{SGD: {learning_rate: 0.1, momentum: 0.9}}"
    )
    + "  callbacks:\n"
    "    - ReduceLROnPlateau: {monitor: loss, factor: 0.5, patience: 1, cooldown: 1,"
    " min_delta: 0.1}\n"
    "    - EarlyStopping: {monitor: val_loss, patience: 2, min_delta: 0.2,"
    " restore_best_weights: true}\n"
    "    - CSVLogger\n",
    "a rate that builds on the last": RANDOM
    + '  callbacks:\n    - LearningRateScheduler: {schedule: "lr * 0.7"}\n',
    "averages": RANDOM.replace("learning_rate: 0.01", "learning_rate: 0.01, use_ema: true")
    + "  callbacks:\n    - SwapEMAWeights: {swap_on_epoch: true}\n",
    "a schedule of Keras's": RANDOM.replace(
        "learning_rate: 0.01",
        "learning_rate: {ExponentialDecay: {initial_learning_rate: 0.02, decay_steps: 7,"
        " decay_rate: 0.8}}",
    ),
    "in parts": RANDOM.replace("    - BatchNormalization\n", "").replace(
        "  optimizer", "  parts: 3\n  threads: 3\n  optimizer"
    ),
}


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The run of each variant without a break, made once."""
    made = {}

    def of(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("straight")
            made[name] = new(folder, VARIANTS[name]).run
        return made[name]

    return of


def new(folder, text, *changes, **settings):
    folder.mkdir(exist_ok=True)
    (folder / "random.yaml").write_text(text)
    spec = load(folder / "random.yaml", changes)
    return train(spec, runs_dir=folder / "runs", device="cpu", **settings)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run of `RANDOM` that was killed after an epoch, made once for each."""
    made = {}

    def after(epoch):
        if epoch not in made:
            made[epoch] = tmp_path_factory.mktemp("killed")
            with pytest.raises(Killed):
                new(made[epoch], RANDOM, observers=[KilledAfter(epoch)])
        return made[epoch]

    return after


@pytest.fixture
def stopped(killed, tmp_path):
    """A copy of such a run, beside its spec."""

    def after(epoch):
        shutil.copytree(killed(epoch), tmp_path, symlinks=True, dirs_exist_ok=True)
        return tmp_path / "runs/random/001"

    return after


# The long version ends every variant after each epoch.
LONG = "CNNCTL_KILLS" in os.environ
ENDS = [
    (name, epoch)
    for index, name in enumerate(VARIANTS)
    for epoch in ((1, 2, 3, 4) if LONG else (1, 3) if index < 2 else (2,))
]


@pytest.mark.parametrize(("name", "epoch"), ENDS)
def test_killed_after_each_epoch(name, epoch, straight, tmp_path):
    expected = straight(name)
    epoch = min(epoch, len(expected.history()))
    with pytest.raises(Killed):
        new(tmp_path, VARIANTS[name], observers=[KilledAfter(epoch)])
    result = resume(tmp_path / "runs/random", device="cpu")
    assert figures(result.run) == figures(expected)
    assert same_bits(arrays(result.run), arrays(expected))
    assert same_bits(arrays(result.run, "best"), arrays(expected, "best"))
    assert result.best_epoch == expected.state()["best_epoch"]
    assert result.evaluation.figures == expected.evaluation()["figures"]
    assert result.run.state()["status"] == "finished"
    if (expected.path / "history.csv").exists():
        written = [run.path / "history.csv" for run in (result.run, expected)]
        assert written[0].read_text() == written[1].read_text()


@pytest.mark.parametrize("epoch", [0, 2])
def test_killed_in_the_middle_of_an_epoch(epoch, straight, tmp_path):
    """The epoch begins again; killed in the first one, the training does."""
    with pytest.raises(Killed):
        new(tmp_path, RANDOM, observers=[KilledAfter(epoch, during=True)])
    result = resume(tmp_path / "runs/random/001", device="cpu")
    assert figures(result.run) == figures(straight("adam"))
    assert same_bits(arrays(result.run), arrays(straight("adam")))


def test_killed_again_and_again(straight, stopped):
    run = stopped(1)
    for epoch in (2, 3, 4, 5):
        with pytest.raises(Killed):
            resume(run, device="cpu", observers=[KilledAfter(epoch)])
    result = resume(run, device="cpu")
    assert same_bits(arrays(result.run), arrays(straight("adam")))
    assert [each["after"] for each in result.run.state()["resumed"]] == [1, 2, 3, 4, 5]


def test_a_line_that_was_not_written_comes_from_the_checkpoint(straight, stopped, tmp_path):
    """A process can be killed between a checkpoint and its line of the history."""
    run = stopped(3)
    history = tmp_path / "runs/random/001/metrics.jsonl"
    lines = history.read_text().splitlines(keepends=True)
    for left in ("".join(lines[:2]), "".join(lines[:2]) + lines[2][:20]):
        history.write_text(left)
        folder = tmp_path / f"copy{len(left)}"
        shutil.copytree(tmp_path / "runs", folder / "runs", symlinks=True)
        result = resume(folder / "runs/random/001", device="cpu")
        assert figures(result.run) == figures(straight("adam"))
    history.write_text(lines[1])
    with pytest.raises(RunError, match="lacks the line of epoch 1"):
        resume(run, device="cpu")


@pytest.mark.parametrize("name", ["adam", "averages"])
def test_more_epochs_for_a_finished_run(name, straight, tmp_path):
    short = new(tmp_path, VARIANTS[name], "fit.epochs=2")
    assert len(short.history) == 2
    result = resume(short.run.path, overrides=["fit.epochs=5"], device="cpu")
    assert figures(result.run) == figures(straight(name))
    assert same_bits(arrays(result.run), arrays(straight(name)))
    assert load(result.run.spec_path).fit.epochs == 5


def test_a_finished_run_is_left_alone(tmp_path):
    run = new(tmp_path, RANDOM, "fit.epochs=1").run
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.name != ".lock"}
    result = resume(run.path, device="cpu")
    assert result.unchanged
    assert result.evaluation.figures == run.evaluation()["figures"]
    after = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.name != ".lock"}
    assert before == after


def test_a_run_that_ended_itself_has_no_more_epochs(tmp_path):
    """EarlyStopping would have ended the longer training at the same epoch."""
    text = VARIANTS["momentum, a plateau and a patience"]
    run = new(tmp_path, text, "fit.epochs=9").run
    ended = len(run.history())
    assert ended < 9
    assert resume(run.path, overrides=["fit.epochs=20"], device="cpu").unchanged
    more = resume(
        run.path,
        overrides=["fit.epochs=20", "fit.callbacks.EarlyStopping.patience=4"],
        allow=["fit"],
        device="cpu",
    )
    assert len(more.history) > ended


@pytest.mark.parametrize(
    ("change", "kind", "values"),
    [
        ("model.layers.Dropout.rate=0.5", "model", ("0.3", "0.5")),
        ("compile.optimizer.Adam.learning_rate=0.001", "compile", ("0.01", "0.001")),
        ("compile.optimizer=sgd", "compile", ("Adam", "SGD")),
        ("compile.metrics=[]", "compile", ("accuracy", "nothing")),
        ("data.dataset.xo.translate=0", "data", ("1", "0")),
        ("data.validation=30", "data", ("20", "30")),
        ("fit.batch_size=32", "fit", ("16", "32")),
        ("seed=4", "seed", ("3", "4")),
    ],
)
def test_a_difference_is_refused_with_both_values(change, kind, values, stopped):
    run = stopped(1)
    with pytest.raises(UsageError) as caught:
        resume(run, overrides=[change], device="cpu")
    before, now = values
    assert f"{before} in the run, {now} now" in caught.value.hint.replace("[]", "nothing")
    assert f"--allow {kind}" in caught.value.hint
    result = resume(run, overrides=[change], allow=[kind], device="cpu")
    assert len(result.history) == 5
    assert result.run.state()["resumed"][-1]["changes"]


def test_what_was_allowed_once_is_what_counts_from_then_on(stopped):
    """Other pictures: they are evaluated, and nothing has to be allowed a second time."""
    run = stopped(1)
    with pytest.raises(Killed):
        resume(run, overrides=["data.dataset.xo.count=100"], allow=["data"], device="cpu",
               observers=[KilledAfter(3)])  # fmt: skip
    result = resume(run, device="cpu")
    assert evaluate(run, device="cpu").figures == result.evaluation.figures
    environment = json.loads((run / "environment.json").read_text())
    assert environment["data"]["images"]["train"] == 80


def test_the_learning_rate_that_was_allowed_is_the_one_that_counts(stopped):
    """Keras puts the checkpoint's back without a word."""
    run = stopped(2)
    changed = ["compile.optimizer.Adam.learning_rate=0.001"]
    result = resume(run, overrides=changed, allow=["compile"], device="cpu")
    assert [row["learning_rate"] for row in result.history] == pytest.approx(
        [0.01, 0.01, 0.001, 0.001, 0.001]
    )


def test_another_argument_of_the_optimizer_leaves_the_learning_rate(tmp_path):
    """Where a callback had it fall before."""
    falling = "  callbacks:\n    - ReduceLROnPlateau: {monitor: loss, factor: 0.1, patience: 1, "
    with pytest.raises(Killed):
        new(tmp_path, RANDOM + falling + "min_delta: 9}\n", observers=[KilledAfter(3)])
    run = tmp_path / "runs/random/001"
    changed = ["compile.optimizer.Adam.clipnorm=1.0"]
    result = resume(run, overrides=changed, allow=["compile"], device="cpu")
    rates = [row["learning_rate"] for row in result.history]
    assert rates == pytest.approx([0.01, 0.01, 0.001, 0.0001, 0.00001])


def test_a_callback_that_is_added_is_called_as_often_as_it_wants(stopped):
    run = stopped(2)
    plan = json.loads((run / "environment.json").read_text())["plan"]
    assert plan["steps_per_execution"] > 1
    added = ["fit.callbacks=[{TensorBoard: {update_freq: 1}}]"]
    resume(run, overrides=added, allow=["fit"], device="cpu")
    plan = json.loads((run / "environment.json").read_text())["plan"]
    assert plan["steps_per_execution"] == 1


def test_another_monitor_decides_among_the_epochs_that_are_there(tmp_path):
    """Figures of two monitors do not compare: a loss of 2 would be the accuracy to beat."""
    text = RANDOM.replace("{Adam: {learning_rate: 0.01}}", "{SGD: {learning_rate: 0.5}}")
    with pytest.raises(Killed):
        new(tmp_path, text, observers=[KilledAfter(2)])
    run = tmp_path / "runs/random/001"
    by = "fit.callbacks=[{ModelCheckpoint: {monitor: val_accuracy, save_best_only: true}}]"
    result = resume(run, overrides=[by], allow=["fit"], device="cpu")
    values = {row["epoch"]: row["val_accuracy"] for row in result.history}
    assert result.run.state()["best"]["monitor"] == "val_accuracy"
    assert result.run.state()["best"]["value"] == pytest.approx(max(values.values()))
    assert values[result.best_epoch] == max(values.values())


def test_figures_of_other_pictures_are_not_compared(stopped):
    run = stopped(3)
    other = ["data.dataset.xo.count=100"]
    result = resume(run, overrides=other, allow=["data"], device="cpu")
    later = {row["epoch"]: row["val_loss"] for row in result.history if row["epoch"] > 3}
    assert result.best_epoch == min(later, key=later.get)


def test_a_copy_that_has_followed_the_links_goes_on(straight, stopped, tmp_path):
    run = stopped(2)
    copy = tmp_path / "copy/random/001"
    shutil.copytree(run, copy, symlinks=False)
    assert not (copy / "checkpoints/last").is_symlink()
    result = resume(copy, device="cpu")
    assert same_bits(arrays(result.run), arrays(straight("adam")))
    assert (copy / "checkpoints/last").is_symlink()


class Refuses(KilledAfter):
    """An observer that cannot begin."""

    def started(self, facts):
        raise RunError("no screen")


def test_a_training_that_cannot_begin_says_so_in_its_state(tmp_path):
    with pytest.raises(RunError):
        new(tmp_path, RANDOM, observers=[Refuses(1)])
    state = json.loads((tmp_path / "runs/random/001/state.json").read_text())
    assert (state["status"], state["reason"], state["epochs"]) == ("failed", "no screen", 0)


def test_other_versions_are_refused(stopped):
    path = stopped(1) / "environment.json"
    environment = json.loads(path.read_text())
    environment["versions"]["keras"] = "3.0.0"
    path.write_text(json.dumps(environment))
    with pytest.raises(UsageError) as caught:
        resume(path.parent, device="cpu")
    assert "keras: 3.0.0 in the run" in caught.value.hint
    assert len(resume(path.parent, allow=["versions"], device="cpu").history) == 5


def test_another_place_of_the_same_pictures_is_no_difference(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (40, 9, 9), np.uint8), random.integers(0, 2, 40)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "d.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    text = RANDOM.replace("{xo: {count: 96, test_count: 32, translate: 1}}",
                          "{npz: {path: one/d.npz}}")  # fmt: skip
    with pytest.raises(Killed):
        new(tmp_path, text, observers=[KilledAfter(1)])
    moved = load(tmp_path / "random.yaml", ["data.dataset.npz.path=other/d.npz"])
    (tmp_path / "one/d.npz").unlink()
    monkeypatch.chdir(tmp_path)  # a flag's path starts from the current folder
    assert len(resume(tmp_path / "runs/random/001", spec=moved, device="cpu").history) == 5


def test_a_reproduction_says_the_first_figure_that_differs(tmp_path):
    run = new(tmp_path, RANDOM).run
    found = reproduce(run.path, device="cpu")
    assert (found.difference, found.weights, found.epochs) == (None, True, 5)
    assert reproduce(run.path, epochs=2, device="cpu").epochs == 2
    with pytest.raises(UsageError, match=f"has {found.epochs} finished epochs"):
        reproduce(run.path, epochs=99, device="cpu")
    path = run.path / "metrics.jsonl"
    rows = run.history()
    rows[2]["val_loss"] += 1e-7
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = reproduce(run.path, device="cpu")
    assert found.difference.epoch == 3
    assert found.difference.figure == "val_loss"
    assert found.difference.before == rows[2]["val_loss"]
    assert not found.same
    assert not list(tmp_path.glob("runs/random/002"))
