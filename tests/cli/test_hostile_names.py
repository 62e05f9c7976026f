"""Names and texts in files that try to speak to the terminal, through every command: what is
printed has no control character but line feeds, and none that turns a line around."""

import io
import json
import os
import re
import signal
import sys
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from PIL import Image

from cnnctl import cli
from cnnctl.cli.app import app
from cnnctl.cli.boundary import guarded

ESC, OSC, TURN = "\x1b[31m", "\x1b]0;owned\x07", "\u202e"
CLASSES = [f"cat{ESC}{OSC}", f"dog{TURN}[red]:smile:\nerror: forged"]
SPEC = """\
name: tiny
data:
  dataset: {image_folder: {path: PATH, color_mode: grayscale}}
model:
  input_shape: [9, 9, 1]
  layers:
    - Flatten
    - Dense: {units: 2, activation: softmax}
compile:
  optimizer: SGD
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
fit: {batch_size: 4, epochs: 2}
"""


class Output:
    """What a command printed, and its exit code."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out.decode(), err.decode()


def command(*words, encoding="utf-8"):
    """Run a command in this process, and look at what it prints."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = sys.stdout, sys.stderr
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in before]
    sys.stdout, sys.stderr = streams
    try:
        code = guarded(lambda: app(list(map(str, words)), prog_name="cnnctl"))
    finally:
        sys.stdout, sys.stderr = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for stream in streams:
        stream.flush()
    done = Output(code, *(stream.buffer.getvalue() for stream in streams))
    look_at(done.out + done.err)
    return done


def look_at(text):
    hidden = {each for each in text if each != "\n" and (
        unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"}
        or each in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )}  # fmt: skip
    assert not hidden, text
    assert "Traceback" not in text
    assert not any(line.startswith("error: forged") for line in text.splitlines()), text


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with hostile names of classes and files, a spec, and two runs of it."""
    folder = tmp_path_factory.mktemp("hostile")
    pixels = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in CLASSES:
            (folder / "data" / split / name).mkdir(parents=True)
            for number in range(6):
                file = folder / "data" / split / name / f"{number}{ESC}{TURN}.png"
                Image.fromarray(pixels.integers(0, 255, (9, 9), np.uint8)).save(file, "PNG")
    (folder / "spec.yaml").write_text(SPEC.replace("PATH", "data"))
    before = Path.cwd()
    os.chdir(folder)
    try:
        for _ in range(2):
            done = command("train", "spec.yaml", "--runs-dir", f"runs {ESC}", "--device", "cpu")
            assert done.code == 0, done.err
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def place(home, monkeypatch):
    monkeypatch.chdir(home)
    return home


RUNS = f"runs {ESC}"
RUN = f"{RUNS}/tiny/001"
IMAGE = f"data/test/{CLASSES[1]}/0{ESC}{TURN}.png"
COMMANDS = [
    ["check", "spec.yaml", "--origin"], ["summary", "spec.yaml", "--all"], ["runs", RUNS],
    ["compare", RUNS], ["evaluate", RUN], ["evaluate", RUN, "--json"], ["predict", RUN, IMAGE],
    ["predict", RUN, "data/test"], ["predict", RUN, "data/test", "--csv"],
    ["predict", RUN, IMAGE, "--json"], ["predict", RUN, "--worst"],
    ["predict", RUN, IMAGE, "--plot", f"p{ESC}.png"], ["resume", RUN], ["reproduce", RUN],
    ["report", RUN, "--out", f"r{TURN}.html"], ["plot", RUN, "confusion", "curves"],
    ["data", "info", "data"], ["data", "info", "data", "--json"],
    ["data", "show", "data", "--out", f"s{ESC}.png", "--count", "4"],
    ["inspect", RUN, "--input", IMAGE], ["diff", RUN, "spec.yaml"], ["diff", RUN, "xo"],
    ["data", "show", "spec.yaml", "--out", "s.png", "--count", "4"],
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(map(ascii, words)))
def test_commands(words, place):
    succeeds(words)


def succeeds(words, encoding="utf-8"):
    done = command(*words, encoding=encoding)
    assert done.code == 0, done.err
    if "--json" in words:
        text = json.dumps(json.loads(done.out), ensure_ascii=False)
        if words[0] != "evaluate":
            assert f"dog{TURN}[red]:smile:" in text


@pytest.mark.parametrize("name", ["check", "summary", "runs", "predict", "data", "diff"])
def test_an_encoding_without_most_characters(name, place):
    """What cannot be written is written as an escape, in JSON too."""
    for words in [each for each in COMMANDS if each[0] == name][:4]:
        succeeds(words, "ascii")


def test_nothing_prints_past_them():
    """In the commands `say` and `remark` print, and one console; `print` and Rich's own do not."""
    for file in sorted(Path(cli.__file__).parent.glob("*.py")):
        found = re.findall(r"(?<![\w.])(print|typer\.echo|Console)\(", file.read_text())
        assert not found or file.name in {"output.py", "boundary.py", "console.py"}, file


