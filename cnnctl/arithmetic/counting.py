"""Figures as sums of products, so that a figure and its formula cannot disagree.

Multiply-adds are those of convolutions and matrix products, with weights or between tensors. Work
that is done once per value (bias, activation, normalization, pooling, merging) is left out, as in
the tables of the literature: He et al. 2015, "Deep Residual Learning for Image Recognition",
table 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from cnnctl.arithmetic.facts import Formula, Weight


def total(terms: Iterable[Sequence[int]]) -> int:
    """The sum of the products: `[(5, 5, 32, 64), (64,)]` is 51,264."""
    return sum(math.prod(term) for term in terms)


def spell(terms: Iterable[Sequence[int]]) -> str:
    """The sum as text: `5·5·32·64 + 64 = 51,264`; equal terms together: `2·32 = 64`."""
    counts = Counter(tuple(term) or (1,) for term in terms)
    parts = [
        "·".join(map(str, term if count == 1 else (count, *term))) for term, count in counts.items()
    ]
    value = f"{sum(math.prod(term) * count for term, count in counts.items()):,}"
    left = " + ".join(parts)
    return value if left == value else f"{left} = {value}"


def weight_formulas(weights: Iterable[Weight]) -> tuple[Formula, ...]:
    """The formulas of a layer's parameters, trainable ones first."""
    trainable = [weight.shape for weight in weights if weight.trainable]
    frozen = [weight.shape for weight in weights if not weight.trainable]
    formulas = []
    if trainable:
        formulas.append(Formula("parameters", spell(trainable)))
    if frozen:
        formulas.append(Formula("non_trainable", spell(frozen)))
    return tuple(formulas)
