"""What a plug-in's data set returns and declares, and what is said where that is no data set."""

from pathlib import Path

import numpy as np
import pytest

import cnnctl.data
from cnnctl.data.dataset import Split, fingerprint
from cnnctl.errors import DataError, SpecError
from cnnctl.preflight import check

X = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4, 1)
Y = np.array([0, 1, 2, 0, 1, 2])


def load(register, returned, **facts):
    def made():
        """A data set."""
        return returned

    register(**facts)(made)
    return cnnctl.data.load("made", base=Path())


def test_arrays_by_name(register):
    data = load(register, {"x_train": X, "y_train": Y, "x_val": X[:2], "y_val": Y[:2],
                           "class_names": ["a", "b", "c"]})  # fmt: skip
    assert data.class_names == ("a", "b", "c")
    assert data.pixel_range == (0, 255)
    assert data.test is None
    np.testing.assert_array_equal(data.validation.x, X[:2])
    pairs = {"train": Split(X, Y), "validation": Split(X[:2], Y[:2])}
    assert data.fingerprint == fingerprint(pairs)


def test_the_form_of_keras(register):
    data = load(register, ((X, Y), (X[:3], Y[:3])))
    assert [(name, len(split)) for name, split in data.splits()] == [("train", 6), ("test", 3)]
    assert data.class_names == ("0", "1", "2")
    assert "test_data.py" in data.origin


def test_floats_become_float32_and_columns_labels(register):
    data = load(register, {"x_train": X / 255, "y_train": Y[:, None].astype(np.int8)})
    assert data.train.x.dtype == np.float32
    assert data.train.y.dtype == np.int64
    np.testing.assert_array_equal(data.train.y, Y)


NAN = X.astype(float)
NAN[4, 1, 2, 0] = np.nan


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "returns NoneType"),
        ([X, Y], "returns list"),
        ((X, Y), "returns tuple"),
        ({"x_train": X}, "the data set made has no array `y_train`; it has x_train"),
        ({"x_train": X, "y_train": Y, "x_tset": X}, "returns `x_tset`"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "has no array `y_test`"),
        ({"x_train": [[1, 2], [3]], "y_train": [0, 1]}, "`x_train` of the data set made is no"),
        ({"x_train": X.astype(str), "y_train": Y}, "x_train of the data set made holds text"),
        ({"x_train": Y, "y_train": Y}, "x_train of the data set made has shape (6,)"),
        ({"x_train": X, "y_train": Y[:5]}, "6 pictures in x_train, 5 labels"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "x_train is empty"),
        ({"x_train": NAN, "y_train": Y}, "picture 4 (counted from 0) has the value nan"),
        ({"x_train": X, "y_train": Y - 1}, "the label of picture 0 (counted from 0) is -1"),
        ({"x_train": X, "y_train": np.zeros((len(Y), 2, 2))}, "expected class numbers"),
        ({"x_train": X[:, :0], "y_train": Y}, "which have no pixels"),
        ({"x_train": X, "y_train": Y, "class_names": ["a", "b"]}, "only 2 class names"),
        ({"x_train": X, "y_train": Y, "class_names": [1, 2, 3]}, "no list of texts"),
        ({"x_train": X, "y_train": Y, "class_names": "abc"}, "no list of texts"),
        (((X, Y), (X[:, :3], Y)), "shape (3, 4, 1) in x_test, and of shape (4, 4, 1) in x_train"),
    ],
)  # fmt: skip
def test_what_is_no_data_set(returned, message, register):
    with pytest.raises(DataError) as raised:
        load(register, returned)
    assert message in f"{raised.value.message} {raised.value.hint}"


def test_what_is_declared_is_compared(register):
    good = {"x_train": X[..., 0], "y_train": Y}
    assert load(register, good, input_shape=(4, 4, 1)).train.x.shape == (6, 4, 4)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"input_shape": (5, 4, 1)}, "declares pictures of shape (5, 4, 1), and returns some of"),
        ({"input_shape": (4.0, 4, 1)}, "a list of whole numbers"),
        ({"class_names": ("a", "b", "d")}, "declares the classes a, b, d, and returns a, b, c"),
    ],
)
def test_what_is_declared_and_not_so(facts, message, register):
    with pytest.raises(DataError) as raised:
        load(register, {"x_train": X, "y_train": Y, "class_names": ["a", "b", "c"]}, **facts)
    assert message in raised.value.message


