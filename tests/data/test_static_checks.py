"""What `check` says of pictures without loading any file."""

import pytest

from cnnctl.errors import SpecError
from cnnctl.preflight import check

SPEC = """\
data:
  dataset:
    inline:
      x_train: [[[1, 2], [3, 4]], [[1, 2], [3, 4]], [[5, 6], [7, 8]]]
      y_train: [0, 1, 1]
  validation: 1
model:
  layers:
    - Flatten
    - Dense: {units: 2, activation: softmax}
compile: {optimizer: adam, loss: sparse_categorical_crossentropy}
"""


def found(tmp_path, text, *overrides):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    try:
        checked = check(path, overrides)
    except SpecError as error:
        return [(d.rule, d.location.line, d.location.column) for d in error.diagnostics]
    return (checked.trace.input_shape, checked.trace.total) if checked.trace else ()


def test_the_shape_of_written_pictures_is_known(tmp_path):
    assert found(tmp_path, SPEC) == ((2, 2, 1), 4 * 2 + 2)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[7, 8]]]", "[7]]]", ("inline-data", 4, 16)),
        ("[0, 1, 1]", "[0, 1, 2]", ("inline-data", 5, 16)),
        ("[0, 1, 1]", "[0, 1]", ("inline-data", 4, 16)),
        ("[0, 1, 1]", "[0, 1, 1]\n      x_test: [[[1, 2], [3, 4]]]", ("inline-data", 6, 15)),
        ("[0, 1, 1]", "[0, -1, 1]", ("inline-data", 5, 16)),
        ("validation: 1", "validation: 3", ("validation-size", 6, 15)),
        ("    - Flatten\n", "    - Flatten: {input_shape: 4}\n", ("managed-argument", 9, 17)),
        ("\nmodel:\n", "\nmodel:\n  input_shape: [3, 3, 1]\n", ("input-shape", 8, 16)),
    ],
)
def test_faults(old, new, expected, tmp_path):
    assert SPEC.count(old) == 1
    assert found(tmp_path, SPEC.replace(old, new)) == [expected]


@pytest.mark.parametrize(
    ("dataset", "validation", "errors"),
    [
        ("mnist", 59_999, 0),
        ("mnist", 60_000, 1),
        ("cifar10", 50_000, 1),
        ("{xo: {count: 20}}", 20, 1),
        ("{xo: {count: 20}}", 19, 0),
        ("{npz: {path: x.npz}}", 10**9, 0),  # only the file tells
    ],
)
def test_a_validation_that_leaves_nothing(dataset, validation, errors, tmp_path):
    text = f"data: {{dataset: {dataset}, validation: {validation}}}\nmodel: {{layers: [Flatten]}}\n"
    rules = [each for each in found(tmp_path, text) if each and each[0] == "validation-size"]
    assert len(rules) == errors
