"""Figures of weights: filters, and how the values of weights and activations spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnctl.errors import UsageError
from cnnctl.plots.subject import MOST_LAYERS, Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure


OBSERVED = 256
"""Images over which activations are counted."""


def filters(subject: Subject) -> Figure:
    """The filters of a convolution: the first, or the one of --layer."""
    import numpy as np

    from cnnctl.plots.filters import filters as draw

    def first(model: Any) -> Any:
        for layer in model.layers:
            if _is_convolution(layer):
                return layer
        raise UsageError("the network has no convolution")

    layer = subject.layer(first)
    if not _is_convolution(layer):
        raise UsageError(f"{layer.name} is no convolution, and has no filters")
    kernel = np.asarray(layer.kernel)
    if "Transpose" in type(layer).__name__:  # its kernel has the filters before the inputs
        kernel = kernel.swapaxes(-1, -2)
    return draw(kernel, title=f"{subject.named()}, {layer.name}")


def _is_convolution(layer: Any) -> bool:
    kernel = getattr(layer, "kernel", None)
    return kernel is not None and len(kernel.shape) in (3, 4) and "Conv" in type(layer).__name__


def histograms(subject: Subject) -> Figure:
    """How the values of weights and activations spread."""
    import numpy as np

    from cnnctl.inference import saliency as insight
    from cnnctl.plots.filters import histograms as draw

    model = subject.loaded.model
    names = _told_apart([each.path for each in model.weights])
    weights = dict(zip(names, map(np.asarray, model.weights), strict=True))
    chosen = dict(list(weights.items())[:MOST_LAYERS])
    x, scale, _ = subject.images
    layers = [layer for layer in model.layers if type(layer).__name__ not in
              ("Flatten", "Reshape", "Dropout", "InputLayer")][:MOST_LAYERS]  # fmt: skip
    some = scale.apply(np.asarray(x[:OBSERVED]))
    found = insight.outputs(model, layers, some)
    return draw(chosen, found, title=f"{subject.named()}: {len(some)} pictures")


def _told_apart(paths: Sequence[str]) -> list[str]:
    """Each path's last parts, two or as many as no other path ends in."""
    split = [path.split("/") for path in paths]
    found = []
    for parts in split:
        count = 2
        while count < len(parts) and sum(each[-count:] == parts[-count:] for each in split) > 1:
            count += 1
        found.append("/".join(parts[-count:]))
    return found
