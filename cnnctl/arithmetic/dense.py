"""Dense, a matrix product with weights, and Embedding, a row of such weights for each number."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Link, Outcome, Refusal, same
from cnnctl.arithmetic.convolution import bias
from cnnctl.arithmetic.facts import Formula, Weight
from cnnctl.arithmetic.formula_table import formula


def low_rank(call: Call, kernel: Weight) -> tuple[Weight, ...]:
    """The kernel, or with `lora_rank` the frozen kernel and the two factors that are trained."""
    rank = call["lora_rank"]
    if not rank:
        return (kernel,)
    return (
        Weight(kernel.name, kernel.shape, trainable=False),
        Weight(f"lora_{kernel.name}_a", (*kernel.shape[:-1], rank)),
        Weight(f"lora_{kernel.name}_b", (rank, kernel.shape[-1])),
    )


@formula("Dense")
def dense(call: Call) -> Outcome:
    """Applied along the last axis: `in·units + units` parameters, whatever stands before it."""
    if not call.shape:
        raise Refusal(f"{call.name} takes at least one axis and gets a single number")
    *before, features = call.shape
    units = call["units"]
    kernel = Weight("kernel", (features, units))
    return Outcome(
        (*before, units),
        (*low_rank(call, kernel), *bias(call, units)),
        ((*before, features, units),),
        (Formula("units", f"units = {units}"),),
        ((*(Link(axis) for axis in range(len(before))), None),),
    )


@formula("Embedding", "ReversibleEmbedding")
def embedding(call: Call) -> Outcome:
    """`input_dim·output_dim` parameters; a look-up, no multiply-adds."""
    size, width = call["input_dim"], call["output_dim"]
    weights = low_rank(call, Weight("embeddings", (size, width)))
    if call.name == "ReversibleEmbedding" and not call["tie_weights"]:
        weights = (*weights, Weight("reverse_embeddings", (width, size)))
    return Outcome((*call.shape, width), weights, links=((*same(call.shape), None),))
