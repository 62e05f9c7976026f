"""What images a network takes, and how those look that it was trained on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnctl.data.named.sources import SOURCES
from cnnctl.data.pixel_normalization import Normalization, without_images
from cnnctl.data.pixels import BYTES, Range
from cnnctl.errors import DataError
from cnnctl.io.arguments import AnyPath
from cnnctl.specs import Spec

if TYPE_CHECKING:
    from cnnctl.inference.trained import Trained

LIGHT_ON_DARK = frozenset({"fashion_mnist", "mnist", "xo"})
CENTRED = frozenset({"mnist"})


@dataclass(frozen=True)
class Look:
    """How the images look that a network was trained on.

    Args:
        shape: Of one image: (height, width, channels), (height, width), or any shape of `.npy`.
        pixels: The range of a pixel's values; None if it is not known.
        dark: Whether the background is dark; None if that is not known.
        centred: Whether each shows one drawing, cut out, and centred by its mass.
    """

    shape: tuple[int, ...]
    pixels: Range | None = BYTES
    dark: bool | None = None
    centred: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.shape[0], self.shape[1]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colours."""
        return self.shape[2] if len(self.shape) == 3 else 1


def input_of(trained: Trained, data_dir: AnyPath | None) -> tuple[tuple[int, ...], Normalization]:
    """The shape of one image and its normalization, from the data set only where nothing else
    tells them.

    Raises:
        DataError: They are nowhere else, and the data set cannot be found.
    """
    spec = trained.spec
    kind = spec.data.normalize if spec.data else "none"
    shape, scale = spec.model.input_shape, trained.normalization or without_images(kind)
    if shape is None or scale is None:
        data = trained.prepare(data_dir=data_dir)
        return data.input_shape, trained.normalization or data.normalization
    if trained.normalization is None and kind in ("unit", "signed") and _may_be_deep(spec):
        with suppress(DataError):  # without the data, images have 8 bits
            scale = trained.prepare(data_dir=data_dir).normalization
    return tuple(shape), scale


def _may_be_deep(spec: Spec) -> bool:
    """Whether the range of the pixels is a matter of the files that a spec names."""
    return spec.data is not None and spec.data.dataset.name not in {*SOURCES, "xo"}


def look_of(
    spec: Spec, shape: tuple[int, ...], scale: Normalization, pixels: Range | None = None
) -> Look:
    """How the images look that the network of a spec is trained on.

    Args:
        spec: Of the network.
        shape: Of one image.
        scale: How it is normalized.
        pixels: The range that a run recorded; None where none did.
    """
    name = spec.data.dataset.name if spec.data else ""
    if name in SOURCES or name == "image_folder" or scale.kind in ("unit", "signed"):
        pixels = pixels or BYTES
    return Look(
        shape,
        pixels=pixels,
        dark=True if name in LIGHT_ON_DARK else None,
        centred=name in CENTRED,
    )
