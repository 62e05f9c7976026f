"""Every name's example is what a spec may say, in its place."""

import pytest

from cnnctl.catalog import KINDS, Argument, Entry, load
from cnnctl.catalog.example_values import NESTED, PLACES, SHOWN
from cnnctl.catalog.examples import example
from cnnctl.specs.reader import read
from cnnctl.specs.source import text_source
from cnnctl.specs.validate import validate

EVERY_ENTRY = [(kind, name) for kind in KINDS for name in load().names(kind)]
WHOLE = {
    "dataset": "mnist",
    "layers": "[Flatten]",
    "optimizer": "adam",
    "loss": "mse",
    "metrics": "[]",
    "callbacks": "[]",
}


def errors(line):
    """The diagnostics of a whole spec that has the line in its place."""
    key, _, value = line.partition(": ")
    parts = {**WHOLE, "layers": f"[{line[2:]}]"} if line.startswith("- ") else {**WHOLE, key: value}
    text = (
        "data: {{dataset: {dataset}}}\nmodel: {{layers: {layers}}}\n"
        "compile: {{optimizer: {optimizer}, loss: {loss}, metrics: {metrics}}}\n"
        "fit: {{callbacks: {callbacks}}}\n"
    ).format(**parts)
    return validate(read(text_source(text, "example")), "example", load())[1]


@pytest.mark.parametrize(("kind", "name"), EVERY_ENTRY)
def test_every_example_is_valid(kind, name):
    entry = load().find(kind, name)
    line = example(entry)
    assert errors(line) == [], line
    assert name in line or any(other in line for other in entry.identifiers)
    assert "\n" not in line
    for argument in entry.arguments:
        assert not argument.required or f"{argument.name}: " in line


def test_a_fault_would_be_found():
    assert errors("- Conv2D: {filters: 32}") != []
    assert errors("optimizer: {SGD: {momentum: 9}}") != []


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        ("layer", "Conv2D", "- Conv2D: {filters: 32, kernel_size: 3, activation: relu}"),
        ("layer", "Flatten", "- Flatten"),
        ("layer", "Concatenate", "- Concatenate: {inputs: [left, right]}"),
        ("optimizer", "SGD", "optimizer: {SGD: {learning_rate: 0.01, momentum: 0.9}}"),
        ("initializer", "HeNormal", "- Dense: {units: 10, kernel_initializer: he_normal}"),
        ("loss", "BinaryCrossentropy", "loss: binary_crossentropy"),
        ("callback", "EarlyStopping",
         "callbacks: [{EarlyStopping: {monitor: val_loss, patience: 3}}]"),
        ("callback", "LearningRateScheduler",
         'callbacks: [{LearningRateScheduler: {schedule: "0.001 * 0.6 ** epoch"}}]'),
        ("dataset", "image_folder", "dataset: {image_folder: {path: pictures}}"),
    ],
)  # fmt: skip
def test_what_one_would_write(kind, name, line):
    assert example(load().find(kind, name)) == line


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, "1"),
        ({"type": "integer", "minimum": 4}, "4"),
        ({"type": "integer", "exclusiveMinimum": 4}, "5"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "0.5"),
        ({"type": "number", "maximum": -2}, "-2"),
        ({"type": "number", "exclusiveMaximum": 0}, "-1"),
        ({"type": "boolean"}, "true"),
        ({"type": "string"}, "text"),
        ({"enum": ["a, b", None]}, '"a, b"'),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, "[1, 1]"),
        ({"type": "array"}, "[text]"),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, "{}"),
        ({"$ref": "#/$defs/initializer"}, "he_normal"),
        ({}, "text"),
    ],
)
def test_a_plug_in_s_argument_gets_the_least_that_fits(schema, value):
    entry = Entry("layer", "Swirl", arguments=(Argument("twist", schema, required=True),))
    assert example(entry) == f"- Swirl: {{twist: {value}}}"


def test_a_plug_in_may_call_something_else_by_a_name_of_keras_s():
    rate = Argument("rate", {"type": "integer", "minimum": 3}, required=True)
    assert example(Entry("layer", "Swirl", arguments=(rate,))) == "- Swirl: {rate: 3}"


def test_the_tables_name_what_there_is():
    assert set(NESTED) == set(KINDS)
    assert {*PLACES, "layer", "block"} == set(KINDS)
    for kind, entries in SHOWN.items():
        for name, arguments in entries.items():
            entry = load().find(kind, name)
            assert entry.name == name
            assert all(entry.argument(argument) for argument in arguments), name
