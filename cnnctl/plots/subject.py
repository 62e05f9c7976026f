"""A trained network to draw, and what is wanted of the figures.

Data, weights and predictions are read once, and only if a figure needs them.
"""

from __future__ import annotations

from collections.abc import Callable
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

    from cnnctl.data.pixel_normalization import Normalization
    from cnnctl.data.preparation import Prepared
    from cnnctl.inference.predictions import Predictions
    from cnnctl.inference.trained import Loaded, Trained

MOST_LAYERS = 24
"""Rows of feature maps and histograms."""


@dataclass(frozen=True)
class Choice:
    """What is wanted of the figures.

    Args:
        layer: For filters, saliency and excitation; the kind's own choice by default.
        image: For features and saliency: a file, or the number of an image of the split.
        split: Of the data set.
        seed: Of noise.
    """

    layer: str | None = None
    image: str | None = None
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
        from cnnctl.inference.find_trained import find

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
    def images(self) -> tuple[np.ndarray, Normalization, tuple[str, ...]]:
        """Images as stored, their normalization, and their names: those of the choice, or the
        split's."""
        wanted = self.choice.image
        if wanted is not None and not wanted.isdecimal():
            import numpy as np

            from cnnctl.inference.image_style import input_of, look_of
            from cnnctl.inference.images import read

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
        from cnnctl.inference.image_style import input_of

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
