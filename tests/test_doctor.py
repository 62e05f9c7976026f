"""`cnnctl doctor`: what it says of this machine, and of machines that are made up."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from conftest import ROOT

from cnnctl import doctor
from cnnctl.compute import environment
from cnnctl.io.machine import usable_cpus

CUDA = {"is_cuda_build": True}
DRIVER = "/dev/nvidiactl"


@pytest.mark.parametrize(("hidden", "driver", "build", "libraries", "reason", "mend"), [
    ("", True, CUDA, True, "CUDA_VISIBLE_DEVICES='' hides", "unset"),
    ("-1", True, CUDA, True, "hides every one", "unset"),
    (None, False, CUDA, True, "no NVIDIA driver", "install its driver"),
    (None, True, {}, True, "not built for CUDA", "and-cuda"),
    (None, True, CUDA, False, "missing: libcudart.so.12, libcublas.so.12, libcudnn.so.9", "gpu"),
    ("0", True, CUDA, True, "finds no device", "nvidia-smi"),
])  # fmt: skip
def test_why_there_is_no_gpu(monkeypatch, hidden, driver, build, libraries, reason, mend):
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if hidden is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    monkeypatch.setattr(doctor, "_exists", lambda path: driver and path == DRIVER)
    monkeypatch.setattr(doctor, "_loads", lambda name: libraries)
    why, what = doctor.why_no_gpu(build)
    assert reason in why
    assert mend in what


def test_the_extras_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = {
        name: {re.split(r"[><=\[]", each)[0] for each in packages}
        for name, packages in project["optional-dependencies"].items()
        if name not in {"dev", "gpu"}
    }
    assert listed == {name: set(packages) for name, (_, packages) in doctor._EXTRAS.items()}


def test_an_extra_that_is_not_there(monkeypatch):
    def version(package):
        if package == "optuna":
            raise metadata.PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(environment.metadata, "version", version)
    found = {each.name: each for each in doctor._extras()}
    assert found["sweep"].value.startswith("without optuna")
    assert found["sweep"].mend == "pip install 'cnnctl[sweep]'"
    assert found["wandb"].value == "wandb 1.0"
    assert found["wandb"].mend == ""


def test_libraries_are_found_where_the_system_looks():
    assert doctor._loads("libc.so.6")
    assert not doctor._loads("libnothing.so.99")


def test_this_machine(cnnctl, tmp_path):
    home = {"HOME": str(tmp_path), "KERAS_HOME": str(tmp_path / "keras")}
    done = cnnctl("doctor", "--json", env=home)
    assert done.returncode == 0, done.stderr
    found = {each["name"]: each for each in json.loads(done.stdout)}
    for package in ("tensorflow", "keras", "numpy"):
        assert found[package]["value"] == metadata.version(package)
    assert found["processors"]["value"].startswith(str(usable_cpus()))
    assert found["cifar10"]["mend"] == "cnnctl data fetch cifar10"
    assert any(each["part"] == "gpu" for each in found.values())
    text = cnnctl("doctor", env=home).stdout
    assert "processors" in text
    assert "→ cnnctl data fetch cifar10" in text


def test_what_will_not_work_is_an_exit_code(cnnctl, tmp_path):
    done = cnnctl("doctor", env={"CNNCTL_DATA_DIR": str(tmp_path / "nowhere")})
    assert done.returncode == 1
    assert "nowhere: no such folder" in done.stdout
    assert "1 that will not work" in done.stdout


def test_a_data_set_that_is_here(cnnctl, tmp_path):
    Path(tmp_path / "data").mkdir()
    (tmp_path / "data/mnist.npz").write_bytes(b"x")
    done = cnnctl("doctor", "--data-dir", tmp_path / "data", "--json")
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert found["mnist"]["value"] == f"{tmp_path}/data/mnist.npz (--data-dir)"
