"""`cnnctl new`: what it writes, what it leaves alone, and that it trains."""

import json
import re

import numpy as np
import pytest
from conftest import XO

from cnnctl.catalog import shipped
from cnnctl.errors import RunError
from cnnctl.preflight import check
from cnnctl.scaffold import new as starter
from cnnctl.scaffold.schema_file import SCHEMA_FILE, write_schema
from cnnctl.specs.json_schema import schema_text, spec_schema
from cnnctl.specs.nodes import plain

MODELINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_new_user(cnnctl, tmp_path):
    done = cnnctl("new", "mine", "--like", "xo")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "wrote mine.yaml",
        "wrote cnnctl.schema.json, by which editors complete and check the spec",
        "next:",
        "  cnnctl check mine.yaml",
        "  cnnctl train mine.yaml",
    ]
    assert (tmp_path / SCHEMA_FILE).read_text() == cnnctl("schema").stdout
    assert cnnctl("check", "mine.yaml").returncode == 0
    done = cnnctl("train", "mine.yaml", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/mine/001/model.keras").exists()


def test_the_starter_is_commented_and_whole():
    text = starter.new("mine").path.read_text()
    assert text.startswith(MODELINE)
    checked = check("mine.yaml")
    assert checked.spec.name == "mine"
    assert checked.spec.data.dataset.name == "mnist"
    # 3·3·1·32 + 32, 3·3·32·64 + 64, and 28 → 26 → 13 → 11 → 5 pixels: 5·5·64·10 + 10
    assert checked.trace.total == 320 + 18_496 + 16_010
    for section in ("data", "model", "compile", "fit"):
        assert re.search(rf"^# .*\n{section}:$", text, re.MULTILINE), section
    assert max(map(len, text.splitlines())) <= 100


def test_the_starter_trains():
    from cnnctl.compute.device import start_device
    from cnnctl.network.build import build, compile_model

    checked = check(starter.new("mine").path)
    start_device("cpu", 0)
    model = build(checked.spec, checked.trace.input_shape)
    compile_model(model, checked.spec)
    rng = np.random.default_rng(0)
    x, y = rng.random((16, 28, 28, 1), np.float32), rng.integers(0, 10, 16)
    assert np.isfinite(model.fit(x, y, batch_size=8, verbose=0).history["loss"][0])


def test_what_its_comments_propose_is_valid(tmp_path):
    """Each line that is commented out, in the place of the line above that it is another one of."""
    lines = starter.new("mine").path.read_text().splitlines()
    proposed = [i for i, line in enumerate(lines) if re.match(r" {2,4}# (- |\w+: )", line)]
    assert len(proposed) == 7
    for index in proposed:
        changed = list(lines)
        changed[index] = re.sub("# ", "", changed[index], count=1)
        key = changed[index].split(":")[0]
        for other in range(index):
            if changed[other].startswith(f"{key}:"):
                changed[other] = ""
        text = "\n".join(changed)
        if "loss: categorical" in changed[index]:
            text = text.replace("label_mode: int ", "label_mode: categorical ")
        (tmp_path / "changed.yaml").write_text(text)
        assert check("changed.yaml").trace


def test_the_defaults_that_its_comments_name():
    from cnnctl.specs.sections import Data, Document, Fit

    text = starter.STARTER.read_text()
    assert Document.model_fields["seed"].default == 0
    assert "seed: 0 " in text
    assert (Data.model_fields["normalize"].default, Data.model_fields["label_mode"].default) == (
        "unit", "int")  # fmt: skip
    assert f"the default is {Fit.model_fields['batch_size'].default}\n" in text
    assert f"the default is {Fit.model_fields['epochs'].default}\n" in text


@pytest.mark.parametrize("name", shipped.names())
def test_like_a_shipped_spec(name):
    """It says what the shipped one says, and so trains as that does; its figures stay behind."""
    path = starter.new("mine", name).path
    text, old = path.read_text(), shipped.find(name).read_text()
    made, origin = check(path).spec, check(shipped.find(name)).spec
    assert made.name == "mine"
    assert plain(made.tree) == {**plain(origin.tree), "name": "mine"}
    assert text.startswith(MODELINE)
    assert "Measured:" not in text
    assert "Published:" not in text
    assert f"the shipped {name}.yaml" in text
    assert "extends:" not in text
    if "extends:" not in old:
        for comment in re.findall(r"^ +#.*$", old, re.MULTILINE):
            assert comment in text


def test_like_a_file_of_one_s_own(tmp_path):
    (tmp_path / "deep").mkdir()
    text = "# mine\n" + XO.replace("{xo: {count: 120, test_count: 40, translate: 1}}",
                                   "{npz: {path: arrays/a.npz}}")  # fmt: skip
    (tmp_path / "deep/base.yaml").write_text(MODELINE + text)
    made = starter.new("other", "deep/base.yaml").path.read_text()
    assert made.count("yaml-language-server") == 1
    assert "# mine\nname: other\n" in made
    assert "path: deep/arrays/a.npz" in made  # the same file, seen from here
    (tmp_path / "deep/child.yaml").write_text("extends: base.yaml\nseed: 7\n")
    spec = check(starter.new("deep/third", "deep/child.yaml").path).spec
    assert (spec.seed, spec.name) == (7, "third")
    assert spec.data.dataset.arguments["path"] == "arrays/a.npz"


@pytest.mark.parametrize(
    ("given", "path", "name"),
    [
        ("mine", "mine.yaml", "mine"),
        ("mine.yml", "mine.yml", "mine"),
        ("a.b-c_1", "a.b-c_1.yaml", "a.b-c_1"),
        ("sub/mine.yaml", "sub/mine.yaml", "mine"),
        ("2024", "2024.yaml", "2024"),
        ("1e5", "1e5.yaml", "1e5"),
        ("9e999", "9e999.yaml", "9e999"),
        ("null", "null.yaml", "null"),
    ],
)
def test_names(given, path, name, tmp_path):
    (tmp_path / "sub").mkdir()
    started = starter.new(given, "xo")
    assert str(started.path) == path
    assert check(path).spec.name == name
    assert started.schema == started.path.parent / SCHEMA_FILE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "missing argument NAME"),
        (["tiny"], "tiny.yaml is there already"),
        (["link"], "link.yaml is there already"),
        (["my net"], "did you mean `cnnctl new my_net`?"),
        (["a" * 81], "at most 80"),
        (["../x/y"], "there is no folder ../x"),
        (["tiny.yaml/y"], "tiny.yaml is not a folder"),
        (["sub/"], "such as `cnnctl new sub/mine`"),
        ([""], "a spec needs a name"),
        ([".."], "a spec needs a name"),
        (["mine", "--like", "mnits"], "did you mean mnist?"),
        (["mine", "--like", "no/such.yaml"], "no such file: no/such.yaml"),
        (["mine", "--like", "bad.yaml"], "--> bad.yaml:1:18"),
        (["mine", "--like", "odd.yaml"], "its name cannot be replaced"),
    ],
)
def test_what_it_refuses(arguments, message, cnnctl, xo_spec, tmp_path):
    (tmp_path / "link.yaml").symlink_to("nowhere")
    (tmp_path / "bad.yaml").write_text("model: {layers: [Flaten]}\n")
    (tmp_path / "odd.yaml").write_text(
        "name: &a x\ndescription: *a\nmodel: {input_shape: [1], layers: [Flatten]}\n"
    )
    before = xo_spec.read_text()
    done = cnnctl("new", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert xo_spec.read_text() == before
    assert not (tmp_path / "mine.yaml").exists()
    assert not (tmp_path / SCHEMA_FILE).exists()


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    with pytest.raises(RunError, match=r"cannot write .*: Permission denied") as caught:
        starter.new("mine")
    assert caught.value.hint == "name a file in another folder"
    assert list(tmp_path.iterdir()) == []


def test_json(cnnctl):
    done = cnnctl("new", "mine", "--json")
    assert json.loads(done.stdout) == {
        "spec": "mine.yaml", "schema": SCHEMA_FILE, "schema_is": "written",
    }  # fmt: skip


def test_the_schema_beside_it(tmp_path):
    path, new = tmp_path / SCHEMA_FILE, schema_text(spec_schema())
    assert write_schema(tmp_path) == "written"
    assert path.read_text() == new
    path.write_text(new.replace("Keras", "K3"))  # one with plug-ins, say
    assert write_schema(tmp_path) == "kept"
    assert path.read_text() != new
    path.write_text(re.sub(r"made by cnnctl [\d.]+", "made by cnnctl 0.0.9", new))
    assert write_schema(tmp_path) == "written"
    assert path.read_text() == new
    newer = re.sub(r"made by cnnctl [\d.]+", "made by cnnctl 99.10", new)
    path.write_text(newer)
    assert write_schema(tmp_path) == "kept"


@pytest.mark.parametrize("text", ['{"$id": "urn:other"}', "[]", "no JSON", ""])
def test_a_foreign_file_is_left_alone(text, cnnctl, tmp_path):
    (tmp_path / SCHEMA_FILE).write_text(text)
    done = cnnctl("new", "mine")
    assert done.returncode == 0
    assert "is not cnnctl's, and was left as it is" in done.stderr
    assert (tmp_path / SCHEMA_FILE).read_text() == text
