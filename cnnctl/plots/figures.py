"""What is drawn of a trained network: each kind of figure, from what a run holds.

Data, weights and predictions are read once, and only if a figure needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import UsageError
from cnnctl.runs.checkpoint import MANIFEST
from cnnctl.runs.find import find_run
from cnnctl.runs.run import Run
from cnnctl.specs import Spec

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from cnnctl.data.pixel_normalization import Normalization
    from cnnctl.data.preparation import Prepared
    from cnnctl.inference.prediction import Predictions
    from cnnctl.inference.trained import Loaded, Trained

SALIENT = 6
"""Pictures of a saliency figure."""
EXCITED = 16
"""Channels of an excitation figure."""
OBSERVED = 256
"""Pictures over which activations are counted."""
MOST_LAYERS = 24
"""Rows of feature maps and histograms."""


@dataclass(frozen=True)
class Choice:
    """What is wanted of the figures.

    Args:
        layer: For filters, saliency and excitation; the kind's own choice by default.
        picture: For features and saliency: a file, or the number of a picture of the split.
        split: Of the data set.
        seed: Of noise.
    """

    layer: str | None = None
    picture: str | None = None
    split: str = "test"
    seed: int = 0


class Subject:
    """A trained network, whose parts are made when a figure first needs them.

    Args:
        source: A run folder, a checkpoint folder in it, a `.keras` or a `.weights.h5` file.
        choice: What is wanted.
        spec, checkpoint, data_dir, full_data, device: As in `cnnctl.predict_split`.
    """

    def __init__(
        self,
        source: Path,
        choice: Choice | None = None,
        *,
        spec: Spec | None = None,
        checkpoint: str | None = None,
        data_dir: Path | None = None,
        full_data: bool = False,
        device: str = "auto",
    ) -> None:
        self.source = source
        self.choice = choice or Choice()
        self._spec = spec
        self._checkpoint = checkpoint
        self._data_dir = data_dir
        self._full_data = full_data
        self._device = device

    @cached_property
    def trained(self) -> Trained:
        """What is on the disk."""
        from cnnctl.inference.trained import find

        return find(self.source, spec=self._spec, checkpoint=self._checkpoint)

    @property
    def run(self) -> Run:
        """Its run.

        Raises:
            UsageError: It belongs to none.
        """
        found = self.run_if_any
        if found is None:
            raise UsageError(f"{self.source} is in no run folder, which alone knows how it went")
        return found

    @cached_property
    def run_if_any(self) -> Run | None:
        """Its run; one that has no checkpoint yet is one as well."""
        if self.source.is_dir() and not (self.source / MANIFEST).exists():
            return find_run(self.source)
        return self.trained.run

    @cached_property
    def data(self) -> Prepared:
        """Its data."""
        return self.trained.prepare(data_dir=self._data_dir, full_data=self._full_data)

    @cached_property
    def pictures(self) -> tuple[np.ndarray, Normalization, tuple[str, ...]]:
        """Pictures as stored, their normalization, and their names: those of the choice, or the
        split's."""
        wanted = self.choice.picture
        if wanted is not None and not wanted.isdecimal():
            import numpy as np

            from cnnctl.inference.images import read
            from cnnctl.inference.prediction import input_of, look_of

            shape, scale = input_of(self.trained, self._data_dir)
            look = look_of(self.trained.spec, shape, scale, self.trained.pixels)
            found = list(read([wanted], look))
            return np.stack([each.x for each in found]), scale, tuple(each.name for each in found)
        split = self.data.dataset.split(self.choice.split)
        if wanted is None:
            return split.x, self.data.normalization, ()
        index = int(wanted)
        if index >= len(split):
            raise UsageError(f"there is no picture {index}: {self.choice.split} has {len(split):,}")
        name = f"{self.choice.split} picture {index}"
        return split.x[index : index + 1], self.data.normalization, (name,)

    @cached_property
    def loaded(self) -> Loaded:
        """Its network, with weights."""
        from cnnctl.inference.prediction import input_of

        shape, _ = input_of(self.trained, self._data_dir)
        return self.trained.load(self.trained.shaped(shape), 10_000, self._device)

    @cached_property
    def predictions(self) -> Predictions:
        """What it makes of its split."""
        from cnnctl.inference.prediction import of_split

        return of_split(self.trained, self.loaded, self.data, self.choice.split)

    def layer(self, default: Callable[[Any], Any]) -> Any:
        """The layer that is chosen, or the one that a kind of figure takes."""
        from cnnctl.inference.saliency import layer_of

        name = self.choice.layer
        return layer_of(self.loaded.model, name) if name else default(self.loaded.model)

    def named(self) -> str:
        """What titles call it."""
        return str(self.trained.source)


