"""Recurrent layers: SimpleRNN, GRU, LSTM, RNN around their cells, ConvLSTM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnctl.arithmetic.calls import Call, Outcome, Refusal, replaced
from cnnctl.arithmetic.evaluate import evaluate
from cnnctl.arithmetic.facts import Formula, NoFormula, Shape, Weight
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import join, refuse_open, sequence_hint, shown, split
from cnnctl.arithmetic.windows import kernel_window, slide

if TYPE_CHECKING:
    from cnnctl.specs.components import Component

_GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}


def refuse_states(call: Call) -> None:
    """Refuse what a network with one output and any batch size cannot have.

    Raises:
        Refusal: The layer keeps its state between batches.
        NoFormula: It returns its state too.
    """
    if call["stateful"]:
        raise Refusal(
            f"`stateful` of {call.name} needs a fixed batch size, which a spec does not give",
            "remove it",
            rule="wrong-value",
            argument="stateful",
        )
    if call["return_state"]:
        raise NoFormula(f"{call.name} with `return_state`")


@formula("SimpleRNN", "GRU", "LSTM")
def recurrent(call: Call) -> Outcome:
    """Its cell at each place of the sequence, in turn."""
    length, features = _sequence(call)
    return _unrolled(call, length, cell(replaced(call, (features,))))


@formula("SimpleRNNCell", "GRUCell", "LSTMCell")
def cell(call: Call) -> Outcome:
    """Per gate: `in·units` from the input, `units·units` from the state, and a bias.

    The GRU has two biases unless `reset_after` is false (keras.layers.GRU, after cuDNN).
    """
    kind = call.name.removesuffix("Cell")
    units = call["units"]
    width = _GATES[kind] * units
    kernel, back = (call.shape[-1], width), (units, width)
    bias = (2, width) if kind == "GRU" and call["reset_after"] else (width,)
    weights: tuple[Weight, ...] = (Weight("kernel", kernel), Weight("recurrent_kernel", back))
    if call["use_bias"]:
        weights = (*weights, Weight("bias", bias))
    return Outcome((units,), weights, (kernel, back), (Formula("units", f"units = {units}"),))


@formula("StackedRNNCells")
def stacked(call: Call) -> Outcome:
    """Each cell gets the output of the one before."""
    return _stack(call["cells"], call.shape)


@formula("RNN")
def rnn(call: Call) -> Outcome:
    """Any cell, or a list of them, at each place of the sequence."""
    length, features = _sequence(call)
    cells = call["cell"] if isinstance(call["cell"], list) else [call["cell"]]
    return _unrolled(call, length, _stack(cells, (features,)))


def _stack(cells: Sequence[Component], shape: Shape) -> Outcome:
    weights: list[Weight] = []
    macs: list[Sequence[int]] = []
    formulas: tuple[Formula, ...] = ()
    for each in cells:
        outcome = evaluate(each, (shape,))
        shape, formulas = outcome.shape, outcome.formulas
        weights += outcome.weights
        macs += outcome.macs or ()
    return Outcome(shape, tuple(weights), tuple(macs), formulas)


def _sequence(call: Call) -> tuple[int, int]:
    """The length of the input and its features."""
    refuse_states(call)
    if len(call.shape) != 2:
        raise Refusal(
            f"{call.name} takes a sequence (length, features) and gets {shown(call.shape)}",
            sequence_hint(call.shape),
        )
    return call.shape[0], call.shape[1]


def _unrolled(call: Call, length: int, step: Outcome) -> Outcome:
    """One step `length` times; all outputs, or the last one."""
    shape = (length, *step.shape) if call["return_sequences"] else step.shape
    macs = tuple((length, *term) for term in step.macs or ())
    return Outcome(shape, step.weights, macs, step.formulas)


@formula("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def convolutional(call: Call) -> Outcome:
    """An LSTM whose four gates are convolutions of the image and of the state."""
    refuse_states(call)
    need = call.rank + 2
    if len(call.shape) != need:
        raise Refusal(
            f"{call.name} takes a sequence of {need - 1} axes each and gets {shown(call.shape)}",
            "put a Reshape before it",
        )
    length, *image = call.shape
    step = replaced(call, tuple(image))
    refuse_open(call.name, split(step)[0])
    kernels = kernel_window(step)
    slid = slide(step, kernels)
    filters = call["filters"]
    kernel = (*kernels.size, slid.channels, 4 * filters)
    back = (*kernels.size, filters, 4 * filters)
    weights: tuple[Weight, ...] = (Weight("kernel", kernel), Weight("recurrent_kernel", back))
    if call["use_bias"]:
        weights = (*weights, Weight("bias", (4 * filters,)))
    out: Shape = join(call, slid.spatial, filters)
    return Outcome(
        (length, *out) if call["return_sequences"] else out,
        weights,
        ((length, *slid.spatial, *kernel), (length, *slid.spatial, *back)),
        slid.formulas,
    )
