"""What is varied: values split as YAML splits them, ranges with every fault at its place."""

import math

import pytest
from conftest import XO, examples
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.errors import SpecError, UsageError
from cnnctl.specs.dump import flow
from cnnctl.specs.nodes import plain
from cnnctl.specs.reader import read
from cnnctl.specs.source import text_source
from cnnctl.sweep import space as spaces
from cnnctl.sweep.ranges import read_ranges
from cnnctl.sweep.space import Parameter, grid, join, parse_over, short_names, size
from cnnctl.sweep.value_checks import check, monitor_of

PATH = "fit.batch_size"
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), TEXTS,
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["a,b", "[", "'", "a: b"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS.filter(bool), inner, min_size=1, max_size=2)
    ),
    max_leaves=4,
)


def meant(text):
    return plain(read(text_source(text, "value")))


@examples(200)
@given(st.lists(VALUES, min_size=1, max_size=5, unique_by=flow))
def test_values_come_back(values):
    """Whatever the values are, a list of them in YAML is split into just these."""
    (found,) = parse_over([f"{PATH}={','.join(map(flow, values))}"])
    assert found.path == PATH
    assert [meant(text) for text in found.values] == values
    for text in found.values:
        path, _, value = found.assignment(text).partition("=")
        assert (path, meant(value)) == (PATH, meant(text))


@examples(200)
@given(st.text(max_size=30))
def test_any_text_is_values_or_a_fault_within_the_flag(text):
    try:
        (found,) = parse_over([f"{PATH}={text}"])
    except SpecError as error:
        for fault in error.diagnostics:
            assert fault.location.line >= 1
    else:
        assert found.values
        assert len(found.places) == len(found.values)


def test_commas_at_the_top_alone_split():
    (kernels, rates) = parse_over(["a.b=[3, 3],[5, 5]", "c=1e-2,{CosineDecay: {decay_steps: 3}}"])
    assert kernels.values == ("[3, 3]", "[5, 5]")
    assert rates.values == ("0.01", "{CosineDecay: {decay_steps: 3}}")
    assert size((kernels, rates)) == 4
    assert list(grid((kernels, rates)))[1] == {"a.b": "[3, 3]", "c": rates.values[1]}


def test_faults_of_the_flag_are_where_they_are_written():
    with pytest.raises(SpecError) as raised:
        parse_over(["fit.batch_size", "a=1,2,1", "b="])
    places = [(each.location.file, each.location.column) for each in raised.value.diagnostics]
    assert places == [("--over fit.batch_size", 8), ("--over a=1,2,1", 14), ("--over b=", 8)]


def test_paths_that_meet():
    one, inner = parse_over(["compile.optimizer=adam", "compile.optimizer.Adam.beta_1=0.8,0.9"])
    with pytest.raises(SpecError, match="the one is inside the other"):
        join([one, inner])
    with pytest.raises(SpecError, match="varied twice"):
        join([one, one])


def test_short_names_tell_paths_apart():
    paths = ["fit.epochs", "model.layers.0.Conv2D.filters", "model.layers.2.Conv2D.filters"]
    names = short_names(tuple(Parameter(path) for path in paths))
    assert list(names.values()) == ["epochs", "0.Conv2D.filters", "2.Conv2D.filters"]


def test_every_kind_of_range(tmp_path):
    path = tmp_path / "ranges.yaml"
    path.write_text(
        "a.b: {log_uniform: [1e-4, 1e-1]}\nc: {uniform: [0, 0.5]}\n"
        "d: {int: [8, 31], step: 8}\ne: {choice: [relu, [3, 3], 1e-3]}\n"
    )
    log, uniform, integers, choice = read_ranges(path)
    assert (log.kind, log.low, log.high) == ("log_uniform", 1e-4, 1e-1)
    assert (uniform.kind, uniform.low, uniform.high) == ("uniform", 0, 0.5)
    assert tuple(integers.points) == (8, 16, 24)
    assert integers.samples == (8, 24)
    assert choice.values == ("relu", "[3, 3]", "0.001")
    assert size((log, choice)) == math.inf
    assert size((integers, choice)) == 9


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("a: {log_unifrom: [1, 2]}", (1, 5), "unknown kind of range `log_unifrom`", "log_uniform"),
        ("a: {loguniform: [1, 2]}", (1, 5), "unknown kind", "did you mean `log_uniform`?"),
        ("a: {categorical: [1, 2]}", (1, 5), "unknown kind", "did you mean `choice`?"),
        ("a:\n  b: {int: [1, 2]}", (2, 3), "unknown kind", "write the path in one line: `a.b: …`"),
        ("a: [1, 2]", (1, 4), "takes a range, not a list", "write `{choice: [1, 2]}`"),
        ("a: 3", (1, 4), "takes a range, not 3", "such as"),
        ("a: {step: 2}", (1, 4), "takes one of choice, int, uniform, log_uniform", "add one"),
        ("a: {int: [1, 2], choice: [3]}", (1, 18), "takes one of", "keep one"),
        ("a: {uniform: [0, 1], step: 2}", (1, 22), "`step` belongs to `int`", "remove it"),
        ("a: {int: [1, 2], step: 0}", (1, 24), "`step` takes an integer of at least 1", None),
        ("a: {int: [1, 2.5]}", (1, 14), "`int` takes two integers", None),
        ("a: {int: [true, 2]}", (1, 11), "`int` takes two integers", None),
        ("a: {uniform: [1, .inf]}", (1, 18), "`uniform` takes two numbers", None),
        ("a: {log_uniform: [0, 1]}", (1, 19), "two numbers above 0, not 0", None),
        ("a: {uniform: [2, 1]}", (1, 14), "ends at 1, and starts at 2", "the lower end first"),
        ("a: {uniform: [1, 2, 3]}", (1, 14), "not 3 values", "`choice: [1, 2, 3]`"),
        ("a: {uniform: 3}", (1, 14), "`uniform` takes two numbers, not 3", "such as"),
        ("a: {choice: []}", (1, 13), "`choice` takes a list of values", "such as"),
        ("a: {choice: [1, 2, 1]}", (1, 20), "1 is given twice", "remove one"),
        ("a: {int: [1, 2]}\na: {int: [1, 3]}", (2, 1), "`a` is given twice", None),
        ("- a", (1, 1), "a file of ranges maps paths to ranges", "such as"),
        ("", (1, 1), "a file of ranges maps paths to ranges", "such as"),
    ],
)
def test_faults_of_a_file(text, place, message, hint, tmp_path):
    path = tmp_path / "ranges.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as raised:
        read_ranges(path)
    (fault,) = raised.value.diagnostics
    assert message in fault.message
    assert (fault.location.file, fault.location.line, fault.location.column) == (str(path), *place)
    assert hint is None or hint in fault.hint


