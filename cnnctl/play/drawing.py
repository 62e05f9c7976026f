"""What the page asks of a network: its layers once, and what it makes of an image."""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnnctl.data.pixels import BYTES
from cnnctl.errors import UsageError
from cnnctl.inference.find_trained import find
from cnnctl.inference.image_style import input_of, look_of
from cnnctl.inference.images import from_bytes
from cnnctl.inference.predictions import per_class
from cnnctl.summary.summary import summarize

FEW = 16
"""Maps of a layer that are shown beside the others'."""
MANY = 128
"""Maps that are shown of the layer that is chosen."""


class Network:
    """A trained network that answers for one image after another, from any thread.

    Args:
        source: A run folder, a checkpoint folder in it, a `.keras` or a `.weights.h5` file.
        spec, checkpoint, data_dir, device: As in `cnnctl.inference.prediction.predict`.

    Raises:
        UsageError: The network takes no images.
    """

    def __init__(
        self,
        source: Path,
        *,
        spec: Any = None,
        checkpoint: str | None = None,
        data_dir: Path | None = None,
        device: str = "auto",
    ) -> None:
        self.trained = find(source, spec=spec, checkpoint=checkpoint)
        self.shape, self._scale = input_of(self.trained, data_dir)
        self._look = look_of(self.trained.spec, self.shape, self._scale, self.trained.pixels)
        if len(self.shape) not in (2, 3) or self._look.channels not in (1, 3):
            raise UsageError(
                f"{source} takes no grey or coloured pictures: there is nothing to draw"
            )
        loaded = self.trained.load(self.trained.shaped(self.shape), 1, device)
        self.notes = loaded.notes
        import keras
        import tensorflow as tf

        model = loaded.model
        self._layers = [layer for layer in model.layers if _is_shown(layer)]
        inner = keras.Model(model.inputs, [*(each.output for each in self._layers),
                                           model.outputs[0]])  # fmt: skip
        self._compute = tf.function(lambda x: inner(x, training=False))
        self._lock = threading.Lock()
        self._describe()
        self.look(np.zeros(self.shape, np.uint8))  # compiles

    def _describe(self) -> None:
        path = self.trained.run.spec_path if self.trained.run else self.trained.spec.path
        summary = summarize(path)
        fields = {row.name: row.receptive_field for row in summary.rows}
        kinds = {row.name: row.layer for row in summary.rows}
        self.description = {
            "title": str(self.trained.source),
            "shape": list(self.shape) if len(self.shape) == 3 else [*self.shape, 1],
            "dark": bool(self._look.dark),
            "layers": [
                {
                    "name": layer.name,
                    "kind": kinds.get(layer.name, type(layer).__name__),
                    "shape": [int(size) for size in layer.output.shape[1:]],
                    "field": _field(fields.get(layer.name)),
                }
                for layer in self._layers
            ],
        }

    def see(self, data: bytes, chosen: str | None = None) -> dict[str, Any]:
        """What the network makes of the bytes of a PNG, JPEG or `.npy` file.

        Args:
            data: The file.
            chosen: The layer of which all maps are wanted.

        Raises:
            DataError: It is no image.
        """
        found = next(iter(from_bytes(data, "the picture", self._look)))
        answer = self.look(found.x, chosen)
        return {**answer, "steps": list(found.steps)}

    def look(self, x: np.ndarray, chosen: str | None = None) -> dict[str, Any]:
        """What the network makes of an image as stored, of its input shape."""
        with self._lock:
            *maps, output = self._compute(self._scale.apply(x[None]))
        outputs = np.asarray(output).reshape(1, -1)
        classes: Sequence[Any] = []
        if self.trained.spec.data is None or self.trained.spec.data.label_mode != "float":
            row = per_class(self.trained.spec, outputs)[0][0]
            names = self.trained.class_names(len(row))
            classes = [[name, float(value)] for name, value in zip(names, row, strict=True)]
        black_and_white = self._look.pixels or BYTES
        return {
            "input": _bytes(np.asarray(x, np.float32).reshape(*x.shape[:2], -1), *black_and_white),
            "classes": classes,
            "outputs": [float(value) for value in outputs[0][:1000]],
            "maps": {
                layer.name: _maps(np.asarray(each)[0], MANY if layer.name == chosen else FEW)
                for layer, each in zip(self._layers, maps, strict=True)
            },
        }


def _is_shown(layer: Any) -> bool:
    return len(layer.output.shape) == 4 or (
        len(layer.output.shape) == 2 and type(layer).__name__ == "Dense"
    )


def _field(field: Any) -> list[dict[str, float]] | None:
    """The receptive field of height and width."""
    if not field or len(field) != 2:
        return None
    return [{"start": float(each.start), "stride": float(each.stride), "size": float(each.size)}
            for each in field]  # fmt: skip


def _maps(values: np.ndarray, most: int) -> dict[str, Any]:
    """Maps (height, width, channels) as bytes, from the layer's least value to its greatest; a
    vector is one map of one row."""
    if values.ndim == 1:
        values = values[None, :, None]
    least, greatest = float(values.min()), float(values.max())
    shown = values[..., :most]
    return {
        "height": shown.shape[0],
        "width": shown.shape[1],
        "shown": shown.shape[2],
        "least": least,
        "greatest": greatest,
        "pixels": _bytes(np.moveaxis(shown, -1, 0), least, greatest),
    }


def _bytes(values: np.ndarray, low: float, high: float) -> str:
    scaled = np.clip((values - low) / ((high - low) or 1.0), 0, 1) * 255
    return base64.b64encode(scaled.round().astype(np.uint8).tobytes()).decode()
