"""Learning rates against the formulas of their sources, worked out by hand."""

import math
import re

import pytest

from cnnctl.catalog import load
from cnnctl.specs import Component
from cnnctl.specs.rate_expressions import Expression, ExpressionError
from cnnctl.specs.schedules import make


def rates(name, arguments, epochs):
    rate_of = make(Component("rate_schedule", name, arguments, None), epochs)
    return [rate_of(epoch, 0.5) for epoch in range(epochs)]


def test_the_lectures_expression():
    rate_of = Expression("0.001 * 0.6 ** epoch", 10)
    assert [rate_of(epoch, 1.0) for epoch in range(3)] == pytest.approx([1e-3, 6e-4, 3.6e-4])


@pytest.mark.parametrize(
    ("text", "epoch", "lr", "value"),
    [
        ("lr", 3, 0.25, 0.25),
        ("lr / 2 if epoch > 2 else lr", 3, 0.25, 0.125),
        ("epoch / epochs", 5, 0.1, 0.5),
        ("max(0.1, cos(pi))", 0, 0.1, 0.1),
        ("sqrt(4) + exp(0) + floor(1.5)", 0, 0.1, 4.0),
    ],
)
def test_expressions(text, epoch, lr, value):
    assert Expression(text, 10)(epoch, lr) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    ["", "epoc", "lr +", "1 / epoch", "-1", "'a'", "True", "[1]", "epoch = 3", "1e400",
     "9 ** 9 ** 9", "__import__('os')", "().__class__", "(lambda: 1)()", "open('x')",
     "lr.__class__", "'a' * 10 ** 9", "exp(10 ** 6)", "x" * 1000],
)  # fmt: skip
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ExpressionError):
        Expression(text, 10)(0, 0.1)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0.1 * 'a'.ljust(700000000).count('a')", "'a'.ljust(700000000).count('a')"),
        ("max(f'{epoch:9999999999}', 1)", "f'{epoch:9999999999}'"),
        ("0.1 * 0.9 ^ epoch", "0.1 * 0.9 ^ epoch"),
        ("max(*epoch)", "*epoch"),
        ("max(lr, key=abs)", "max(lr, key=abs)"),
        ("1j * epoch", "1j"),
        ("1 if epoch else 'a'", "'a'"),
    ],
)
def test_what_is_no_arithmetic_is_named_and_never_computed(text, part):
    with pytest.raises(ExpressionError) as caught:
        Expression(text, 10)(0, 0.1)
    assert str(caught.value) == f"`{part}` is no arithmetic"


def test_a_long_part_that_is_no_arithmetic_is_cut():
    with pytest.raises(ExpressionError) as caught:
        Expression(f"'{'a' * 400}'", 10)(0, 0.1)
    assert len(str(caught.value)) < 100


def test_odd_literals_are_no_warnings(recwarn):
    with pytest.raises(ExpressionError):
        Expression("1 is 1", 10)(0, 0.1)
    assert not list(recwarn)


def test_exponential():
    smooth = rates("exponential", {"initial_learning_rate": 1.0, "decay_rate": 0.25,
                                   "decay_epochs": 2}, 4)  # fmt: skip
    assert smooth == pytest.approx([1, 0.5, 0.25, 0.125])
    stairs = rates("exponential", {"initial_learning_rate": 1.0, "decay_rate": 0.25,
                                   "decay_epochs": 2, "staircase": True}, 4)  # fmt: skip
    assert stairs == pytest.approx([1, 1, 0.25, 0.25])


def test_step():
    assert rates("step", {"initial_learning_rate": 1.0, "drop": 0.1, "every": 2}, 5) == (
        pytest.approx([1, 1, 0.1, 0.1, 0.01])
    )


def test_cosine():
    """Half a period: 1 at the start, the middle at half way, and never below the end."""
    found = rates("cosine", {"initial_learning_rate": 1.0, "final_learning_rate": 0.2,
                             "decay_epochs": 4}, 6)  # fmt: skip
    quarter = 0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2
    assert found == pytest.approx([1, quarter, 0.6, 1.2 - quarter, 0.2, 0.2])


def test_warm_up_then_another():
    after = Component("rate_schedule", "step", {"initial_learning_rate": 1.0, "every": 1}, None)
    found = rates("warm_up", {"initial_learning_rate": 1.0, "warm_up_epochs": 4,
                              "after": after}, 7)  # fmt: skip
    assert found == pytest.approx([0.25, 0.5, 0.75, 1, 1, 0.5, 0.25])


def test_one_cycle():
    found = rates("one_cycle", {"max_learning_rate": 1.0, "peak": 0.5}, 11)
    assert found[0] == pytest.approx(1 / 25)
    assert found[5] == pytest.approx(1)
    assert found[-1] == pytest.approx(1 / 25 / 1e4)
    assert found[:6] == sorted(found[:6])
    assert found[5:] == sorted(found[5:], reverse=True)


def test_the_warm_up_is_as_its_summary_says():
    """The formula of the catalog, computed as an expression."""
    numbers = {"initial_learning_rate": 0.8, "warm_up_epochs": 4, "start": 0.2}
    formula = load().find("rate_schedule", "warm_up").summary.removesuffix(", then `after`")
    for name, number in numbers.items():
        formula = re.sub(rf"\b{name}\b", str(number), formula)
    rate_of = Expression(formula, 4)
    assert rates("warm_up", numbers, 4) == pytest.approx([rate_of(each, 0.5) for each in range(4)])