SPEC = """\
data:
  dataset: {Squares: {path: there, size: 5}}
model:
  layers: [Flatten, {Dense: {units: 3, activation: softmax}}]
compile: {optimizer: adam, loss: sparse_categorical_crossentropy}
"""


class Squares:
    """Squares."""

    def __init__(self, path: Path, size: int = 4):
        if size > 9:
            raise ValueError("no squares of that size")
        self.path = path
        self.input_shape = (size, size, 1)
        self.class_names = ("a", "b", "c")

    def load(self):
        raise OSError(f"nothing in {self.path}")


def test_a_class_declares_by_its_arguments(register, tmp_path):
    register(Squares)
    (tmp_path / "net.yaml").write_text(SPEC)
    assert check(tmp_path / "net.yaml").trace.total == 5 * 5 * 3 + 3
    with pytest.raises(DataError, match=f"nothing in {tmp_path}/there"):
        cnnctl.data.load("Squares", {"path": "there"}, base=tmp_path)


@pytest.mark.parametrize(
    ("override", "rule", "message"),
    [
        ("data.dataset.Squares.size=10", "failed-dataset", "no squares of that size"),
        ("data.dataset.Squares.size=big", "wrong-value", "takes an integer"),
        ("model.layers.1.Dense.units=4", "class-count", "Squares has 3 classes"),
        ("model.input_shape=[4, 4, 1]", "input-shape", "[5, 5, 1]"),
    ],
)
def test_what_check_knows_of_it(override, rule, message, register, tmp_path):
    register(Squares)
    (tmp_path / "net.yaml").write_text(SPEC)
    with pytest.raises(SpecError) as raised:
        check(tmp_path / "net.yaml", [override])
    (found,) = raised.value.diagnostics
    assert (found.rule, message in found.message) == (rule, True)


PLUGIN = """\
import cnnctl
import numpy as np

@cnnctl.register(input_shape=(3, 3, 1))
def dots(count: int = 4, fails: bool = False):
    \"\"\"Dots.\"\"\"
    print("to standard output")
    if fails:
        raise RuntimeError("no more dots")
    x = np.zeros((count, 3, 3, 1), np.uint8)
    return {"x_train": x, "y_train": np.arange(count) % 2, "class_names": ["white", "black"]}
"""
NET = """\
data:
  dataset: {dots: {fails: true}}
model:
  layers: [Flatten, {Dense: {units: 2, activation: softmax}}]
compile: {optimizer: adam, loss: sparse_categorical_crossentropy}
"""


def test_the_command(cnnctl, tmp_path):
    (tmp_path / "dots.py").write_text(PLUGIN)
    (tmp_path / "net.yaml").write_text(NET)
    words = ("--plugin", "dots.py")
    done = cnnctl("check", "net.yaml", *words)
    assert done.stdout == "net.yaml: ok, 20 parameters\n"
    done = cnnctl("train", "net.yaml", *words)
    assert done.returncode == 1
    assert "the data set dots failed: RuntimeError: no more dots" in done.stderr
    assert "--> net.yaml:2:13\n" in done.stderr
    assert "in dots.py, line 9" in done.stderr
    done = cnnctl("data", "list", *words)
    assert "  dots           Dots (by dots.py)\n" in done.stdout
    done = cnnctl("data", "info", "dots", *words)
    assert "3×3×1" in done.stdout
    assert "1  black" in done.stdout
    assert "to standard output" not in done.stdout
    done = cnnctl("data", "show", "dots", *words)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data-dots.png").stat().st_size > 1000
    done = cnnctl("data", "show", "dotz", *words)
    assert "did you mean `dots`?" in done.stderr
    assert done.returncode == 2
