"""Run folders that somebody changed by hand: told, and never trained over."""

import json
import shutil

import pytest

from reliability.helpers import RANDOM


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of three epochs."""
    from cnnctl.specs import load
    from cnnctl.startup import quiet

    quiet()
    from cnnctl.training.train import train

    folder = tmp_path_factory.mktemp("finished")
    (folder / "random.yaml").write_text(RANDOM.replace("epochs: 5", "epochs: 3"))
    return train(load(folder / "random.yaml"), runs_dir=folder / "runs", device="cpu").run.path


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run", symlinks=True)
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("learning_rate: 0.01", "learning_rate: 0.05", "compile"),
        ("batch_size: 16", "batch_size: 8", "fit"),
        ("seed: 3", "seed: 5", "seed"),
        ("rate: 0.3", "rate: 0.4", "model"),
    ],
)
def test_an_edited_spec_is_a_difference(old, new, kind, run, cnnctl):
    """The checkpoint holds the spec that it was trained by."""
    path = run / "spec.yaml"
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    done = cnnctl("resume", run, "--epochs", "4")
    assert done.returncode == 2, done.stderr
    before, now = (text.partition(": ")[2] for text in (old, new))
    assert f"{before} in the run, {now} now" in done.stderr
    assert f"--allow {kind}" in done.stderr
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 3


def test_checkpoints_that_are_gone(run, cnnctl):
    for path in (run / "checkpoints").glob("epoch-*"):
        shutil.rmtree(path)
    before = (run / "metrics.jsonl").read_text()
    done = cnnctl("resume", run, "--epochs", "5")
    assert done.returncode == 1
    assert "none of their checkpoints is there" in done.stderr
    assert (run / "metrics.jsonl").read_text() == before


def test_a_history_that_is_gone_or_has_garbage(run, cnnctl):
    with (run / "metrics.jsonl").open("a") as file:
        file.write("garbage\n")
    done = cnnctl("resume", run, "--epochs", "4")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    (run / "metrics.jsonl").unlink()
    done = cnnctl("resume", run)
    assert done.returncode == 1
    assert "lacks the line of epoch 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_fewer_epochs_than_are_done(run, cnnctl):
    done = cnnctl("resume", run, "--epochs", "2")
    assert done.returncode == 2
    assert "has 3 epochs already" in done.stderr
    assert json.loads((run / "state.json").read_text())["planned"] == 3


def test_links_that_a_killed_process_left(run, cnnctl):
    for name in ("best", "last"):
        (run / f"checkpoints/.partial-4711-{name}").symlink_to("epoch-0003")
    (run / ".partial-4711-state.json").write_text("{")
    done = cnnctl("resume", run, "--epochs", "4")
    assert done.returncode == 0, done.stderr
    assert not list(run.rglob(".partial-*"))


def test_an_edited_plug_in(cnnctl, tmp_path):
    from test_plugins import PLUGIN, SPEC

    (tmp_path / "my_layers.py").write_text(PLUGIN)
    (tmp_path / "net.yaml").write_text(SPEC)
    words = ("--plugin", "my_layers.py")
    assert cnnctl("train", "net.yaml", *words).returncode == 0
    (tmp_path / "my_layers.py").write_text(PLUGIN + "\nprint('hello')\n")
    done = cnnctl("resume", "runs/net/001", "--epochs", "2", *words)
    assert done.returncode == 2
    assert "my_layers.py: SHA-256" in done.stderr
    assert "--allow plugins" in done.stderr
    done = cnnctl("evaluate", "runs/net/001", "--json", *words)
    assert done.returncode == 0
    assert "is not as it was" in done.stderr
    json.loads(done.stdout)  # what the plug-in prints goes elsewhere
    # Another name of the same file is no difference.
    (tmp_path / "my_layers.py").rename(tmp_path / "renamed.py")
    (tmp_path / "renamed.py").write_text(PLUGIN)
    done = cnnctl("resume", "runs/net/001", "--epochs", "2", "--plugin", "renamed.py")
    assert done.returncode == 0, done.stderr


def test_a_run_folder_stands_for_its_spec(run, cnnctl):
    for command in ("summary", "check"):
        done = cnnctl(command, run)
        assert done.returncode == 0, done.stderr
