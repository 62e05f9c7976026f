"""Samples of a data set: as they are stored, and as the network of a spec gets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.data.dataset import Dataset, Split
from cnnctl.data.named.sources import SOURCES
from cnnctl.data.preparation import Progress, prepare
from cnnctl.errors import UsageError
from cnnctl.io.path_kinds import kind_of
from cnnctl.preflight import check, check_run
from cnnctl.runs.find import find_run
from cnnctl.specs import GraphLayer, Spec
from cnnctl.specs.graph import INPUT
from cnnctl.specs.source import SUFFIXES

if TYPE_CHECKING:
    import numpy as np

AUGMENTS = frozenset({
    "AugMix", "AutoContrast", "CenterCrop", "CutMix", "GaussianDropout", "GaussianNoise", "MixUp",
    "RandAugment", "Rescaling", "Resizing", "Solarization",
})  # fmt: skip
"""Keras's layers that change images, besides those whose names begin with `Random`."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Some images of a split.

    Args:
        dataset: Where they are from.
        split: The images of the split.
        name: The split's.
        indices: Which images they are.
        seen: (len(indices), height, width, channels) float32, the same as the network gets them:
            normalized, and augmented as in a training step; None without a spec.
        changes: What happens to an image on its way to the network, in words.
    """

    dataset: Dataset
    split: Split
    name: str
    indices: list[int]
    seen: np.ndarray | None = None
    changes: tuple[str, ...] = ()


def choose(dataset: Dataset, split: str = "train", count: int = 36, seed: int = 0) -> Samples:
    """Draw samples of a data set, without replacement.

    Args:
        dataset: The data.
        split: `train`, `validation` or `test`.
        count: How many; all, if there are fewer.
        seed: Decides which.

    Raises:
        DataError: There is no such split.
        UsageError: What it holds cannot be drawn.
    """
    import numpy as np

    images = dataset.split(split)
    if images.x.ndim > 4:
        shape = "×".join(map(str, images.x.shape[1:]))
        raise UsageError(f"{dataset.name} has no pictures that can be drawn: each is {shape}")
    count = min(count, len(images))
    indices = np.random.default_rng(seed).choice(len(images), count, replace=False)
    return Samples(dataset, images, split, [int(index) for index in indices])


def of_spec(
    spec: Spec,
    split: str = "train",
    count: int = 36,
    seed: int = 0,
    *,
    data_dir: Path | None = None,
    full_data: bool = False,
    progress: Progress | None = None,
) -> Samples:
    """Draw samples of a spec's data, and pass them through the layers that change images, with
    which its network begins.

    Args:
        spec: A checked spec with `data`.
        split, count, seed: As in `choose`; the seed decides the augmentation too.
        data_dir, full_data, progress: As in `cnnctl.train`.

    Raises:
        DataError: The data cannot be found or does not fit.
    """
    import numpy as np

    data = prepare(spec, data_dir=data_dir, full_data=full_data, progress=progress)
    if len(data.input_shape) not in (2, 3):
        raise UsageError(f"the network of {spec.path} takes no pictures")
    chosen = choose(data.dataset, split, count, seed)
    seen = data.normalization.apply(np.asarray(chosen.split.x[sorted(chosen.indices)]))
    indices = sorted(chosen.indices)
    scale = data.normalization
    changes = [f"normalize: {scale.kind}"]
    layers = leading(spec)
    if layers:
        seen = _through(layers, seen, seed)
        changes += [str(layer.component) for layer in layers]
    return Samples(data.dataset, chosen.split, split, indices, seen, tuple(changes))


def spec_of(name: str, overrides: Sequence[str] = ()) -> Spec | None:
    """Return the spec whose data set is meant: that of a file, a run or a checkpoint; else None.

    Args:
        name: What a command was given for a data set.
        overrides: Changes of the spec, such as `fit.epochs=3`.

    Raises:
        UsageError: A plug-in that the run was made with is not loaded.
        SpecError: The spec has errors, or no `data`.
    """
    if name in SOURCES:
        return None
    path = Path(name)
    kind = kind_of(path)
    if kind in ("run", "runs"):
        try:
            spec = check_run(find_run(path), overrides).spec
        except UsageError:
            if kind == "run":
                raise
            return None  # a folder of folders of runs
    elif kind == "checkpoint":
        spec = check(path / "spec.yaml", overrides).spec
    elif kind == "spec" or (kind is None and path.suffix in SUFFIXES):
        spec = check(path, overrides).spec
    else:
        return None
    spec.require("data")
    return spec


def leading(spec: Spec) -> list[GraphLayer]:
    """The layers that change images, with which a network begins."""
    found: list[GraphLayer] = []
    before = INPUT
    for layer in spec.graph.layers:
        name = layer.component.name
        changes = name.startswith("Random") or name in AUGMENTS
        if not changes or tuple(layer.inputs) != (before,):
            break
        found.append(layer)
        before = layer.name
    return found


def _through(layers: list[GraphLayer], x: np.ndarray, seed: int) -> np.ndarray:
    """Images after some layers, as in a training step."""
    import numpy as np

    from cnnctl.startup import quiet

    quiet()
    import keras

    from cnnctl.network.build import construct

    keras.utils.set_random_seed(seed)
    images: Any = x
    for layer in layers:
        images = construct(layer.component, name=layer.name)(images, training=True)
    return np.asarray(images, np.float32)
