"""All faults of a spec in one go, and none that only follows from another."""

from itertools import combinations

import pytest
from cli.test_bad_specs import ERRORS
from conftest import XO

from cnnctl.errors import SpecError
from cnnctl.preflight import check

MANY = """\
name: all
seed: 0
seed: 1
data:
  dataset: cifar10
  normalise: unit
model:
  input_shape: [32, 32, 1]
  layers:
    - Conv2D: {filters: 32, kernel_size: 3, activation: rellu}
    - MaxPooling2D: {pool_size: 40}
    - Conv2D: {filters: 1e999, kernel_size: 3}
    - Conv2D: {filters: 64, kernal_size: 3}
    - Dropuot: {rate: 0.5}
    - Flatten
    - Dense: {units: 100}
compile:
  optimizer: {Adam: {learning_rate: -1}}
  loss: sparse_categorical_crossentropy
  metrics: [acuracy]
fit:
  epochs: 3
  callbacks:
    - EarlyStopping: {monitor: val_accuracy}
    - LearningRateScheduler: {schedule: "0.1 * epok"}
"""


def found(tmp_path, text, *overrides):
    path = tmp_path / "many.yaml"
    path.write_text(text)
    try:
        check(path, overrides)
    except SpecError as error:
        return [(d.rule, d.location.line, d.location.column) for d in error.diagnostics]
    return []


def test_faults_of_every_stage_at_once(tmp_path):
    """Of YAML, words, values, contradictions, shapes, the data set and flags."""
    overrides = ("fit.epoch=2", "model.layers.9.units=3")
    assert found(tmp_path, MANY, *overrides) == [
        ("repeated-key", 3, 1),
        ("unknown-key", 6, 3),
        ("input-shape", 8, 16),
        ("unknown-activation", 10, 57),
        ("shape-mismatch", 11, 7),
        ("number-range", 12, 25),
        ("unknown-argument", 13, 29),
        ("unknown-layer", 14, 7),
        ("logits-without-softmax", 16, 7),
        ("class-count", 16, 22),
        ("wrong-value", 18, 37),
        ("unknown-metric", 20, 13),
        ("unknown-monitor", 24, 32),
        ("bad-schedule", 25, 41),
        ("unknown-key", 1, 11),  # the flags come last
        ("bad-override", 1, 20),
    ]


SINGLE_LINE = {name: change for name, (change, *_) in ERRORS.items() if "\n" not in "".join(change)}


@pytest.mark.parametrize("name", SINGLE_LINE)
def test_two_faults_never_make_a_third(name, tmp_path):
    """Faults that leave each other's line alone are those of each alone, or fewer."""

    def broken(*changes):
        text = XO
        for old, new in changes:
            text = text.replace(old, new)
        return set(found(tmp_path, text))

    one = SINGLE_LINE[name]
    alone = broken(one)
    assert len(alone) == 1
    for other in SINGLE_LINE.values():
        if other[0] in one[0] or one[0] in other[0] or other == one:
            continue
        text = XO.replace(*one)
        if other[0] not in text:
            continue
        line = XO[: XO.index(one[0])].count("\n")
        if line == XO[: XO.index(other[0])].count("\n"):
            continue
        extra = broken(one, other) - alone - broken(other)
        assert not extra, f"{one[1]} and {other[1]}: {extra}"


def test_the_pairs_are_many():
    assert len(list(combinations(SINGLE_LINE, 2))) > 200


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        # What a faulty layer does to shapes is open: what it feeds is not judged.
        ("[Conv2D: {filters: x, kernel_size: 3}, MaxPooling2D: {pool_size: 99}, Flatten]",
         [("wrong-value", 1)]),
        ("[Conv2D: {filters: 4, kernel_size: 3, activation: x}, MaxPooling2D: {pool_size: 99}]",
         [("unknown-activation", 1), ("shape-mismatch", 1)]),
        ("[Convolution: {name: a}, Flatten: {inputs: [a]}]", [("unknown-layer", 1)]),
        ("[Flatten: {inputs: [b]}, MaxPooling2D]", [("unknown-input", 1)]),
        ("[Repeat: {times: many, layers: [Convv2D]}, MaxPooling2D: {pool_size: 99}]",
         [("wrong-value", 1), ("unknown-layer", 1)]),
        ("[Repeat: {times: 2, layers: [MaxPooling2D: {pool_size: 3}, Dens: {units: 3}]}]",
         [("unknown-layer", 1)]),
        ("[Residual: {layers: [Dropout: {rate: 2}, MaxPooling2D]}]", [("wrong-value", 1)]),
        ("[Parallel: {branches: [[Flatten], [MaxPooling2D]], merge: Ad}]", [("unknown-layer", 1)]),
        ("[MaxPooling2D: {name: a, inputs: 3}, Flatten]", [("wrong-value", 1)]),
        ("[MaxPooling2D: {name: a, input: [b]}, Flatten: {inputs: [input]}]",
         [("unknown-argument", 1)]),
    ],
)  # fmt: skip
def test_what_a_faulty_layer_leaves_open(layers, expected, tmp_path):
    text = f"model: {{input_shape: [9, 9, 1], layers: {layers}}}\n"
    assert [(rule, line) for rule, line, _ in found(tmp_path, text)] == expected
