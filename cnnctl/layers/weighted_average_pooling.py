"""Average pooling that looks at a window's centre most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnctl.layers.pooling_base import Pooling2D


@keras.saving.register_keras_serializable(package="cnnctl")
class WeightedAveragePooling2D(Pooling2D):
    """2D average pooling whose weights fall with the distance from the window's centre.

    The weights are a Gaussian, `exp(-(dy² / σ_y² + dx² / σ_x²) / 2)`, divided by their sum. With
    `padding="same"` only the weights inside the picture count, as in Keras's average pooling, so
    that a constant picture stays what it is.

    Args:
        pool_size: int or two ints, height and width of the window in pixels.
        strides: int or two ints, pixels from one window to the next. If `None`, `pool_size`.
        padding: `"valid"` (only whole windows) or `"same"`.
        sigma: float or two floats, the Gaussian's width in pixels (for height and width). If
            `None`, half the pool size.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for Keras's setting.
        kwargs: `name`, `dtype` and `trainable`, as every layer's.

    Input shape:
        `(batch_size, height, width, channels)`, or `(batch_size, channels, height, width)` with
        `data_format="channels_first"`.

    Output shape:
        `(batch_size, new_height, new_width, channels)`, or likewise channels first.

    Raises:
        ValueError: `sigma` or a size is not positive, or the padding is unknown.

    Example:

    >>> WeightedAveragePooling2D(pool_size=3)(np.ones((1, 6, 6, 1))).shape
    TensorShape([1, 2, 2, 1])
    """

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        sigma: float | Sequence[float] | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        if sigma is None:
            sigmas = [size / 2 for size in self.pool_size]
        elif isinstance(sigma, Sequence):
            sigmas = [float(each) for each in sigma]
        else:
            sigmas = [float(sigma)] * 2
        if len(sigmas) != 2 or not all(each > 0 for each in sigmas):
            raise ValueError(
                f"`sigma` must be a positive number or two of them. Received: sigma={sigma}"
            )
        self.sigma = tuple(sigmas)

    def weights_in_window(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the weights as an array of `pool_size`; they sum to one."""
        rows, columns = (
            np.exp(-(((np.arange(size) - (size - 1) / 2) / sigma) ** 2) / 2)
            for size, sigma in zip(self.pool_size, self.sigma, strict=True)
        )
        weights: np.ndarray[Any, np.dtype[np.float64]] = np.outer(rows, columns)
        weights /= weights.sum()
        return weights

    def pool(self, pixels: Any, inside: Any) -> Any:
        """Return the weighted average of each window's pixels inside the picture."""
        flat = self.weights_in_window().reshape(-1, 1, 1, 1, 1)
        weights = ops.cast(flat, pixels.dtype)
        total = ops.sum(pixels * weights, axis=0)
        return total if inside is None else total / ops.sum(inside * weights, axis=0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "sigma": self.sigma}
