"""No key of a spec names code, a path outside what the key is for, or a URL."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import keras
import pytest

from cnnctl import catalog
from cnnctl.errors import CnnctlError, SpecError
from cnnctl.preflight import check
from cnnctl.specs import load, rate_expressions
from cnnctl.specs.json_schema import spec_schema
from cnnctl.startup import quiet
from reliability.watch import at_most, command, listing

quiet()

from cnnctl.network.build import build  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

NET = """\
name: net
data:
  dataset: {xo: {count: 40, test_count: 8}}
model:
  input_shape: [9, 9, 1]
  layers: [Flatten, {Dense: {units: 2, activation: softmax}}]
compile:
  optimizer: adam
  loss: sparse_categorical_crossentropy
"""

_LABEL = "what it is called in messages, in Keras's names of variables and figures"
REVIEWED = {
    ("layer", "name"): _LABEL,
    ("cell", "name"): _LABEL,
    ("optimizer", "name"): _LABEL,
    ("schedule", "name"): _LABEL,
    ("loss", "name"): _LABEL,
    ("metric", "name"): _LABEL,
    ("layer", "equation"): "letters of axes, which Keras matches with patterns and gives to einsum",
    ("layer", "bias_axes"): "letters of axes, which are looked up in the equation",
    ("layer", "window"): "looked up among Keras's names of windows, or SciPy's",
    ("initializer", "window"): "looked up among SciPy's names of windows",
    ("optimizer", "exclude_layers"): "patterns that variables' names are matched with",
    ("callback", "monitor"): "looked up among the figures that are reported",
    ("callback", "schedule"): "arithmetic in numbers, by simpleeval; see the test below",
    ("dataset", "class_names"): "what classes are called in messages",
    ("dataset", "path"): "the data path",
}
"""Every argument of free text in the catalog, and why it reaches nothing."""

REVIEWED_KEYS = {
    "name": "names the run folder, by letters, digits, `_`, `.` and `-`",
    "description": "is printed",
    "extends": "another spec on this machine; see the test below",
    "inputs": "looked up among the names of layers",
}
"""Every further key of free text in a spec."""


def texts(schema):
    """The schemas in a schema that any text fits."""
    if isinstance(schema, list):
        for each in schema:
            yield from texts(each)
    elif isinstance(schema, dict):
        is_text = schema.get("type") == "string" or not schema
        if is_text and not {"enum", "const"} & schema.keys():
            yield schema
        for key, each in schema.items():
            if key not in ("default", "examples", "description"):
                yield from texts(each)


def test_every_argument_of_free_text_has_been_reviewed():
    found = set()
    known = catalog.load()
    for kind in catalog.KINDS:
        for name in known.names(kind):
            entry = known.find(kind, name)
            if entry.source in ("keras", "cnnctl"):  # not a plug-in of another test
                found |= {(kind, each.name) for each in entry.arguments if any(texts(each.schema))}
    assert found == REVIEWED.keys()
    paths = [
        name
        for name in known.names("dataset")
        if known.find("dataset", name).argument("path") is not None
    ]
    assert paths == ["image_folder", "npz"]


def test_every_key_of_free_text_has_been_reviewed():
    """Those of the JSON Schema of a whole spec, of which components are a part."""
    found = set()
    for name, definition in spec_schema()["definitions"].items():
        if "properties" in definition:
            found |= {k for k, each in definition["properties"].items() if any(texts(each))}
        elif any(texts(definition)):  # one that several have alike: `name.1`
            found.add(name.split(".")[0])
    components = {argument for _, argument in REVIEWED}
    assert found - components == REVIEWED_KEYS.keys() - components
    assert components - found == set()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("layers", "layers: [{Lambda: {function: os.system}}]"),
        ("layers", "layers: [{TFSMLayer: {filepath: /tmp}}]"),
        ("layers", "layers: [{keras.layers.Dense: {units: 2}}]"),
        ("layers", "layers: [{os.system: {command: ls}}]"),
        ("layers", "layers: [{Activation: {activation: os.system}}]"),
        ("layers", "layers: [{Dense: {units: 2, kernel_initializer: subprocess.run}}]"),
        ("layers", "layers: [{class_name: Dense, module: os, config: {}}]"),
        ("layers", "layers: [!!python/object/apply:os.system [ls]]"),
        ("layers", "layers: [{Embedding: {input_dim: 3, output_dim: 2, weights: x.npy}}]"),
        ("compile", "optimizer: os.system\n  loss: mse"),
        ("compile", "optimizer: adam\n  loss: os.system"),
        ("compile", "optimizer: adam\n  loss: mse\n  metrics: [os.system]"),
        ("callbacks", "callbacks: [{CSVLogger: {filename: /tmp/cnnctl-canary}}]"),
        ("callbacks", "callbacks: [{TensorBoard: {log_dir: /tmp/cnnctl-canary}}]"),
        ("callbacks", "callbacks: [{TensorBoard: {embeddings_metadata: /etc/passwd}}]"),
        ("callbacks", "callbacks: [{ModelCheckpoint: {filepath: /tmp/cnnctl-canary}}]"),
        ("callbacks", "callbacks: [{BackupAndRestore: {backup_dir: /tmp/cnnctl-canary}}]"),
        ("callbacks", "callbacks: [{RemoteMonitor: {root: 'http://localhost'}}]"),
        ("callbacks", "callbacks: [{LambdaCallback: {on_epoch_end: os.system}}]"),
        ("name", "name: ../../cnnctl-canary"),
        ("name", "name: /tmp/cnnctl-canary"),
        ("plugin", "plugin: evil.py"),
        ("plugins", "plugins: [evil.py]"),
    ],
)
def test_code_and_places_are_no_words_of_a_spec(tmp_path, kind, text):
    section = {"layers": "model", "compile": "compile", "callbacks": "fit"}.get(kind)
    lines = {"model": "layers: [Flatten, {Dense: {units: 2}}]"}
    top = ""
    if section:
        lines[section] = text
    else:
        top = f"{text}\n"
    body = "".join(f"{key}:\n  {value}\n" for key, value in lines.items())
    (tmp_path / "net.yaml").write_text(top + body)
    with pytest.raises(SpecError) as caught:
        load(tmp_path / "net.yaml")
    assert len(caught.value.diagnostics) == 1  # this one, and not another
    assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]
    assert not list(Path("/tmp").glob("cnnctl-canary*"))


@pytest.mark.parametrize(
    "text",
    [
        "open('/tmp/cnnctl-canary', 'w')",
        "__import__('os').getpid()",
        "().__class__.__base__.__subclasses__()[0]",
        "epoch.__class__",
        "abs.__self__",
        "abs.__globals__['os']",
        "'{0.__class__}'.format(epoch)",
        "f'{epoch.__class__}'",
        "(lambda: 1)()",
        "[epoch for epoch in (1, 2)]",
        "(epoch := 1)",
        "eval('1')",
        "exec('1')",
        "print(1)",
        "epoch = 1",
        "import os",
        "4000000 ** 4000000 % 7",
        "9 ** 9 ** 9",
        " * ".join(["9 ** 3999999"] * 30) + " % 7",
        "1 << 9999 << 9999",
        "'a' * 10 ** 9",
    ],
)
def test_a_learning_rate_is_arithmetic(text):
    with at_most(10), pytest.raises(rate_expressions.ExpressionError) as caught:
        rate_expressions.Expression(text, 10)(1, 0.1)
    assert len(str(caught.value)) < 1000


@pytest.fixture
def nothing_is_fetched(monkeypatch):
    def refuse(*arguments, **options):
        pytest.fail("something was fetched")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("urllib.request.build_opener", refuse)
    monkeypatch.setattr(keras.utils, "get_file", refuse)


def places(folder):
    """What may be written for a path, and lead to nothing that is meant."""
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    return [
        *("http://localhost/x.yaml", "https://localhost/x.npz", "ftp://localhost/x", "s3://x/y"),
        *("file:///etc/passwd", "gs://x/y", "//localhost/share/x", "data:,x"),
        *("~/cnnctl-nothing", "~nobody-here/x", "$HOME/x", "nothing", "a" * 5000),
        *("/dev/zero", "/dev/stdin", "/etc/passwd", "pipe", "folder", "loop", "", "/", ".."),
    ]


def test_what_another_spec_may_be(tmp_path, nothing_is_fetched):
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep/net.yaml"
    for place in places(tmp_path / "deep"):
        path.write_text(f"extends: {place!r}\n".replace("'", '"'))
        with at_most(10), pytest.raises(CnnctlError) as caught:
            load(path)
        assert caught.value.exit_code == 2, place
    (tmp_path / "base.yaml").write_text(NET)
    path.write_text("extends: ../base.yaml\nname: mine\n")
    assert load(path).name == "mine"


@pytest.mark.parametrize("dataset", ["npz", "image_folder"])
def test_what_a_data_path_may_be(tmp_path, capsys, nothing_is_fetched, dataset):
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep/net.yaml"
    all_places = places(tmp_path / "deep")
    for place in all_places:
        text = f'{{{dataset}: {{path: "{place}"}}}}'
        path.write_text(NET.replace("{xo: {count: 40, test_count: 8}}", text))
        before = listing(tmp_path)
        with at_most(10):
            code, said = command(capsys, "train", path, "--runs-dir", tmp_path / "runs")
        assert code in (1, 2), place
        assert said.count("error: ") == 1, (place, said)
        assert "Traceback" not in said
        assert "root:" not in said, "a file was quoted that is no data"
        assert listing(tmp_path) == before


def test_callbacks_write_into_the_run_folder_only(tmp_path, monkeypatch):
    callbacks = (
        "[CSVLogger, {TensorBoard: {write_graph: true}}, {ModelCheckpoint: {monitor: loss}}]"
    )
    (tmp_path / "specs").mkdir()
    path = tmp_path / "specs/net.yaml"
    path.write_text(f"{NET}fit:\n  callbacks: {callbacks}\n")
    monkeypatch.chdir(tmp_path / "specs")
    train(check(path).spec, runs_dir=tmp_path / "runs", device="cpu")
    run = tmp_path / "runs/net/001"
    assert (run / "history.csv").exists()
    assert (run / "tensorboard").is_dir()
    written = {each for each in tmp_path.rglob("*") if each.is_file()}
    assert {each for each in written if run not in each.parents} == {path}


def test_names_of_layers_are_no_places(tmp_path):
    """Keras writes graphs and files of weights by them."""
    path = tmp_path / "net.yaml"
    for name in ("../x", "/tmp/x", "a/b"):
        path.write_text(NET.replace("units: 2", f"units: 2, name: {name!r}"))
        with pytest.raises(SpecError):
            build(load(path), (9, 9, 1))


def test_the_one_door_says_what_it_means(capsys):
    for verb in ("train", "evaluate", "resume", "check", "summary"):
        from cnnctl.cli.app import app

        capsys.readouterr()
        with pytest.raises(SystemExit):
            app(args=[verb, "--help"], prog_name="cnnctl")
        text = " ".join(capsys.readouterr().out.replace("│", " ").split())
        assert "--plugin" in text
        assert "It is run: give only files that you trust." in text, verb
