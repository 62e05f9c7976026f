"""Learning rates as arithmetic expressions in the epoch.

They are evaluated by simpleeval, and nothing but arithmetic is: a spec may come from anywhere.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import Any

from simpleeval import DEFAULT_OPERATORS, SimpleEval

from cnnctl.errors import CnnctlError
from cnnctl.specs.nodes import shortened

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
        return rate_of(value, epoch)


def rate_of(value: Any, epoch: int) -> float:
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
