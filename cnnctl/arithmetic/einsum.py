"""EinsumDense: an einsum of the input with a kernel."""

from __future__ import annotations

import re
from itertools import product
from typing import NamedTuple

from cnnctl.arithmetic.calls import Call, Link, Outcome, Refusal
from cnnctl.arithmetic.dense import low_rank
from cnnctl.arithmetic.facts import NoFormula, Open, Shape, Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import refuse_open, shown

_FORMS = (
    r"(?P<input>[a-zA-Z]+),(?P<kernel>[a-zA-Z]+)->(?P<output>[a-zA-Z]+)$",
    r"\.{3}(?P<input>[a-zA-Z]+),(?P<kernel>[a-zA-Z]+)->\.{3}(?P<output>[a-zA-Z]+)$",
    r"(?P<input>[a-zA-Z]{2,})\.{3},(?P<kernel>[a-zA-Z]+)->(?P<output>[a-zA-Z]+)\.{3}$",
)


class _Equation(NamedTuple):
    """The letters of each part, and how many axes the dots stand for; the batch has size 0."""

    text: str
    input: str
    kernel: str
    output: str
    elided: int
    left: bool
    sizes: dict[str, int]
    dotted: Shape


@formula("EinsumDense")
def einsum_dense(call: Call) -> Outcome:
    """The kernel has an axis for each letter of its part of the equation.

    The sizes come from the input where that has the letter, otherwise from `output_shape`, as in
    `keras.src.layers.core.einsum_dense._analyze_einsum_string`.
    """
    equation = _read(call)
    sizes = equation.sizes
    letters = [sizes[letter] for letter in equation.output]
    out = (*equation.dotted, *letters) if equation.left else (*letters, *equation.dotted)
    kernel = Weight("kernel", tuple(sizes[letter] for letter in equation.kernel))
    factors = [sizes[each] for each in dict.fromkeys(equation.input + equation.kernel)]
    places = {letter: place for place, letter in enumerate(equation.input)}
    shift = equation.elided if equation.left else 0
    links = [
        Link(places[letter] + shift - 1) if letter in places else None for letter in equation.output
    ]
    if equation.left:
        links = [*(Link(axis - 1) for axis in range(equation.elided)), *links]
    else:
        first = len(equation.input)
        links += [Link(axis - 1) for axis in range(first, first + equation.elided)]
    return Outcome(
        tuple(size for size in out if size),
        (*low_rank(call, kernel), *_bias(call, equation)),
        (tuple(size for size in (*equation.dotted, *factors) if size),),
        links=(tuple(links[1:]),),
    )


def _read(call: Call) -> _Equation:
    text = str(call["equation"])
    found = [(index, re.match(form, text)) for index, form in enumerate(_FORMS)]
    index, match = next(((i, m) for i, m in found if m), (0, None))
    if match is None:
        raise _wrong(f"`equation` of EinsumDense cannot be read: {text}", "as in `abc,cd->abd`")
    left = index == 1
    for part in ("input", "output"):
        if len(set(match[part])) < len(match[part]):
            raise _wrong(f"the {part} of {text} names an axis twice", "use another letter for each")
    if not left and match["input"][0] != match["output"][0]:
        raise _wrong(
            f"the output of {text} does not start with the batch, `{match['input'][0]}`",
            "let input and output start with the same letter",
        )
    entire = (0, *call.shape)
    elided = len(entire) - len(match["input"])
    if elided < 0 or (elided and index == 0):
        raise Refusal(
            f"EinsumDense takes an input of {len(match['input']) - 1} axes by its equation {text} "
            f"and gets {shown(call.shape)}",
            "write one letter for each axis, the batch included",
        )
    if left and elided > 2:
        raise NoFormula("EinsumDense with dots for more than two axes")
    dotted = entire[:elided] if left else entire[len(entire) - elided :]
    inside = entire[elided:] if left else entire[: len(entire) - elided]
    sizes = dict(zip(match["input"], inside, strict=True))
    asked = call["output_shape"]
    given = [asked] if isinstance(asked, int) else list(asked)
    wanted = given if left and elided else [None, *given]
    if len(wanted) != len(match["output"]):
        raise _wrong(
            f"`output_shape` of EinsumDense has {len(given)} entries and {text} needs "
            f"{len(match['output']) - (len(wanted) - len(given))}",
            None,
            "output_shape",
        )
    for letter, size in zip(match["output"], wanted, strict=True):
        if size is not None and letter in sizes:
            refuse_open(f"axis `{letter}` of {text}", [sizes[letter]])
        if size is not None and sizes.setdefault(letter, size) != size:
            raise Refusal(
                f"axis `{letter}` of {text} is {sizes[letter]} in the input of EinsumDense and "
                f"{size} in its `output_shape`"
            )
        if letter not in sizes:
            raise _wrong(f"axis `{letter}` of {text} has no size", "give it in `output_shape`")
    weights = {"kernel": match["kernel"], "bias": call["bias_axes"] or ""}
    for (letter, size), (weight, letters) in product(
        zip(match["output"], wanted, strict=True), weights.items()
    ):
        if letter in letters and size is None and sizes[letter]:
            raise _wrong(
                f"axis `{letter}` of {text} is the {weight}'s too, so that `output_shape` has to "
                "say its size",
                "put the number for the null",
                "output_shape",
            )
    full = [int(sizes[letter]) for letter in match["output"][len(wanted) - len(given) :]]
    fix = f"write `output_shape: {full}` in the EinsumDense of `{text}`"
    for letter, size in zip(match["output"], wanted, strict=True):
        if size is None and sizes[letter] and not isinstance(sizes[letter], Open):
            sizes[letter] = Open(sizes[letter], fix)
    for letter in match["kernel"]:
        if not sizes.get(letter):
            raise _wrong(f"axis `{letter}` of the kernel of {text} has no size", None)
    return _Equation(
        text, match["input"], match["kernel"], match["output"], elided, left, sizes, dotted
    )


def _bias(call: Call, equation: _Equation) -> tuple[Weight, ...]:
    """Sizes for the axes of `bias_axes`, 1 for those behind the first of them."""
    axes = call["bias_axes"]
    if axes is None:
        return ()
    if not axes or not set(axes) <= set(equation.output):
        raise _wrong(
            f"`bias_axes` of EinsumDense takes letters of `{equation.output}`, not `{axes}`",
            None,
            "bias_axes",
        )
    first = min(equation.output.index(letter) for letter in axes)
    shape = [equation.sizes[each] if each in axes else 1 for each in equation.output[first:]]
    if not equation.left:
        shape += [1] * equation.elided
    if 0 in shape:
        raise _wrong("`bias_axes` of EinsumDense cannot name the batch", None, "bias_axes")
    return (Weight("bias", tuple(shape)),)


def _wrong(message: str, hint: str | None, argument: str = "equation") -> Refusal:
    return Refusal(message, hint, rule="wrong-value", argument=argument)