@pytest.mark.filterwarnings("error:Glyph")
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_figures_hold_what_can_be_drawn(kind, place):
    assert command("plot", RUN, "confusion", "--format", kind, "--out", ".").code == 0
    assert command("data", "show", "data", "--out", f"shown.{kind}", "--count", "4").code == 0
    if kind == "svg":
        for name in ("confusion.svg", "shown.svg"):
            assert "svg" in ElementTree.parse(place / name).getroot().tag


def test_a_report_turns_nothing_around(place):
    command("report", RUN, "--out", "turned.html")
    text = (place / "turned.html").read_text()
    look_at(text)
    assert "<h1>runs \\x1b[31m/tiny/001</h1>" in text


def test_names_are_told_in_full(place):
    """What is shown instead tells which characters there are, and markup is text."""
    done = command("data", "info", "data")
    assert "cat\\x1b[31m\\x1b]0;owned\\x07" in done.out
    assert "dog\\u202e[red]:smile:\\nerror: forged" in done.out


MISTAKES = [
    ["train", f"no{ESC}.yaml"], ["evaluate", f"no{ESC}\n{TURN}"],
    ["train", "spec.yaml", "--set", f"fit.{ESC}=3"],
    ["train", "spec.yaml", "--set", f"name={ESC}"], ["train", "spec.yaml", "--device", OSC],
    ["layers", ESC], ["layers", "--kind", ESC], ["data", "info", ESC], ["data", "fetch", TURN],
    ["plot", RUN, ESC], ["inspect", "spec.yaml", "--layer", ESC], ["predict", RUN, f"no{ESC}"],
    ["evaluate", RUN, "--checkpoint", ESC], ["new", f"a{ESC}"], ["new", f"no{ESC}/a"],
    ["new", "a", "--like", ESC], ["diff", ESC, "xo"], ["launch", ESC],
    ["train", "xo", "--track", ESC],
    ["train", "spec.yaml", "--plugin", f"no{ESC}.py"], ["train", "mnist", "--data-dir", ESC],
    ["sweep", "spec.yaml", "--over", f"fit.{ESC}=1,2"], ["sweep", "spec.yaml", "--ranges", ESC],
    ["runs", f"no{ESC}"], ["report", f"no{ESC}"], ["compare", f"no{ESC}"], ["resume", ESC],
    ["summary", f"{ESC}.yaml"], ["export", RUN, "--format", ESC], [ESC], ["train", f"--{ESC}"],
    ["train", "spec.yaml", ESC], ["train", "spec.yaml", "--epochs", ESC], ["play", f"no{ESC}"],
    ["train", "b\udcff.yaml"], ["runs", RUNS, "--best", ESC],
]  # fmt: skip


@pytest.mark.parametrize("words", MISTAKES, ids=lambda words: " ".join(map(ascii, words)))
def test_mistakes(words, place):
    done = command(*words)
    assert done.code in (1, 2)
    assert "error: " in done.err


