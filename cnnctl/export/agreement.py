"""Compare an export with its network: outputs, classes, accuracy and speed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import RunError
from cnnctl.export.disagreement import disagreement
from cnnctl.export.runtimes import read_export
from cnnctl.export.writers import inputs, silent
from cnnctl.inference.predictions import per_class

if TYPE_CHECKING:
    import numpy as np

    from cnnctl.data.preparation import Prepared
    from cnnctl.export.runtimes import Compute
    from cnnctl.specs import Spec

TOLERANCE = {None: 1e-4, "float16": 2e-2}
"""Largest difference of an output. Weights rounded to float16 have an error of 2**-11 each."""
AGREEMENT = 0.95
"""The part of the images for which a network in int8 has to find the same class, or, where there
are no classes, nearly the same outputs."""
STEPS = 2
"""Nearly the same: by how many steps of 8 bits, 1/255 of the outputs' spread, an output may differ
for each layer with weights. One is for the layer's weights, one for what it puts out."""
_TIMED = 50


class Disagreement(Exception):
    """An export does not agree with its network.

    Args:
        format: Its format.
        why: How it disagrees.
    """

    def __init__(self, format: str, why: str) -> None:
        super().__init__(f"the {format} export does not agree: {why}")
        self.format = format
        self.why = why


def compare(
    model: Any,
    path: Path,
    data: Prepared,
    spec: Spec,
    name: str,
    quantize: str | None,
    pixels: bool,
    images: int,
) -> dict[str, Any]:
    """How far an export agrees with its network.

    Raises:
        Disagreement: Not far enough.
        RunError: Not far enough in int8, or the network's own outputs are not finite.
    """
    import numpy as np
    import tensorflow as tf

    split = data.dataset.test or data.dataset.train
    x, y = inputs(data, split.x[:images], pixels), split.y[:images]
    by_keras = tf.function(lambda images: model(images, training=False))
    expected = np.concatenate([np.asarray(by_keras(part)) for part in _parts(x)])
    if broken := int((~np.isfinite(expected)).reshape(len(x), -1).any(1).sum()):
        raise RunError(
            f"the network gives outputs that are not finite for {broken:,} of {len(x):,} images: "
            "no export can be compared with it",
            hint="train it again, with a lower learning rate or `clipnorm`",
        )
    with silent():
        compute = read_export(name, path)
        # What stays fixed at one image in int8 is asked image by image.
        size = 1 if quantize == "int8" else 100
        found = np.concatenate([compute(part) for part in _parts(x, size)])
    limit = TOLERANCE.get(quantize)
    if why := disagreement(found, expected, limit):
        raise Disagreement(name, why)
    difference = float(np.abs(found - expected).max())
    classes = data.classes and expected.ndim == 2
    agreement = accuracy = by = None
    if classes:
        guesses, own = (per_class(spec, each)[0].argmax(1) for each in (found, expected))
        agreement = float((guesses == own).mean())
        accuracy, by = float((guesses == y).mean()), float((own == y).mean())
    if limit is None and agreement is not None and agreement < AGREEMENT:
        raise RunError(
            f"in {quantize} the network finds another class for {1 - agreement:.1%} of {len(x):,} "
            f"pictures, and {1 - AGREEMENT:.0%} is the most",
            hint="nothing is left of it; --quantize float16 is more exact",
        )
    if limit is None and agreement is None:
        matrices = max(1, sum(len(each.shape) > 1 for each in model.weights))
        spread = float(np.ptp(expected))
        most = STEPS / 255 * matrices * spread
        apart = np.abs(found - expected).reshape(len(x), -1).max(1)
        # Beyond the ranges of the calibration an output is cut off: that may be, if it is rare.
        if (part := float((apart > most).mean())) > 1 - AGREEMENT:
            raise RunError(
                f"in {quantize} the outputs for {part:.1%} of {len(x):,} pictures differ by more "
                f"than {most:.2g}, and {1 - AGREEMENT:.0%} is the most; {most:.2g} is {STEPS}/255 "
                f"of their spread, {spread:.2g}, for each of {matrices} layers with weights",
                hint="nothing is left of it; --quantize float16 is more exact",
            )
    return {
        "pictures": len(x),
        "difference": difference,
        "agreement": agreement,
        "accuracy": accuracy,
        "accuracy_by_keras": by,
        "milliseconds": _milliseconds(compute, x[:1]),
        "milliseconds_by_keras": _milliseconds(lambda one: np.asarray(by_keras(one)), x[:1]),
    }


def _parts(x: np.ndarray, size: int = 100) -> Iterator[np.ndarray]:
    for start in range(0, len(x), size):
        yield x[start : start + size]


def _milliseconds(compute: Compute, one: np.ndarray) -> float:
    for _ in range(5):
        compute(one)
    found = []
    for _ in range(_TIMED):
        began = time.perf_counter()
        compute(one)
        found.append(time.perf_counter() - began)
    return 1000 * statistics.median(found)
