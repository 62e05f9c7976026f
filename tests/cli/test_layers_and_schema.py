"""`cnnctl layers` and `cnnctl schema`, seen from outside."""

import json

import pytest

from cnnctl.catalog import load
from cnnctl.catalog.examples import example
from cnnctl.specs.json_schema import spec_schema

PLUGIN = '''
import cnnctl, keras

@cnnctl.register
class Swirl2D(keras.layers.Layer):
    """Swirls a picture."""

    def __init__(self, turns: float, **options):
        super().__init__(**options)

    def call(self, x):
        return x
'''


def test_an_entry_is_shown_with_an_example(cnnctl):
    shown = cnnctl("layers", "Conv2D").stdout
    assert "in a spec:  - Conv2D: {filters: 32, kernel_size: 3, activation: relu}\n" in shown
    shown = cnnctl("layers", "sgd").stdout
    assert "in a spec:  optimizer: {SGD: {learning_rate: 0.01, momentum: 0.9}}\n" in shown


@pytest.mark.parametrize("columns", [30, 40, 59, 79])
def test_nothing_is_cut_in_a_narrow_terminal(columns, cnnctl):
    shown = cnnctl("layers", "LSTM", env={"COLUMNS": str(columns)}).stdout
    whole = "".join(shown.split())
    entry = load().find("layer", "LSTM")
    for argument in entry.arguments:
        assert f"\n{argument.name}\n" in shown
        assert "".join(argument.doc.split()) in whole
    assert example(entry) in shown
    table = shown[shown.index("units\n") : shown.index("not in a spec")]
    assert max(map(len, table.splitlines())) <= columns


def test_a_list_in_a_narrow_terminal(cnnctl):
    shown = cnnctl("layers", "--kind", "schedule", env={"COLUMNS": "40"}).stdout
    whole = " ".join(shown.split())
    for name in load().names("schedule"):
        assert f"\n{name}\n" in shown
        assert " ".join(load().find("schedule", name).summary.split()) in whole


def test_the_schema_is_printed(cnnctl):
    done = cnnctl("schema")
    assert done.returncode == 0
    assert done.stderr == ""
    assert json.loads(done.stdout) == spec_schema()


def test_plug_ins_are_shown_and_in_the_schema(cnnctl, tmp_path):
    (tmp_path / "swirl.py").write_text(PLUGIN)
    done = cnnctl("schema", "--plugin", "swirl.py")
    definition = json.loads(done.stdout)["definitions"]["layer.Swirl2D"]
    assert definition["description"] == "Swirls a picture."
    assert definition["required"] == ["turns"]
    shown = cnnctl("layers", "Swirl2D", "--plugin", "swirl.py").stdout
    assert "Swirl2D (layer, by swirl.py): Swirls a picture." in shown
    assert "in a spec:  - Swirl2D: {turns: 1}" in shown
