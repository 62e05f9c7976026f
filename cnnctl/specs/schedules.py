"""Learning rates by epoch: an arithmetic expression, or a schedule with a name, a plug-in's too.

All are functions of the epoch (from 0, as in Keras's LearningRateScheduler), the rate so far and
the number of epochs. Nothing here imports Keras: `check` computes them too.
"""

from __future__ import annotations

import ast
import contextlib
import math
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import Any

from simpleeval import DEFAULT_OPERATORS, SimpleEval

from cnnctl.catalog import load
from cnnctl.errors import CnnctlError
from cnnctl.specs.components import Component
from cnnctl.specs.nodes import shortened

Rate = Callable[[int, float], float]
"""(epoch from 0, rate so far) → rate."""

FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "max": max,
    "min": min,
    "sin": math.sin,
    "sqrt": math.sqrt,
}
MAX_LENGTH = 500

_OPERATORS = {
    **DEFAULT_OPERATORS,
    # Powers of whole numbers can take minutes and gigabytes; those of floats end in an error.
    ast.Pow: lambda base, exponent: float(base) ** float(exponent),
}

_ARITHMETIC = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Name),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.Load),
)
_OPERATIONS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


class ExpressionError(CnnctlError):
    """An expression that cannot be computed, or whose value is no learning rate."""

    exit_code = 2


@dataclass(frozen=True)
class Expression:
    """An arithmetic expression in `epoch`, `lr`, `epochs` and `pi`, such as `0.001 * 0.6 ** epoch`.

    Numbers, arithmetic, comparisons, `a if b else c` and the functions of `FUNCTIONS`, evaluated by
    simpleeval, which has no way to reach anything else.
    """

    text: str
    epochs: int

    def __call__(self, epoch: int, rate: float) -> float:
        """The rate of an epoch.

        Raises:
            ExpressionError: It cannot be computed, or is not a finite number of at least 0.
        """
        if len(self.text) > MAX_LENGTH:
            raise ExpressionError(f"an expression of more than {MAX_LENGTH} characters")
        names = {"epoch": epoch, "lr": rate, "epochs": self.epochs, "pi": math.pi}
        try:
            parsed = _parsed(self.text)
            value = SimpleEval(_OPERATORS, FUNCTIONS, names).eval(self.text, parsed)
        except ExpressionError:
            raise
        except Exception as error:  # simpleeval passes on whatever the arithmetic raises
            reason = re.split(r",? for expression| \(<unknown>", str(error))[0]
            reason = reason[:200] or type(error).__name__
            raise ExpressionError(f"{reason}, in epoch {epoch}") from None
        return _rate_of(value, epoch)


@dataclass(frozen=True)
class Registered:
    """A plug-in's function `(epoch, lr, …)`, with the arguments that a spec gives it.

    Args:
        name: Its name.
        function: The function; its errors carry a note of the line that they arose in.
        arguments: Those of the spec; `epochs` among them, if the function takes it.
    """

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any]

    def __call__(self, epoch: int, rate: float) -> float:
        """The rate of an epoch.

        Raises:
            ExpressionError: It fails, or does not return a finite number of at least 0.
        """
        try:
            with contextlib.redirect_stdout(sys.stderr):  # results alone go to standard output
                value = self.function(epoch, rate, **self.arguments)
        except Exception as error:
            where = ", ".join((f"in epoch {epoch}", *getattr(error, "__notes__", ())))
            raise ExpressionError(
                f"{self.name} fails with {type(error).__name__}: {error}, {where}"
            ) from error
        return _rate_of(value, epoch)


def _rate_of(value: Any, epoch: int) -> float:
    """A value that was computed as the rate of an epoch, if it can be one."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ExpressionError(f"it gives {value!r:.50}, which is no number, in epoch {epoch}")
    rate = float(value)
    if not (math.isfinite(rate) and rate >= 0):
        raise ExpressionError(f"it gives {rate:.4g}, which is no learning rate, in epoch {epoch}")
    return rate


@lru_cache(maxsize=64)
def _parsed(text: str) -> ast.expr:
    """The syntax tree of an expression, made once for all epochs.

    Raises:
        ExpressionError: A part of it is no arithmetic.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python's about literals: they are refused below
        tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if not _is_arithmetic(node):
            part = shortened(ast.get_source_segment(text, node) or text)
            raise ExpressionError(f"`{part}` is no arithmetic")
    return tree.body


