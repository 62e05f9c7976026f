"""Packages with an entry point in `cnnctl.plugins`: seen from outside, with real metadata."""

import json
import os
import subprocess
import sys

import pytest
from conftest import CONFIGS, ROOT

from . import page

DATA = """\
import cnnctl
import numpy as np


@cnnctl.register(input_shape=(4, 4, 1), class_names=("a", "b"))
def specks(count: int = 32):
    \"\"\"Specks.\"\"\"
    y = np.arange(count) % 2
    x = np.zeros((count, 4, 4, 1), np.uint8)
    return (x, y), (x[:2], y[:2])
"""
SPEC = """\
data: {dataset: specks}
model:
  layers: [Flatten, {Dense: {units: 2, activation: softmax}}]
compile: {optimizer: adam, loss: sparse_categorical_crossentropy}
"""
PROJECT = """\
[project]
name = "{name}"
version = "{version}"

[project.entry-points."cnnctl.plugins"]
{module} = "{module}"
"""
HEAVY = """
import sys
from cnnctl.cli.boundary import guarded
from cnnctl.cli.app import app
code = guarded(lambda: app(sys.argv[1:], prog_name="cnnctl"))
print("HEAVY", sorted({"tensorflow", "keras"} & set(sys.modules)), "CODE", code)
"""


class Site:
    """A folder with installed packages, which is on the path of a command."""

    def __init__(self, folder, cnnctl):
        self.folder = folder
        self.env = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(folder / "site")])}
        self.cnnctl = cnnctl

    def install(self, name, text, version="1.0"):
        project = self.folder / f"{name}-{version}"
        project.mkdir()
        module = name.replace("-", "_")
        about = PROJECT.format(name=name, version=version, module=module)
        (project / "pyproject.toml").write_text(about)
        if text is not None:
            (project / f"{module}.py").write_text(text)
        page.install(project, self.folder / "site")

    def remove(self, name, version="1.0"):
        info = self.folder / f"site/{name.replace('-', '_')}-{version}.dist-info"
        info.rename(self.folder / "removed")

    def run(self, *words):
        return self.cnnctl(*words, env=self.env)

    def heavy(self, *words):
        done = subprocess.run(
            [sys.executable, "-c", HEAVY, *map(str, words)],
            capture_output=True, text=True, check=True, cwd=self.folder,
            env={**os.environ, **self.env},
        )  # fmt: skip
        return done.stdout.splitlines()[-1]


@pytest.fixture
def site(tmp_path, cnnctl):
    (tmp_path / "net.yaml").write_text(SPEC)
    return Site(tmp_path, cnnctl)


