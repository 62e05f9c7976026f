"""`cnnctl sweep` as people run it: whole processes, killed ones among them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import commands
import pytest
from conftest import XO

pytest.importorskip("optuna", reason="the extra `sweep` is not installed")

from reliability.helpers import arrays, figures, same_bits

from cnnctl.runs.run import Run
from cnnctl.sweep.search import _refuse_another_storage
from cnnctl.sweep.sweep_folder import SweepFolder

RATE = "compile.optimizer.Adam.learning_rate"
GRID = ["--over", f"{RATE}=1e-2,1e-3", "--over", "fit.batch_size=16,32"]


def start(folder, *words, **options):
    clean = {k: v for k, v in os.environ.items() if k != "CNNCTL_DATA_DIR"}
    return commands.start(
        "sweep", "tiny.yaml", *words, cwd=folder, env={**clean, "COLUMNS": "160"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def ended(process):
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in out + err
    return process.returncode, out, err


def states(folder):
    found = [json.loads(path.read_text()) for path in folder.glob("runs/tiny/*/state.json")]
    return [each["status"] for each in found]


def epochs(run):
    path = run / "metrics.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def until(what, process, seconds=180):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_two_commands_train_each_point_once(xo_spec, tmp_path):
    """Both work at the same sweep; a later one has nothing to train."""
    words = [*GRID, "--seeds", 2, "--epochs", 1]
    both = [start(tmp_path, *words, "--json") for _ in range(2)]
    told = []
    for process in both:
        code, out, err = ended(process)
        assert code == 0, err
        told.append(json.loads(out))
    assert told[0]["trials"] == told[1]["trials"]
    assert max(each["trained"] for each in told) == 4
    trials = told[0]["trials"]
    assert [each["state"] for each in trials] == ["finished"] * 4
    points = [tuple(each["values"].values()) for each in trials]
    assert points == [(rate, batch) for rate in (0.01, 0.001) for batch in (16, 32)]
    trained = {}
    for path in (tmp_path / "runs/tiny").iterdir():
        environment = json.loads((path / "environment.json").read_text())
        assert environment["plan"]["inter_op"] >= 1
        assert environment["overrides"][0] == "fit.epochs=1"
        key = tuple(each for each in environment["overrides"][1:] if not each.startswith("seed"))
        trained.setdefault(key, []).append((environment["seed"], path))
    assert sorted(trained) == sorted(tuple(each["set"]) for each in trials)
    for each in trials:
        found = dict(trained[tuple(each["set"])])
        assert sorted(found) == [0, 1]
        best = [min(row["val_loss"] for row in Run(found[seed]).history()) for seed in (0, 1)]
        assert each["each"] == best
        assert each["value"] == pytest.approx(sum(best) / 2)
        assert each["deviation"] == pytest.approx(abs(best[0] - best[1]) / 2**0.5)
        assert [Path("runs") / run for run in each["runs"]] == [
            found[seed].relative_to(tmp_path) for seed in (0, 1)
        ]
    assert told[0]["best"]["value"] == min(each["value"] for each in trials)
    code, out, err = ended(start(tmp_path, *words))
    assert code == 0
    assert "nothing is left to train" in err
    assert len(list((tmp_path / "runs/tiny").iterdir())) == 8
    rate, batch = told[0]["best"]["values"].values()
    sets = f"--set {RATE}={rate} --set fit.batch_size={batch}"
    assert f"cnnctl train tiny.yaml --set fit.epochs=1 {sets}" in out
    assert "importance: too few trials: 4 finished, and 2 parameters need 8" in out
    for name in ("trials.csv", "parallel_coordinates.png", "slice.png", "definition.json"):
        assert (tmp_path / "runs/sweeps/tiny" / name).stat().st_size > 100
    code, _, err = ended(start(tmp_path, *GRID, "--seeds", 3, "--set", "fit.epochs=4"))
    assert code == 2
    assert "seeds: 2 → 3" in err
    assert "spec.fit.epochs: 1 → 4" in err


def test_the_trial_of_a_killed_worker_is_taken_up_again(tmp_path):
    """By the worker that is left, and to the bits of a training that nobody killed."""
    (tmp_path / "tiny.yaml").write_text(XO.replace("epochs: 3", "epochs: 25"))
    process = start(tmp_path, "--over", f"{RATE}=1e-2,1e-3", "--workers", 2, "--json")
    first = tmp_path / "runs/tiny/001"
    until(lambda: epochs(first) >= 2, process)
    os.kill(json.loads((first / "state.json").read_text())["pid"], signal.SIGKILL)
    code, out, err = ended(process)
    assert code == 0, err
    assert "ended with signal 9" in err
    trials = json.loads(out)["trials"]
    assert [each["state"] for each in trials] == ["finished"] * 2
    assert sorted(run for each in trials for run in each["runs"]) == ["tiny/001", "tiny/002"]
    killed = next(each for each in trials if each["runs"] == ["tiny/001"])
    assert killed["losses"] == 1
    assert killed["epoch"] == killed["planned"] == 25
    run = Run(first)
    assert len(run.state()["resumed"]) == 1
    # Threads as the workers had them: they shared the processors.
    share = json.loads((first / "environment.json").read_text())["threads"]["cpus"]
    done = commands.run(
        "train", "tiny.yaml", "--set", killed["set"][0], "--runs-dir", "straight", cwd=tmp_path,
        env={**os.environ, "TF_NUM_INTRAOP_THREADS": str(share)}, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0
    straight = Run(tmp_path / "straight/tiny/001")
    assert figures(run) == figures(straight)
    assert same_bits(arrays(run), arrays(straight))
    assert killed["value"] == min(row["val_loss"] for row in straight.history())


def test_ctrl_c_and_the_same_command_again(tmp_path):
    (tmp_path / "tiny.yaml").write_text(XO.replace("epochs: 3", "epochs: 20"))
    words = ["--over", f"{RATE}=1e-2,1e-3"]
    process = start(tmp_path, *words)
    until(lambda: epochs(tmp_path / "runs/tiny/001") >= 2, process)
    process.send_signal(signal.SIGINT)
    returned, out, _ = ended(process)
    assert returned == 130
    assert "stopped by a signal: the same command goes on" in out
    assert states(tmp_path) == ["stopped"]
    returned, out, err = ended(start(tmp_path, *words, "--json"))
    assert returned == 0, err
    told = json.loads(out)
    assert told["trained"] == 2
    assert [each["runs"] for each in told["trials"]] == [["tiny/001"], ["tiny/002"]]
    assert [each["losses"] for each in told["trials"]] == [0, 0]
    assert states(tmp_path) == ["finished"] * 2


def test_workers_end_with_the_process_that_started_them(tmp_path):
    (tmp_path / "tiny.yaml").write_text(XO.replace("epochs: 3", "epochs: 100000"))
    process = start(tmp_path, "--over", f"{RATE}=1e-2,1e-3")
    until(lambda: epochs(tmp_path / "runs/tiny/001") >= 1, process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 120
    while states(tmp_path) != ["stopped"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert states(tmp_path) == ["stopped"]


def test_a_bad_trial_is_pruned(tmp_path):
    """Four rates that learn, then one that does not."""
    (tmp_path / "tiny.yaml").write_text(XO.replace("epochs: 3", "epochs: 5"))
    rates = "0.011,0.012,0.013,0.014,1e-9"
    code, out, err = ended(
        start(tmp_path, "--over", f"{RATE}={rates}", "--prune", "median", "--json")
    )
    assert code == 0, err
    *good, bad = json.loads(out)["trials"]
    assert [each["state"] for each in good] == ["finished"] * 4
    assert bad["state"] == "pruned"
    run = Run(tmp_path / "runs" / bad["runs"][0])
    assert bad["epoch"] == len(run.history()) < 5
    assert run.state()["status"] == "stopped"
    assert "the others do better" in run.state()["reason"]


def test_a_combination_that_contradicts_itself_fails_with_its_reason(xo_spec, tmp_path):
    """A kernel of 8 leaves 2x2: a pooling of 2 fits, one of 4 does not. And a number of classes
    that none of the combinations has is answered at once."""
    xo_spec.write_text(XO.replace("MaxPooling2D\n", "MaxPooling2D: {pool_size: 2}\n"))
    words = ["--over", "model.layers.MaxPooling2D.pool_size=2,4", "--epochs", 1,
             "--over", "model.layers.Conv2D.kernel_size=8", "--json"]  # fmt: skip
    code, out, err = ended(start(tmp_path, *words))
    assert code == 0, err
    assert [each["state"] for each in json.loads(out)["trials"]] == ["finished", "failed"]
    assert "a 4x4 window on 2x2" in json.loads(out)["trials"][1]["reason"]
    code, out, err = ended(
        start(tmp_path, *words, "--over", "model.layers.Dense.units=3", "--name", "no")
    )
    assert code == 2
    assert "the network has 3 outputs, and xo has 2 classes" in err
    assert not (tmp_path / "runs/sweeps/no").exists()


@pytest.mark.parametrize(("words", "told"), [
    (["--over", "fit.epochs=1,2", "--epochs", 3], "fit.epochs is varied, and set by a flag"),
    (["--ranges", "fraction.yaml"], "takes an integer of at least 1, not 2.85"),
    (["--ranges", "large.yaml"], "`int` takes two integers"),
    (["--over", "fit.batch_size=16,32", "--set", "fit.distribute=multi_worker"], "by one process"),
    (["--over", "fit.batch_size=16,32", "--name", "elsewhere"], "--storage mysql://host/db"),
])  # fmt: skip
def test_what_is_refused_before_anything_is_trained(words, told, xo_spec, tmp_path):
    (tmp_path / "fraction.yaml").write_text("fit.batch_size: {uniform: [1, 4]}\n")
    (tmp_path / "large.yaml").write_text("fit.batch_size: {int: [1, 100000000000000000000]}\n")
    there = tmp_path / "runs/sweeps/elsewhere"
    there.mkdir(parents=True)
    (there / "definition.json").write_text('{"storage": "mysql://host/db"}')
    code, _, err = ended(start(tmp_path, *words))
    assert code == 2
    assert told in err
    assert not (tmp_path / "runs/tiny").exists()


@pytest.mark.parametrize("text", ["", "not json", "[1]"])
def test_a_damaged_definition_hinders_nothing(text, tmp_path):
    there = tmp_path / "runs/sweeps/tiny"
    there.mkdir(parents=True)
    (there / "definition.json").write_text(text)
    _refuse_another_storage("mysql://host/db", "tiny", SweepFolder(there))


def test_without_optuna_it_says_how_to_install_it(xo_spec, tmp_path):
    script = (
        "import sys, importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'optuna' else find(name, *a)\n"
        "from cnnctl.cli.boundary import guarded\n"
        "from cnnctl.cli.app import app\n"
        "sys.exit(guarded(lambda: app(sys.argv[1:])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "sweep", "tiny.yaml", "--over", "seed=1,2"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "error: cnnctl sweep needs optuna\n  hint: pip install 'cnnctl[sweep]'\n"
    )
    assert not (tmp_path / "runs").exists()


def test_data_that_is_missing_ends_the_sweep(xo_spec, tmp_path):
    code, _, err = ended(
        start(tmp_path, "--over", "fit.batch_size=16,32",
              "--set", "data.dataset={npz: {path: none.npz}}", "--set", "data.normalize=none")
    )  # fmt: skip
    assert code == 1
    assert "none.npz" in err
