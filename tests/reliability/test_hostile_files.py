"""Hostile files are refused: at once, without memory taken for them, and with nothing changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import pytest

from cnnctl.specs import load
from cnnctl.startup import quiet

quiet()

from cnnctl.network.build import build  # noqa: E402
from cnnctl.training.train import train  # noqa: E402
from reliability import hostile  # noqa: E402
from reliability.watch import (  # noqa: E402
    MEGABYTES,
    SECONDS,
    Reading,
    at_most,
    command,
    listing,
    refused,
)

NET = """\
name: net
data:
  dataset: {xo: {count: 40, test_count: 8}}
model:
  input_shape: [9, 9, 1]
  layers:
    - Conv2D: {filters: 4, kernel_size: 3, activation: relu}
    - MaxPooling2D
    - Flatten
    - Dense: {units: 2, activation: softmax}
compile:
  optimizer: adam
  loss: sparse_categorical_crossentropy
fit:
  epochs: 1
  callbacks:
    - EarlyStopping: {monitor: loss, restore_best_weights: true}
"""


@pytest.fixture
def reading(monkeypatch):
    found = Reading()
    found.wrap(
        monkeypatch,
        "cnnctl.network.averages.load_weights",
        "cnnctl.inference.trained.read",
        "cnnctl.runs.checkpoint.read",
        "cnnctl.runs.checkpoint.state_of",
        "cnnctl.runs.records.read_plain",
        "cnnctl.runs.run.read_plain",
        "cnnctl.training.compiled_model.load_bytes",
        "cnnctl.training.state.parse",
    )
    return found


@pytest.fixture(autouse=True)
def not_for_ever():
    with at_most(600):
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A spec and a finished run of one epoch of it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "net.yaml").write_text(NET)
    run = train(load(folder / "net.yaml"), runs_dir=folder / "runs", device="cpu").run
    assert (run.checkpoints_dir / "epoch-0001/callbacks.npz").exists()
    return folder


@pytest.fixture
def place(trained, tmp_path):
    """A folder with the spec, an intact file of weights, and the folder `outside`."""
    shutil.copy(trained / "net.yaml", tmp_path)
    (tmp_path / "outside").mkdir()
    with zipfile.ZipFile(trained / "runs/net/001/model.keras") as file:
        (tmp_path / "good.weights.h5").write_bytes(file.read("model.weights.h5"))
    return tmp_path


@pytest.fixture
def run(trained, place):
    shutil.copytree(trained / "runs/net/001", place / "run", symlinks=True)
    return place / "run"


CORPUS = [
    *((".weights.h5", name, make) for name, make in hostile.H5.items()),
    *((".keras", name, make) for name, make in hostile.ARCHIVES.items()),
]


@pytest.fixture
def models(monkeypatch):
    """The models that a command builds, each with the values that it began with."""
    found = []

    def remember(*arguments):
        model = build(*arguments)
        found.append((model, model.get_weights()))
        return model

    monkeypatch.setattr("cnnctl.network.build.build", remember)
    monkeypatch.setattr("cnnctl.training.best_model.build", remember)
    monkeypatch.setattr("keras.models.load_model", lambda *a, **k: pytest.fail("load_model"))
    return found


def same(one, other):
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@pytest.mark.parametrize(
    ("suffix", "make"),
    [each[::2] for each in CORPUS],
    ids=[f"{suffix}: {name}" for suffix, name, _ in CORPUS],
)
def test_a_file_of_weights(place, capsys, reading, models, suffix, make):
    path = place / f"hostile{suffix}"
    make(path, place / "good.weights.h5")
    before = listing(place)
    outcome = command(capsys, "evaluate", path, "--spec", place / "net.yaml")
    refused(outcome, path, reading)
    assert reading.calls == ["load_weights"]
    ((model, values),) = models
    assert same(model.get_weights(), values)
    assert listing(place) == before
    assert not Path("/tmp/cnnctl-hostile").exists()


def test_sound_files_are_read(place, capsys):
    good = place / "good.weights.h5"
    hostile._archive()(place / "stored.keras", good)
    hostile._archive(method=zipfile.ZIP_DEFLATED)(place / "deflated.keras", good)
    (place / "link.h5").symlink_to(good)
    for name in ("good.weights.h5", "stored.keras", "deflated.keras", "link.h5"):
        code, said = command(capsys, "evaluate", place / name, "--spec", place / "net.yaml")
        assert code == 0, said


def special(path, kind):
    {
        "a pipe": os.mkfifo,
        "a folder": Path.mkdir,
        "a device": lambda path: path.symlink_to("/dev/zero"),
        "a link to nothing": lambda path: path.symlink_to("nowhere"),
        "a link to itself": lambda path: path.symlink_to(path),
        "a link to a text": lambda path: path.symlink_to("/etc/passwd"),
    }[kind](path)


SPECIAL = (
    *("a pipe", "a folder", "a device"),
    *("a link to nothing", "a link to itself", "a link to a text"),
)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_plain_file(place, capsys, reading, suffix, kind):
    path = place / f"special{suffix}"
    special(path, kind)
    before = listing(place)
    refused(command(capsys, "evaluate", path, "--spec", place / "net.yaml"), path, reading)
    assert listing(place) == before


@pytest.mark.parametrize("verb", ["evaluate", "resume"])
@pytest.mark.parametrize("name", hostile.CHECKPOINTS)
def test_a_checkpoint(run, capsys, reading, models, verb, name):
    hostile.CHECKPOINTS[name](run / "checkpoints/epoch-0001")
    refuses(run, capsys, reading, models, verb)


@pytest.mark.parametrize("name", hostile.RESUMPTIONS)
def test_a_checkpoint_that_goes_on(run, capsys, reading, models, name):
    hostile.RESUMPTIONS[name](run / "checkpoints/epoch-0001")
    refuses(run, capsys, reading, models, "resume")


@pytest.mark.parametrize("verb", ["evaluate", "resume"])
@pytest.mark.parametrize("name", hostile.RUNS)
def test_a_run(run, capsys, reading, models, verb, name):
    hostile.RUNS[name](run)
    refuses(run, capsys, reading, models, verb)


@pytest.mark.parametrize("name", hostile.EVALUATIONS)
def test_a_run_without_a_checkpoint(run, capsys, reading, models, name):
    hostile.EVALUATIONS[name](run)
    refuses(run, capsys, reading, models, "evaluate")


@pytest.mark.parametrize("name", hostile.LINKS)
def test_a_run_that_leads_out(run, capsys, reading, models, name):
    hostile.LINKS[name](run)
    refuses(run, capsys, reading, models, "resume")


VALUES = {
    "400 digits": "9" * 400,
    "infinite": "1e999",
    "a mapping": '{"a": [1]}',
    "text": '"\\u001b[2J"',
}


def _with(path, *keys, value):
    """Put a value into a JSON file as it is written, which `json` itself could not."""
    found = json.loads(path.read_text())
    for key in keys:
        found[key] = "VALUE"
    path.write_text(json.dumps(found).replace('"VALUE"', value))


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_numbers_that_cannot_be_meant(run, place, capsys, value):
    """Whatever reads the run skips them with a note, and goes on as far as that can be."""
    history = run / "metrics.jsonl"
    line = json.loads(history.read_text())
    good = {"epoch": 1, "seconds": line["seconds"], "loss": line["loss"]}
    bad = [f'{{"epoch": {value}, "loss": 1}}', f'{{"epoch": 1, "loss": {value}}}']
    more = f', "learning_rate": {value}, "x": {value}}}'
    history.write_text("\n".join([bad[0], json.dumps(good)[:-1] + more, bad[1], ""]))
    _with(run / "state.json", "epochs", "planned", "pid", "best_epoch", "best", value=value)
    _with(run / "environment.json", "seed", "cpus", "threads", "plan", "overrides", value=value)
    evaluation = json.loads((run / "evaluation.json").read_text())
    evaluation |= {"images": "VALUE", "figures": {"loss": "VALUE", "x": 1.0}}
    (run / "evaluation.json").write_text(json.dumps(evaluation).replace('"VALUE"', value))
    (run / "trackers.json").write_text(f'{{"tensorboard": {{"epochs": {value}}}}}')
    shutil.copytree(run, place / "runs/net/002", symlinks=True)
    for words in (
        ["runs", place / "runs"],
        ["compare", run, place / "runs"],
        ["compare", run, "--plot", place / "compared.svg"],
        ["plot", run, "curves", "--out", place / "curves.svg"],
        ["report", run, "--out", place / "report.html"],
        ["evaluate", run, "--json"],
        ["reproduce", run],
        ["resume", run, "--track", "tensorboard"],
        ["resume", run, "--set", "fit.epochs=2"],
    ):
        with_device = () if words[0] in ("runs", "compare") else ("--device", "cpu")
        code, said = command(capsys, *words, options=with_device)
        # What was skipped cannot be what a training reaches again.
        assert code == (1 if words[0] == "reproduce" else 0), (words, said)
        assert "Traceback" not in said
        assert "\x1b" not in said
        if words[0] != "evaluate":
            assert "metrics.jsonl:1: skipped: not a line of an epoch" in said
    rows = [json.loads(row) for row in history.read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]


def refuses(run, capsys, reading, models, verb):
    """A command refuses a run, and leaves everything as it was."""
    before = listing(run.parent)
    more = ["--set", "fit.epochs=2"] if verb == "resume" else []
    refused(command(capsys, verb, run, *more), run, reading)
    for model, values in models:
        assert same(model.get_weights(), values)
    after = listing(run.parent)
    after.pop(run / ".lock", None)
    before.pop(run / ".lock", None)
    assert after == before


def test_code_that_a_file_names_is_not_run(place, capsys, models, monkeypatch):
    """The weights are sound and are read; the configuration beside them would have run code."""
    canary = place / "outside/canary"
    monkeypatch.chdir(place)  # a function that is stored in a file has nothing but its own text
    layer = keras.layers.Lambda(
        lambda x: [x, __import__("pathlib").Path("outside/canary").write_text("!")][0]
    )
    keras.Sequential([keras.Input((2,)), layer]).save(place / "live.keras")
    with zipfile.ZipFile(place / "live.keras") as file:
        entries = {name: file.read(name) for name in ("metadata.json", "config.json")}
    entries["model.weights.h5"] = (place / "good.weights.h5").read_bytes()
    path = place / "hostile.keras"
    with zipfile.ZipFile(path, "w") as file:
        for name, data in entries.items():
            file.writestr(name, data)
    canary.unlink(missing_ok=True)
    code, said = command(capsys, "evaluate", path, "--spec", place / "net.yaml")
    assert code == 0, said
    assert not canary.exists()
    with suppress(Exception):  # the weights are of another network
        keras.src.saving.saving_api.load_model(path, safe_mode=False)
    assert canary.exists(), "the file was harmless, and this test shows nothing"


FUZZED = {"h5": 400, "keras": 100, "npz": 200}


def test_damage_at_random(tmp_path):
    """In a process of its own, so that one that ends without a word is seen."""
    program = f"from reliability.hostile import fuzz; fuzz({FUZZED}, {str(tmp_path)!r})"
    paths = [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert {kind: sum(each[:2]) for kind, each in found.items()} == FUZZED
    for kind, (no, yes, slowest, most) in found.items():
        print(f"{kind}: {no} refused, {yes} read, {slowest:.3f} s, {most / 2**20:.0f} MB")
        assert no > FUZZED[kind] // 10
        assert slowest < SECONDS
        assert most < MEGABYTES << 20
