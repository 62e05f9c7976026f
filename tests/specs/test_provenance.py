"""Where values come from, and what distinguishes two specs."""

import json

import pytest
from conftest import CONFIGS, XO

from cnnctl.preflight import check, specs_in
from cnnctl.specs.difference import differences
from cnnctl.specs.provenance import origins


def sources(spec):
    return {each.path: (each.value, each.source) for each in origins(spec)}


def test_each_value_names_its_file_and_line_its_flag_or_its_default(tmp_path):
    base, child = tmp_path / "base.yaml", tmp_path / "child.yaml"
    base.write_text(XO)
    child.write_text("extends: base.yaml\nfit:\n  batch_size: 8\n")
    spec = check(child, ["compile.optimizer.Adam.beta_1=0.8"]).spec
    found = sources(spec)
    assert found["name"] == ("child", "default (cnnctl)")  # names are not inherited
    assert found["fit.batch_size"] == (8, f"{child}:3")
    assert found["fit.epochs"] == (3, f"{base}:21")
    assert found["data.normalize"] == ("signed", f"{base}:4")
    assert found["data.label_mode"] == ("int", "default (cnnctl)")
    assert found["data.dataset.xo.count"] == (120, f"{base}:3")
    assert found["compile.optimizer"] == ("Adam", f"{base}:16")
    assert found["compile.optimizer.Adam.learning_rate"] == (0.01, f"{base}:16")
    assert found["compile.optimizer.Adam.beta_1"] == (
        0.8,
        "--set compile.optimizer.Adam.beta_1=0.8",
    )
    assert found["compile.optimizer.Adam.beta_2"] == (0.999, "default (keras)")
    assert found["model.layers.0.Conv2D.filters"] == (4, f"{base}:10")
    assert found["model.layers.0.Conv2D.kernel_initializer"] == (
        "GlorotUniform",
        "default (keras)",
    )


@pytest.mark.parametrize("path", specs_in(CONFIGS), ids=lambda path: path.stem)
def test_every_path_can_be_set(path):
    """A path as it is shown is one that `--set` takes; to set what is there changes nothing."""
    from cnnctl.specs.dump import flow

    spec = check(path).spec
    given = [each for each in origins(spec) if each.location and "." in each.path]
    plain = [each for each in given if not isinstance(each.value, str)]
    assert len(plain) >= 3
    for each in plain:
        again = check(path, [f"{each.path}={flow(each.value)}"]).spec
        assert differences(spec, again) == []


def test_the_command(cnnctl, xo_spec):
    wide = {"COLUMNS": "300"}  # the folder of the test has a long name
    done = cnnctl("check", "--origin", xo_spec, "--set", "fit.epochs=7", env=wide)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("fit.epochs ")]
    assert line.split(maxsplit=2)[1:] == ["7", "--set fit.epochs=7"]
    (row,) = json.loads(cnnctl("check", "--origin", "--json", xo_spec).stdout)
    by_path = {each["path"]: each for each in row["origins"]}
    assert by_path["fit.epochs"]["line"] == 21
    assert by_path["fit.shuffle"]["origin"] == "default"


def difference(tmp_path, one, other):
    (tmp_path / "a.yaml").write_text(one)
    (tmp_path / "b.yaml").write_text(other)
    specs = (check(tmp_path / "a.yaml").spec, check(tmp_path / "b.yaml").spec)
    return [
        (each.path, each.before and each.before.value, each.after and each.after.value)
        for each in differences(*specs)
        if each.path != "name"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("batch_size: 16", "batch_size: 8", [("fit.batch_size", 16, 8)]),
        ("  epochs: 3\n", "", [("fit.epochs", 3, 1)]),
        # What is the same by default is the same.
        ("  validation_from: end\n", "", []),
        ("kernel_size: 3", "kernel_size: [3, 3], strides: 1, kernel_initializer: glorot_uniform",
         []),
        ("{Adam: {learning_rate: 0.01}}", "{adam: {learning_rate: 1e-2, beta_1: 0.9}}", []),
        ("loss: sparse_categorical_crossentropy", "loss: SparseCategoricalCrossentropy", []),
        ("activation: softmax", "activation: sigmoid",
         [("model.layers.4.Dense.activation", "softmax", "sigmoid")]),
        # One layer more is one difference, not five.
        ("    - Conv2D", "    - Dropout: {rate: 0.1}\n    - Conv2D",
         [("model.layers.0", None, {"Dropout": {"rate": 0.1}})]),
        ("    - Flatten\n", "    - GlobalMaxPooling2D\n",
         [("model.layers.3", "Flatten", None), ("model.layers.3", None, "GlobalMaxPooling2D")]),
        ("translate: 1", "translate: 2", [("data.dataset.xo.translate", 1, 2)]),
    ],
)  # fmt: skip
def test_differences(old, new, expected, tmp_path):
    assert difference(tmp_path, XO, XO.replace(old, new)) == expected
    # The other way around it is the same.
    back = difference(tmp_path, XO.replace(old, new), XO)
    assert sorted(map(repr, back)) == sorted(repr((path, b, a)) for path, a, b in expected)


def test_the_diff_command(cnnctl, tmp_path, xo_spec):
    (tmp_path / "other.yaml").write_text(XO.replace("filters: 4", "filters: 5"))
    done = cnnctl("diff", xo_spec, "other.yaml")
    assert done.returncode == 0, done.stderr
    assert "model.layers.0.Conv2D.filters: 4 → 5   (line 10)" in done.stdout
    assert "parameters: 114 → 142" in done.stdout  # 3·3·5 + 5, 3·3·5·2 + 2
    assert "mean the same" in cnnctl("diff", xo_spec, xo_spec).stdout
    found = json.loads(cnnctl("diff", xo_spec, "other.yaml", "--json").stdout)
    assert [each["path"] for each in found["differences"]] == ["model.layers.0.Conv2D.filters"]
    assert cnnctl("diff", xo_spec, "nowhere.yaml").returncode == 2