def test_a_run_says_what_to_install_and_what_has_changed(site, tmp_path):
    site.install("my-specks", DATA)
    site.install("my-others", DATA.replace("specks", "others"))
    assert site.run("train", "net.yaml").returncode == 0
    recorded = json.loads((tmp_path / "runs/net/001/environment.json").read_text())["plugins"]
    (plugin,) = recorded  # the other one is loaded, and not used
    assert (plugin["distribution"], plugin["version"]) == ("my-specks", "1.0")
    assert plugin["names"] == ["specks"]
    assert len(plugin["sha256"]) == 64

    site.remove("my-specks")
    done = site.run("evaluate", "runs/net/001")
    assert done.returncode == 2
    assert "the plug-in my-specks 1.0, and it is not installed" in done.stderr
    assert "pip install my-specks==1.0" in done.stderr
    # A run from elsewhere may record anything: no command is made of it.
    path = tmp_path / "runs/net/001/environment.json"
    text = path.read_text()
    path.write_text(text.replace('"my-specks"', '"x; rm -rf \\u001b[2J"'))
    done = site.run("evaluate", "runs/net/001")
    assert done.returncode == 2
    assert "pip install" not in done.stderr
    assert "\x1b" not in done.stderr
    path.write_text(text)

    site.install("my-specks", DATA, version="1.1")
    done = site.run("evaluate", "runs/net/001", "--json")
    assert done.returncode == 0, done.stderr
    assert "version 1.0 (SHA-256 " in done.stderr
    assert "now version 1.1 (SHA-256 " in done.stderr
    json.loads(done.stdout)
    done = site.run("resume", "runs/net/001", "--epochs", "2")
    assert done.returncode == 2
    assert "--allow plugins" in done.stderr

    (tmp_path / "site/my_specks.py").write_text(DATA.replace("specks", "spots"))
    done = site.run("check", "runs/net/001")
    assert "unknown data set `specks`" in done.stderr
    done = site.run("evaluate", "runs/net/001")
    assert "version 1.1, which is installed, has no specks" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_fails_is_told_and_in_nobody_s_way(site):
    site.install("my-specks", DATA)
    site.install("broken-one", "raise ImportError('no such library')\n")
    site.install("empty-one", "x = 1\n")
    site.install("missing-one", None)
    # It registers `half`, and then fails: `half` is taken back, or a run would not record it.
    site.install("half-one", DATA.replace("specks", "half") + "\n1 / 0\n")
    done = site.run("check", "net.yaml")
    assert done.stdout == "net.yaml: ok, 34 parameters\n"
    assert done.stderr == ""
    done = site.run("check", "net.yaml", "--set", "data.dataset=half")
    assert "unknown data set `half`" in done.stderr
    for name, reason in (
        ("broken-one", "ImportError: no such library"),
        ("empty-one", "it registers nothing"),
        ("missing-one", "No module named 'missing_one'"),
        ("half-one", "ZeroDivisionError: division by zero"),
    ):
        (told,) = [line for line in done.stderr.splitlines() if name in line]
        assert f"the installed plug-in {name} 1.0 is left out" in told
        assert reason in told
    done = site.run("data", "list", "--json")
    assert json.loads(done.stdout)[-1]["source"] == "my-specks 1.0"
    assert done.stderr.count("warning: ") == 4
    found = {each["name"]: each for each in json.loads(site.run("doctor", "--json").stdout)}
    assert (found["my-specks 1.0"]["verdict"], found["my-specks 1.0"]["value"]) == ("ok", "specks")
    assert found["broken-one 1.0"]["verdict"] == "bad"
    assert "pip install --upgrade broken-one" in found["broken-one 1.0"]["mend"]


def test_two_that_define_the_same(site, tmp_path):
    site.install("a-first", DATA)
    site.install("b-second", DATA)
    done = site.run("layers")
    assert done.stderr.count("warning: ") == 1
    assert "defines the data set specks, which there is already: that of " in done.stderr
    # A file comes first: who develops a package tries it by its file.
    (tmp_path / "specks.py").write_text(DATA)
    done = site.run("layers", "specks", "--plugin", "specks.py")
    assert "specks (dataset, by specks.py)" in done.stdout


def test_they_cost_nothing_until_they_are_needed(site):
    site.install("my-specks", DATA + "\nimport keras\n")
    for words in (
        ["--help"], ["check", CONFIGS], ["summary", CONFIGS / "cifar10_resnet.yaml"],
        ["layers", "Conv2D"], ["runs", CONFIGS],
    ):  # fmt: skip
        assert site.heavy(*words) == "HEAVY [] CODE 0", words
    assert "keras" in site.heavy("check", "net.yaml")


def test_pictures_alone_need_no_keras(site):
    site.install("my-specks", DATA)
    assert site.heavy("check", "net.yaml") == "HEAVY [] CODE 0"
    assert site.heavy("summary", "net.yaml") == "HEAVY [] CODE 0"
    assert site.heavy("schema") == "HEAVY [] CODE 0"


def test_a_package_in_the_current_folder_is_not_installed(site, tmp_path):
    """`python -m cnnctl` looks into the current folder, which may be somebody else's."""
    site.install("my-specks", DATA)
    done = subprocess.run(
        [sys.executable, "-m", "cnnctl", "check", tmp_path / "net.yaml"], capture_output=True,
        text=True, check=False, cwd=tmp_path / "site", env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "unknown data set `specks`" in done.stderr


def test_tab_offers_them(site, tmp_path):
    site.install("my-specks", DATA)
    script = "from cnnctl.cli import completing as c; print(c.names('spe'), c.names('Conv2DT'), "
    script += "c.readable_data_sets('sp'), c.readable_data_sets('cifar100'))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, **site.env},
    )  # fmt: skip
    assert done.stdout == "['specks'] ['Conv2DTranspose'] ['specks'] ['cifar100']\n"
