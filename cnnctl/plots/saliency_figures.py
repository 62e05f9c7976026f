"""Figures of what a network reacts to: feature maps, saliency, and what excites its channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnctl.errors import UsageError
from cnnctl.plots.subject import MOST_LAYERS, Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure


SALIENT = 6
"""Images of a saliency figure."""
EXCITED = 16
"""Channels of an excitation figure."""


def features(subject: Subject) -> Figure:
    """The maps of every layer for one image: the first, or the one of --image."""
    from cnnctl.inference import saliency as insight
    from cnnctl.plots.feature_maps import features as draw

    layers = insight.with_maps(subject.loaded.model)[:MOST_LAYERS]
    if not layers:
        raise UsageError("the network has no layer with maps")
    x, scale, names = subject.images
    maps = insight.outputs(subject.loaded.model, layers, scale.apply(x[:1]))
    name = names[0] if names else f"{subject.choice.split} picture 0"
    return draw(x[0], {key: each[0] for key, each in maps.items()},
                title=f"{subject.named()}: {name}")  # fmt: skip


def saliency(subject: Subject) -> Figure:
    """Where an image's class is seen: input gradient, and Grad-CAM of the last convolution or
    --layer; without either the gradient alone."""
    import numpy as np

    from cnnctl.inference import saliency as insight
    from cnnctl.inference.prediction import of_images
    from cnnctl.plots.feature_maps import saliency as draw

    x, scale, _ = subject.images
    if subject.choice.image is None:
        x = x[_one_of_each(subject)]
    if x.ndim != 4:
        raise UsageError("the network takes no pictures of height, width and channels")
    found = of_images(subject.trained, subject.loaded, x, scale)
    if not found.class_names:
        raise UsageError("the network has no classes, of which one could be seen somewhere")
    guesses, normalized = found.classes, scale.apply(np.asarray(x))
    model = subject.loaded.model
    gradients = insight.input_gradients(model, normalized, guesses)
    layer, heat = None, None
    if subject.choice.layer or insight.convolutions(model):
        layer = subject.layer(lambda each: insight.last_convolution(each, normalized, guesses))
        if layer not in (usable := insight.of_places(model)):
            convolutions = insight.convolutions(model)
            names = ", ".join(each.name for each in convolutions or usable)
            size = "×".join(map(str, layer.output.shape[1:]))
            raise UsageError(
                f"{layer.name} has no maps over which Grad-CAM could be drawn: "
                f"its output is {size}",
                hint=f"name a layer whose maps show places of the picture: {names}"
                if names
                else "without --layer the gradient alone is drawn",
            )
        heat = insight.grad_cam(model, normalized, guesses, layer)
    titles = [found.class_names[guess] for guess in guesses]
    return draw(np.asarray(x), gradients, heat, titles, layer=layer.name if layer else "",
                title=f"{subject.named()}: why it takes them for this")  # fmt: skip


def _one_of_each(subject: Subject) -> list[int]:
    """The first image of each of the first classes."""
    import numpy as np

    y = subject.data.dataset.split(subject.choice.split).y
    if y.dtype.kind != "i":
        return list(range(min(SALIENT, len(y))))
    firsts = np.unique(y, return_index=True)[1][:SALIENT]
    return sorted(int(index) for index in firsts)


def excitation(subject: Subject) -> Figure:
    """What excites the channels of a layer most: the last convolution, or --layer."""
    import numpy as np

    from cnnctl.data.pixels import BYTES
    from cnnctl.inference import saliency as insight
    from cnnctl.inference.image_style import input_of
    from cnnctl.plots.feature_maps import excitation as draw

    shape, scale = input_of(subject.trained, None)
    if len(shape) != 3:
        raise UsageError("the network takes no pictures of height, width and channels")
    if not (scale.kind in ("unit", "signed") or subject.data.dataset.pixel_range):
        raise UsageError("the range of the pixels is not known, within which to look")
    low, high = subject.data.dataset.pixel_range or BYTES
    limits = (
        scale.apply(np.full((1, 1, shape[-1]), low)),
        scale.apply(np.full((1, 1, shape[-1]), high)),
    )
    layer = subject.layer(insight.exciting)
    count = int(layer.output.shape[-1])
    channels = list(range(min(EXCITED, count)))
    found = insight.excite(subject.loaded.model, layer, channels, limits=limits,
                           seed=subject.choice.seed)  # fmt: skip
    part = f"first {len(channels)} of {count} channels" if count > len(channels) else "channels"
    return draw(found, channels, layer=layer.name,
                title=f"{subject.named()}: what excites the {part} of {layer.name}")  # fmt: skip