def _is_arithmetic(node: ast.AST) -> bool:
    """Whether a part is one of numbers: those of strings could take any memory."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, _OPERATIONS)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and not node.keywords
    return isinstance(node, _ARITHMETIC)


def make(schedule: str | Component, epochs: int) -> Rate:
    """The function that a spec's `schedule` describes.

    Args:
        schedule: An expression, or a named schedule of the catalog.
        epochs: The length of the training.
    """
    if isinstance(schedule, str):
        return Expression(schedule, epochs)
    arguments = dict(schedule.arguments)
    if isinstance(after := arguments.get("after"), Component):
        arguments["after"] = make(after, max(1, epochs - arguments["warm_up_epochs"]))
    if schedule.name in _SCHEDULES:
        return _SCHEDULES[schedule.name](epochs=epochs, **arguments)
    entry = load().find("rate_schedule", schedule.name)
    assert entry is not None
    if "epochs" in entry.managed:
        arguments["epochs"] = epochs
    return Registered(schedule.name, entry.registered, arguments)


def _exponential(
    *,
    epochs: int,
    initial_learning_rate: float,
    decay_rate: float,
    decay_epochs: float = 1,
    staircase: bool = False,
) -> Rate:
    def rate(epoch: int, _: float) -> float:
        power = epoch / decay_epochs
        return float(
            initial_learning_rate * decay_rate ** (math.floor(power) if staircase else power)
        )

    return rate


def _step(*, epochs: int, initial_learning_rate: float, every: int, drop: float = 0.5) -> Rate:
    return lambda epoch, _: float(initial_learning_rate * drop ** (epoch // every))


def _cosine(
    *,
    epochs: int,
    initial_learning_rate: float,
    final_learning_rate: float = 0.0,
    decay_epochs: int | None = None,
) -> Rate:
    """Half a cosine (Loshchilov and Hutter 2017, equation 5, without restarts)."""
    length = decay_epochs or epochs

    def rate(epoch: int, _: float) -> float:
        part = min(epoch / length, 1.0)
        height = initial_learning_rate - final_learning_rate
        return final_learning_rate + height * (1 + math.cos(math.pi * part)) / 2

    return rate


def _warm_up(
    *,
    epochs: int,
    initial_learning_rate: float,
    warm_up_epochs: int,
    start: float = 0.0,
    after: Rate | None = None,
) -> Rate:
    """A straight line to the target over the first epochs, then constant or another schedule."""

    def rate(epoch: int, lr: float) -> float:
        if epoch < warm_up_epochs:
            return start + (initial_learning_rate - start) * (epoch + 1) / warm_up_epochs
        return after(epoch - warm_up_epochs, lr) if after else initial_learning_rate

    return rate


def _one_cycle(
    *,
    epochs: int,
    max_learning_rate: float,
    peak: float = 0.3,
    initial_divisor: float = 25.0,
    final_divisor: float = 1e4,
) -> Rate:
    """Up and down on cosines (Smith and Topin 2018; divisors as in PyTorch's OneCycleLR)."""
    low = max_learning_rate / initial_divisor
    last = low / final_divisor
    top = peak * (epochs - 1)

    def rate(epoch: int, _: float) -> float:
        if epoch <= top:
            begin, end, part = low, max_learning_rate, epoch / top if top else 1.0
        else:
            begin, end = max_learning_rate, last
            part = (epoch - top) / (epochs - 1 - top)
        return end + (begin - end) * (1 + math.cos(math.pi * part)) / 2

    return rate


_SCHEDULES: dict[str, Callable[..., Rate]] = {
    "exponential": _exponential,
    "step": _step,
    "cosine": _cosine,
    "warm_up": _warm_up,
    "one_cycle": _one_cycle,
}
