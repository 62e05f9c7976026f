"""Embeddings: a vector for each whole number."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Outcome, same
from cnnctl.arithmetic.dense import low_rank
from cnnctl.arithmetic.facts import Weight
from cnnctl.arithmetic.formula_table import formula


@formula("Embedding", "ReversibleEmbedding")
def embedding(call: Call) -> Outcome:
    """`input_dim·output_dim` parameters; a look-up, no multiply-adds."""
    size, width = call["input_dim"], call["output_dim"]
    weights = low_rank(call, Weight("embeddings", (size, width)))
    if call.name == "ReversibleEmbedding" and not call["tie_weights"]:
        weights = (*weights, Weight("reverse_embeddings", (width, size)))
    return Outcome((*call.shape, width), weights, links=((*same(call.shape), None),))