def curves(subject: Subject) -> Figure:
    """Loss, metrics, learning rate and time of every epoch."""
    from cnnctl.plots import curves as drawing

    run = subject.run
    best = run.state().get("best_epoch")
    return drawing.curves(run.history(), title=str(run), best=best)


def confusion(subject: Subject) -> Figure:
    """What is mistaken for what; precision, recall and F1 of every class."""
    from cnnctl.plots.confusion import confusion as draw

    return draw(subject.predictions, title=f"{subject.named()}: {subject.predictions.summary()}")


def calibration(subject: Subject) -> Figure:
    """How often the network is right where it is how sure."""
    from cnnctl.plots.confusion import calibration as draw

    return draw(subject.predictions, title=subject.named())


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


def features(subject: Subject) -> Figure:
    """The maps of every layer for one picture: the first, or the one of --picture."""
    from cnnctl.inference import saliency as insight
    from cnnctl.plots.feature_maps import features as draw

    layers = insight.with_maps(subject.loaded.model)[:MOST_LAYERS]
    if not layers:
        raise UsageError("the network has no layer with maps")
    x, scale, names = subject.pictures
    maps = insight.outputs(subject.loaded.model, layers, scale.apply(x[:1]))
    name = names[0] if names else f"{subject.choice.split} picture 0"
    return draw(x[0], {key: each[0] for key, each in maps.items()},
                title=f"{subject.named()}: {name}")  # fmt: skip


def saliency(subject: Subject) -> Figure:
    """Where a picture's class is seen: input gradient, and Grad-CAM of the last convolution or
    --layer; without either the gradient alone."""
    import numpy as np

    from cnnctl.inference import saliency as insight
    from cnnctl.inference.prediction import of_pictures
    from cnnctl.plots.feature_maps import saliency as draw

    x, scale, _ = subject.pictures
    if subject.choice.picture is None:
        x = x[_one_of_each(subject)]
    if x.ndim != 4:
        raise UsageError("the network takes no pictures of height, width and channels")
    found = of_pictures(subject.trained, subject.loaded, x, scale)
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
    """The first picture of each of the first classes."""
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
    from cnnctl.inference.prediction import input_of
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


def histograms(subject: Subject) -> Figure:
    """How the values of weights and activations spread."""
    import numpy as np

    from cnnctl.inference import saliency as insight
    from cnnctl.plots.filters import histograms as draw

    model = subject.loaded.model
    names = _told_apart([each.path for each in model.weights])
    weights = dict(zip(names, map(np.asarray, model.weights), strict=True))
    chosen = dict(list(weights.items())[:MOST_LAYERS])
    x, scale, _ = subject.pictures
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


KINDS: dict[str, Callable[[Subject], Figure]] = {
    "curves": curves,
    "confusion": confusion,
    "calibration": calibration,
    "filters": filters,
    "features": features,
    "saliency": saliency,
    "excitation": excitation,
    "histograms": histograms,
}
"""By name; `architecture` is drawn from a spec alone (see `cnnctl.plots.architecture`)."""


def drawn(subject: Subject, kinds: Sequence[str] = ()) -> Iterator[tuple[str, Figure | str]]:
    """Draw figures of a trained network.

    Args:
        subject: The network.
        kinds: Which, of `KINDS`; without any, all that make sense for it.

    Yields:
        (kind, figure), or (kind, why there is none) where no kind was named.

    Raises:
        UsageError: A kind that was named makes no sense for this network.
    """
    for kind in kinds or KINDS:
        try:
            yield kind, KINDS[kind](subject)
        except UsageError as error:
            if kinds:
                raise
            yield kind, error.message
