import pytest

from cnnctl.errors import SpecError
from cnnctl.specs.merge import merge, override
from cnnctl.specs.nodes import plain
from cnnctl.specs.reader import read
from cnnctl.specs.source import text_source

BASE = """
seed: 0
data: {dataset: mnist, normalize: unit}
model:
  layers:
    - Conv2D: {filters: 32, kernel_size: 5, name: first}
    - Flatten
    - Dense: {units: 10}
    - Dense: {units: 5}
compile:
  optimizer: {Adam: {learning_rate: 0.001, beta_1: 0.8}}
  loss: mse
fit:
  epochs: 10
  callbacks:
    - EarlyStopping: {patience: 3}
"""


def parse(text, name="base.yaml"):
    return read(text_source(text, name))


def merged(change):
    return plain(merge(parse(BASE), parse(change, "change.yaml")))


def set_(*assignments):
    tree = parse(BASE)
    for assignment in assignments:
        tree = override(tree, assignment)
    return plain(tree)


def test_sections_are_merged_key_by_key():
    result = merged("fit: {epochs: 3}\ndata: {normalize: signed}")
    assert result["fit"]["epochs"] == 3
    assert result["fit"]["callbacks"] == [{"EarlyStopping": {"patience": 3}}]
    assert result["data"] == {"dataset": "mnist", "normalize": "signed"}


def test_the_same_class_keeps_its_other_arguments():
    result = merged("compile: {optimizer: {Adam: {learning_rate: 0.1}}}")
    assert result["compile"]["optimizer"] == {"Adam": {"learning_rate": 0.1, "beta_1": 0.8}}


def test_another_class_replaces():
    result = merged("compile: {optimizer: {SGD: {learning_rate: 0.1}}}")
    assert result["compile"]["optimizer"] == {"SGD": {"learning_rate": 0.1}}


def test_a_list_replaces():
    assert merged("model: {layers: [Flatten]}")["model"]["layers"] == ["Flatten"]


def test_values_keep_their_own_places():
    tree = merge(parse(BASE), parse("fit: {epochs: 3}", "change.yaml"))
    fit = tree.items["fit"]
    assert str(fit.items["epochs"].location) == "change.yaml:1:15"
    assert fit.items["callbacks"].location.file == "base.yaml"


@pytest.mark.parametrize(
    ("assignment", "read_back"),
    [
        ("fit.epochs=3", lambda d: d["fit"]["epochs"] == 3),
        ("fit.epochs=1e1", lambda d: d["fit"]["epochs"] == 10.0),
        ("compile.optimizer.Adam.learning_rate=1e-2",
         lambda d: d["compile"]["optimizer"] == {"Adam": {"learning_rate": 0.01, "beta_1": 0.8}}),
        ("compile.optimizer.SGD.learning_rate=1",
         lambda d: d["compile"]["optimizer"] == {"SGD": {"learning_rate": 1}}),
        ("compile.optimizer=sgd", lambda d: d["compile"]["optimizer"] == "sgd"),
        ("compile.loss.Huber.delta=2", lambda d: d["compile"]["loss"] == {"Huber": {"delta": 2}}),
        ("model.layers.0.Conv2D.filters=8",
         lambda d: d["model"]["layers"][0]["Conv2D"]["filters"] == 8),
        ("model.layers.first.filters=8",
         lambda d: d["model"]["layers"][0]["Conv2D"]["filters"] == 8),
        ("model.layers.-1.Dense.units=7",
         lambda d: d["model"]["layers"][3] == {"Dense": {"units": 7}}),
        ("model.layers.1.Flatten.name=f",
         lambda d: d["model"]["layers"][1] == {"Flatten": {"name": "f"}}),
        ("fit.callbacks.EarlyStopping.patience=9",
         lambda d: d["fit"]["callbacks"] == [{"EarlyStopping": {"patience": 9}}]),
        ("model.layers.2=Flatten", lambda d: d["model"]["layers"][2] == "Flatten"),
        ("model.layers=[Flatten, {Dense: {units: 1}}]",
         lambda d: d["model"]["layers"] == ["Flatten", {"Dense": {"units": 1}}]),
        ("description=a=b", lambda d: d["description"] == "a=b"),
    ],
)  # fmt: skip
def test_override(assignment, read_back):
    assert read_back(set_(assignment))


def test_later_overrides_win():
    assert set_("fit.epochs=3", "fit.epochs=4")["fit"]["epochs"] == 4


@pytest.mark.parametrize(
    ("assignment", "column"),
    [
        ("fit.epochs", 7),
        ("=3", 7),
        ("fit..epochs=3", 7),
        ("model.layers.9.Dense.units=1", 20),
        ("model.layers.Dense.units=1", 20),  # two of them
        ("model.layers.last.units=1", 20),
        ("fit.epochs=[1", 18),
    ],
)
def test_faulty_overrides_point_into_the_flag(assignment, column):
    with pytest.raises(SpecError) as caught:
        set_(assignment)
    (found,) = caught.value.diagnostics
    assert found.location.file == f"--set {assignment}"
    assert found.location.column == column


def test_an_index_of_thousands_of_digits_is_no_item():
    with pytest.raises(SpecError) as caught:
        set_(f"model.layers.{'9' * 5000}.Dense.units=3")
    (found,) = caught.value.diagnostics
    assert found.message.startswith("there is no item 999")
    assert len(found.message) < 150
