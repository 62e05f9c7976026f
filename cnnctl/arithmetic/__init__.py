"""The arithmetic of a network, without Keras: shapes, parameters, multiply-adds, memory, fields.

    facts = trace(spec.graph, (28, 28, 1))
    facts.total, facts.layers[0].formulas

Each family of layers has a file with its rules; `formula_table` is the table of them.
"""

from cnnctl.arithmetic import (  # noqa: F401 - a family registers its rules when imported
    attention,
    augmentation,
    convolution,
    dense,
    einsum,
    identity,
    merging,
    normalization,
    own_layers,
    pooling,
    recurrent,
    reshaping,
    spectrograms,
    transposed,
    wrappers,
)
from cnnctl.arithmetic.calls import Call, Link, Outcome, Refusal, same
from cnnctl.arithmetic.facts import (
    Field,
    Formula,
    LayerFacts,
    NoFormula,
    Shape,
    Trace,
    Weight,
)
from cnnctl.arithmetic.formula_table import formula, known
from cnnctl.arithmetic.trace import trace

__all__ = [
    "Call",
    "Field",
    "Formula",
    "LayerFacts",
    "Link",
    "NoFormula",
    "Outcome",
    "Refusal",
    "Shape",
    "Trace",
    "Weight",
    "formula",
    "known",
    "same",
    "trace",
]