def test_all_faults_of_a_file_at_once(tmp_path):
    path = tmp_path / "ranges.yaml"
    path.write_text("a: 3\nb: {int: [1, 2]}\nc: {choise: [1]}\n")
    with pytest.raises(SpecError) as raised:
        read_ranges(path)
    assert [each.location.line for each in raised.value.diagnostics] == [1, 3]


def test_every_value_is_checked_in_the_spec(xo_spec, tmp_path):
    """All wrong values are told at once, each where it is written; a range at its ends."""
    ranges = tmp_path / "ranges.yaml"
    ranges.write_text(
        "model.layers.Dropout.rate: {uniform: [0, 1.5]}\nfit.epochs: {int: [0, 3]}\n"
        "fit.batchsize: {choice: [1, 2]}\n"
    )
    over = parse_over(["compile.optimizer.Adam.learning_rate=1e-2,-1", "fit.shuffle=3"])
    with pytest.raises(SpecError) as raised:
        check(xo_spec, (), join([*over, *read_ranges(ranges)]))
    places = [
        (each.location.file, each.location.line, each.location.column)
        for each in raised.value.diagnostics
    ]
    assert places == [
        ("--over compile.optimizer.Adam.learning_rate=1e-2,-1", 1, 50),
        ("--over fit.shuffle=3", 1, 20),
        (str(ranges), 1, 42),
        (str(ranges), 2, 20),
        (str(ranges), 3, 5),
    ]


def test_a_value_may_need_another_ones_company(xo_spec):
    """A kernel of 9 leaves 1x1, which no pooling of 2 fits: only one of 1 does."""
    xo_spec.write_text(XO.replace("MaxPooling2D\n", "MaxPooling2D: {pool_size: 2}\n"))
    kernel, pool = "model.layers.Conv2D.kernel_size", "model.layers.MaxPooling2D.pool_size"
    with pytest.raises(SpecError) as raised:
        check(xo_spec, (), join(parse_over([f"{kernel}=3,9", f"{pool}=2,3"])))
    (fault,) = raised.value.diagnostics
    assert "does not fit its input" in fault.message
    assert fault.notes[-1] == f"with {kernel}=9"
    assert check(xo_spec, (), join(parse_over([f"{kernel}=3,9", f"{pool}=2,1"]))).name == "tiny"


SCORES = XO.replace(
    "[accuracy]",
    "[SparseCategoricalAccuracy: {name: score}, SparseTopKCategoricalAccuracy: {name: top_loss}, "
    "SparseCategoricalCrossentropy: {name: accuracy_of}]",
)
COUNTS = (
    XO.replace("[accuracy]", "[FalsePositives]")
    .replace("normalize: signed", "label_mode: categorical")
    .replace("sparse_cat", "cat")
)
CHECKPOINT = "  callbacks: [ModelCheckpoint: {monitor: val_accuracy, mode: min}]\n"


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        (XO, None, ("val_loss", False)),
        (XO, "val_accuracy", ("val_accuracy", True)),
        (XO, "loss", ("loss", False)),
        (XO.replace("validation: 20", "validation: 0"), None, ("loss", False)),
        (XO + CHECKPOINT, None, ("val_accuracy", False)),
        (XO + CHECKPOINT, "accuracy", ("accuracy", True)),
        (SCORES, "val_score", ("val_score", True)),
        (SCORES, "val_top_loss", ("val_top_loss", True)),
        (SCORES, "val_accuracy_of", ("val_accuracy_of", False)),
    ],
)
def test_what_decides(text, given, expected, xo_spec):
    xo_spec.write_text(text)
    assert monitor_of(check(xo_spec, (), ()), given) == expected


@pytest.mark.parametrize(
    ("text", "given", "message", "hint"),
    [
        (XO, "val_acuracy", "no training reports", "did you mean val_accuracy?"),
        (
            COUNTS,
            "val_false_positives",
            "better higher or lower",
            "mode: max",
        ),
        (XO, "test_loss", "chosen by the test set", "data.validation"),
        (XO.replace("validation: 20", "validation: 0"), "val_loss", "reports", "monitor `loss`"),
    ],
)
def test_what_cannot_decide(text, given, message, hint, xo_spec):
    xo_spec.write_text(text)
    with pytest.raises(UsageError, match=message) as raised:
        monitor_of(check(xo_spec, (), ()), given)
    assert hint in raised.value.hint


def test_a_combination_as_assignments():
    space = (Parameter("a", values=("[3, 3]",)), Parameter("b", "uniform", low=0, high=1))
    assert spaces.assignments(space, {"a": "[3, 3]", "b": 0.1}) == ["a=[3, 3]", "b=0.1"]
