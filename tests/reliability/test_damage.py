"""Damage is noticed before anything is read, and the newest intact checkpoint goes on."""

import json
import os
import random
import shutil

import pytest

from cnnctl.errors import CheckpointError
from cnnctl.inference.evaluation import evaluate
from cnnctl.runs import checkpoint
from cnnctl.specs import load
from cnnctl.startup import quiet
from reliability.helpers import RANDOM, Killed, KilledAfter, arrays, figures, same_bits

quiet()

from cnnctl.training.resume import resume  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

FLIPS = int(os.environ.get("CNNCTL_FLIPS", "300"))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run with every checkpoint of four epochs out of five."""
    folder = tmp_path_factory.mktemp("stopped")
    (folder / "random.yaml").write_text(RANDOM + "  keep: all\n")
    spec = load(folder / "random.yaml")
    with pytest.raises(Killed):
        train(spec, runs_dir=folder / "runs", device="cpu", observers=[KilledAfter(4)])
    expected = train(spec, runs_dir=folder / "straight", device="cpu").run
    return folder / "runs/random/001", expected


@pytest.fixture
def run(stopped, tmp_path):
    """A copy of it, to damage."""
    shutil.copytree(stopped[0], tmp_path / "run", symlinks=True)
    return tmp_path / "run"


def test_of_many_flipped_bits_none_is_read_in_silence(run):
    chance = random.Random(0)
    folder = run / "checkpoints/epoch-0004"
    intact = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    names = {"manifest.json", "model.weights.h5", "spec.yaml", "state.json"}
    assert {path.name for path in intact} == names
    for number in range(FLIPS):
        path = list(intact)[number % len(intact)]
        data = bytearray(intact[path])
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        with pytest.raises(CheckpointError):
            checkpoint.read(folder)
        path.write_bytes(intact[path])
    checkpoint.read(folder)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


DAMAGES = {
    "cut off": cut,
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "a bit flipped": flip,
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("name", ["model.weights.h5", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_newest_intact_checkpoint_goes_on_and_is_named(damage, name, run, stopped):
    DAMAGES[damage](run / "checkpoints/epoch-0004" / name)
    told = []

    class Watcher(KilledAfter):
        def started(self, facts):
            told.extend(facts.notes)

    result = resume(run, device="cpu", observers=[Watcher(99)])
    assert any("epoch-0004" in note for note in told)
    assert any("epoch-0003 is the newest intact checkpoint" in note for note in told)
    assert figures(result.run) == figures(stopped[1])
    assert same_bits(arrays(result.run), arrays(stopped[1]))
    # What was damaged is moved aside, not deleted.
    assert (run / "checkpoints/damaged-epoch-0004").is_dir() or damage == "missing"


def test_several_damaged_checkpoints(run, stopped):
    for epoch in (4, 3, 1):
        flip(run / f"checkpoints/epoch-{epoch:04d}/model.weights.h5")
    result = resume(run, device="cpu")
    assert same_bits(arrays(result.run), arrays(stopped[1]))


def test_no_intact_checkpoint(run):
    for path in (run / "checkpoints").glob("epoch-*"):
        cut(path / "model.weights.h5")
    with pytest.raises(CheckpointError, match="no intact checkpoint"):
        resume(run, device="cpu")


def test_the_best_checkpoint_is_damaged(run):
    state = json.loads((run / "state.json").read_text())
    flip(run / f"checkpoints/epoch-{state['best_epoch']:04d}/model.weights.h5")
    told = []

    class Watcher(KilledAfter):
        def started(self, facts):
            told.extend(facts.notes)

    result = resume(run, device="cpu", observers=[Watcher(99)])
    assert result.evaluation is not None
    assert any("damaged" in note for note in told)


def test_what_is_not_cnnctl_s_is_never_deleted(tmp_path):
    """A note that somebody laid into a checkpoint outlives it, and so does another folder."""

    class Noting(KilledAfter):
        def epoch_ended(self, row, improved):
            path = tmp_path / f"runs/random/001/checkpoints/epoch-{row['epoch']:04d}/my notes.txt"
            path.write_text("mine")

    (tmp_path / "random.yaml").write_text(RANDOM)
    mine = tmp_path / "runs/random/001-mine"
    mine.mkdir(parents=True)
    train(load(tmp_path / "random.yaml"), runs_dir=tmp_path / "runs", device="cpu",
          observers=[Noting(99)])  # fmt: skip
    notes = list((tmp_path / "runs/random/001/checkpoints").glob("epoch-*/my notes.txt"))
    assert len(notes) == 5
    kept = list((tmp_path / "runs/random/001/checkpoints").glob("epoch-*/model.weights.h5"))
    assert 2 <= len(kept) <= 3
    assert mine.is_dir()


def test_an_evaluation_names_the_checkpoint_that_it_took(tmp_path, cnnctl):
    (tmp_path / "random.yaml").write_text(RANDOM + "  keep: all\n")
    assert cnnctl("train", "random.yaml").returncode == 0
    state = json.loads((tmp_path / "runs/random/001/state.json").read_text())
    best = tmp_path / f"runs/random/001/checkpoints/epoch-{state['best_epoch']:04d}"
    cut(best / "model.weights.h5")
    done = cnnctl("evaluate", "runs/random/001")
    assert done.returncode == 0, done.stderr
    assert "damaged" in done.stderr
    assert "is used instead" in done.stderr
    # The one that was asked for by name is not replaced by another.
    for words in (["runs/random/001", "--checkpoint", "best"], [str(best)]):
        done = cnnctl("evaluate", *words)
        assert done.returncode == 1
        assert "damaged" in done.stderr
    with pytest.raises(CheckpointError):
        evaluate(best, device="cpu")