def test_texts_in_specs(place):
    for number, text in enumerate((
        f"model: {{layers: [Dense{TURN}]}}\n", f"{TURN}: 1\n", f"extends: no{TURN}.yaml\n",
        f"model: [{TURN}\n", f"name: {TURN}\n", f"fit: {{epochs: '{TURN}'}}\n", f"a: {ESC}\n",
        "a: \"\\e[31m\"\n",
        f"# {TURN}\nmodel: {{layers: [Flatten, {{Dense: {{unit{TURN}: 3}}}}]}}\n",
    )):  # fmt: skip
        path = place / f"wrong{number}.yaml"
        path.write_text(text)
        assert command("check", path).code == 2, text
        assert command("check", path, "--json").code == 2


def test_texts_in_a_run_folder(place):
    run = place / RUNS / "tiny/002"
    before = {name: (run / name).read_text() for name in ("state.json", "environment.json",
              "metrics.jsonl", "evaluation.json")}  # fmt: skip
    bad = f"x{ESC}{TURN}[red]\nerror: forged"
    state = json.loads(before["state.json"])
    environment = json.loads(before["environment.json"])
    hostile = {
        "state.json": {**state, "status": bad, "reason": bad, "best": {bad: 1}},
        "environment.json": {
            **environment, "versions": dict.fromkeys(environment["versions"], bad),
            "device": bad, "command": [bad], "platform": bad, "processor": bad, "inferred": [bad],
            "data": {**environment["data"], "name": bad, "origin": bad, "fingerprint": bad},
        },
        "evaluation.json": {bad: 0.5, "figures": {bad: 0.5}, "data": bad},
    }  # fmt: skip
    rows = [json.loads(line) for line in before["metrics.jsonl"].splitlines()]
    lines = "".join(json.dumps({**row, bad: 0.25}) + "\n" for row in rows)
    try:
        for name, content in hostile.items():
            (run / name).write_text(json.dumps(content))
            for words in (
                ["runs", RUNS], ["compare", RUNS], ["resume", run], ["reproduce", run],
                ["evaluate", run], ["report", run, "--out", "r.html"], ["plot", run, "curves"],
                ["runs", RUNS, "--json"],
            ):  # fmt: skip
                command(*words)
            (run / name).write_text(before[name])
        plugin = [{"path": bad, "names": [bad], "sha256": bad},
                  {"distribution": bad, "version": bad, "names": [bad]},
                  {"distribution": "evil;id", "version": "1", "names": ["a"]}]  # fmt: skip
        for each in plugin:
            content = {**environment, "plugins": [each]}
            (run / "environment.json").write_text(json.dumps(content))
            assert command("evaluate", run).code == 2
        (run / "environment.json").write_text(before["environment.json"])
        (run / "metrics.jsonl").write_text(lines)
        for words in (["runs", RUNS], ["compare", RUNS], ["resume", run, "--epochs", "3"],
                      ["report", run, "--out", "r.html"], ["plot", run, "curves"],
                      ["runs", RUNS, "--best", bad]):  # fmt: skip
            command(*words)
    finally:
        for name, content in before.items():
            (run / name).write_text(content)


def test_names_in_files_of_weights(place):
    path = place / f"w{ESC}.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group(f"layers/{ESC}{TURN}").create_group("vars")["0"] = np.zeros(3, np.float32)
    done = command("evaluate", path, "--spec", "spec.yaml")
    assert done.code == 1


def test_a_plug_in_that_fails(place):
    plugin = place / f"plugin{TURN}.py"
    plugin.write_text(f"print('{ESC}')\nraise ValueError('''{ESC}{TURN}\\nerror: forged''')\n")
    assert command("train", "spec.yaml", "--plugin", plugin).code in (1, 2)


def test_files_that_are_no_pictures(place):
    folder = place / "broken"
    folder.mkdir()
    for name in (f"a{ESC}.png", f"{TURN}.jpg", "b\udcff.png", "c\nerror: forged.npy"):
        (folder / name).write_bytes(b"no picture")
        assert command("predict", RUN, folder / name).code == 1
    assert command("predict", RUN, folder).code == 1
