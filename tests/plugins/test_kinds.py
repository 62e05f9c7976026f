"""Every kind that can be registered gets what Keras's own have: checks, documentation, schema."""

from __future__ import annotations

import json

import jsonschema
import pytest
from typer.testing import CliRunner

from cnnctl import plugins
from cnnctl.catalog import load as load_catalog
from cnnctl.cli.app import app
from cnnctl.errors import SpecError, UsageError
from cnnctl.plugins.kinds import OF_KERAS
from cnnctl.specs import load
from cnnctl.specs.json_schema import spec_schema

PLUGIN = """\
import cnnctl
import keras

{classes}

@cnnctl.register
def my_dataset(strength: float = 0.5, level: int = 3):
    \"\"\"A my_dataset of one's own.

    Args:
        strength: How strong it is.
    \"\"\"


@cnnctl.register
def my_rate_schedule(epoch, lr, strength: float = 0.5, level: int = 3):
    \"\"\"A my_rate_schedule of one's own.

    Args:
        strength: How strong it is.
    \"\"\"
    return strength
"""
CLASS = '''\
@cnnctl.register
class my_{kind}(keras.{module}.{base}):
    """A my_{kind} of one's own.

    Args:
        strength: How strong it is.
    """

    def __init__(self, strength: float = 0.5, level: int = 3, **kwargs):
        super().__init__(**kwargs)

'''
SPEC = """\
data: {dataset: mnist}
model:
  layers: [Flatten, {Dense: {units: 10, activation: softmax}}]
compile: {optimizer: adam, loss: sparse_categorical_crossentropy, metrics: [accuracy]}
fit: {callbacks: [{LearningRateScheduler: {schedule: "0.1"}}]}
"""
PLACES = {
    "layer": "model.layers.0",
    "callback": "fit.callbacks.0",
    "optimizer": "compile.optimizer",
    "schedule": "compile={loss: sparse_categorical_crossentropy, optimizer: {Adam: "
    "{learning_rate: %s}}}",
    "loss": "compile.loss",
    "metric": "compile.metrics.0",
    "initializer": "model.layers.1.Dense.kernel_initializer",
    "regularizer": "model.layers.1.Dense.kernel_regularizer",
    "constraint": "model.layers.1.Dense.kernel_constraint",
    "dataset": "data.dataset",
    "rate_schedule": "fit.callbacks.0.LearningRateScheduler.schedule",
}
KINDS = sorted(PLACES)


@pytest.fixture
def loaded(register, tmp_path):
    """A plug-in with one of every kind, loaded as `--plugin` does it, and a spec beside it."""
    classes = "\n".join(
        CLASS.format(kind=kind, module=module, base=base)
        for kind, (module, base) in OF_KERAS.items()
    )
    (tmp_path / "kinds.py").write_text(PLUGIN.format(classes=classes))
    (tmp_path / "net.yaml").write_text(SPEC)
    plugins.load([tmp_path / "kinds.py"])
    return tmp_path / "net.yaml"


def override(kind, arguments):
    place, value = PLACES[kind], f"{{my_{kind}: {arguments}}}"
    changes = [place % value if "%s" in place else f"{place}={value}"]
    # A schedule of the optimizer's and one of a callback's would both set the rate.
    return [*changes, "fit.callbacks=[]"] if kind == "schedule" else changes


def test_every_kind_is_looked_at():
    assert {*OF_KERAS, "dataset", "rate_schedule"} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_its_arguments_are_checked(kind, loaded):
    load(loaded, override(kind, "{strength: 0.25}"))
    for arguments, message, hint in (
        ("{strenght: 1}", f"unknown argument `strenght` of my_{kind}", "did you mean `strength`?"),
        ("{strength: high}", f"`strength` of my_{kind} takes a number", None),
        ("{level: 1.5}", f"`level` of my_{kind} takes an integer", None),
    ):
        with pytest.raises(SpecError) as raised:
            load(loaded, override(kind, arguments))
        (found,) = raised.value.diagnostics
        assert message in found.message
        assert hint in (None, found.hint)
    changes = [each.replace(f"my_{kind}", f"my_{kind[:-1]}") for each in override(kind, "{}")]
    with pytest.raises(SpecError) as raised:
        load(loaded, changes)
    assert raised.value.diagnostics[0].hint == f"did you mean `my_{kind}`?"


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_documented(kind, loaded):
    shown = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["layers", f"my_{kind}"]).stdout
    assert f"by kinds.py): A my_{kind} of one's own." in shown
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "strength 0.5 a number How strong it is." in lines
    assert "level 3 an integer" in lines
    listed = CliRunner().invoke(app, ["layers", "--kind", kind, "--json"]).stdout
    assert f"my_{kind}" in json.loads(listed)[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_knows_it(kind, loaded):
    definition = spec_schema()["definitions"][f"{kind}.my_{kind}"]
    assert definition["description"] == f"A my_{kind} of one's own."
    assert {"strength", "level"} <= set(definition["properties"])
    assert definition["additionalProperties"] is False


def test_the_schema_says_what_check_says(loaded):
    import yaml

    validator = jsonschema.Draft7Validator(spec_schema())
    document = yaml.safe_load(SPEC)
    document["data"]["dataset"] = {"my_dataset": {"strength": 1}}
    document["fit"]["callbacks"][0]["LearningRateScheduler"]["schedule"] = "my_rate_schedule"
    assert validator.is_valid(document)
    document["data"]["dataset"] = {"my_dataset": {"strenght": 1}}
    assert not validator.is_valid(document)


def a_loss(y_true, y_pred):
    pass


def a_schedule(epoch, factor):
    pass


def a_positional(count, /):
    pass


class Neither:
    pass


def mnist():
    pass


def some(formula):
    pass


@pytest.mark.parametrize(
    ("registered", "options", "message"),
    [
        (a_loss, {}, "a function of labels and predictions is a class here"),
        (a_schedule, {}, "begins with the arguments `epoch, lr`"),
        (a_positional, {}, "can only be given by position"),
        (Neither, {}, "and has no method `load`"),
        (lambda: 1, {}, "no class and no function with a name"),
        (3, {}, "no class and no function with a name"),
        (mnist, {}, "defines the data set mnist, which there is already: that of cnnctl"),
        (some, {"formula": some}, "`formula`, which is for layers: it is a data set"),
    ],
)
def test_what_cannot_be_registered(registered, options, message, register):
    with pytest.raises(UsageError) as raised:
        register(**options)(registered)
    assert message in raised.value.message
    assert load_catalog().find("dataset", "some") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Dense", "defines the layer Dense, which there is already: Keras's"),
        ("MaxPool2D", "which there is already: Keras's"),  # another name of MaxPooling2D
        ("Lambda", "which there is already: Keras's"),  # Keras has it, and a spec may not
        ("LpPooling2D", "which there is already: that of cnnctl"),
    ],
)
def test_a_name_that_is_taken(name, message, register):
    import keras

    with pytest.raises(UsageError, match=message):
        register(type(name, (keras.layers.Layer,), {"__module__": __name__}))
