"""Pooling by the p-norm."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cnnctl.layers.pooling_base import Pooling2D


@keras.saving.register_keras_serializable(package="cnnctl")
class LpPooling2D(Pooling2D):
    """2D pooling by the p-norm of each window: `(sum of |x|^p)^(1/p)`.

    `p=1` sums the magnitudes, `p=2` is the square root of the energy, and a large `p` comes
    close to the maximum. The padding of `"same"` counts as zeros. The gradient is finite
    everywhere; for a window of nothing but zeros it is zero.

    Args:
        pool_size: int or two ints, height and width of the window in pixels.
        strides: int or two ints, pixels from one window to the next. If `None`, `pool_size`.
        padding: `"valid"` (only whole windows) or `"same"`.
        p: float, at least 1, the norm.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for Keras's setting.
        kwargs: `name`, `dtype` and `trainable`, as every layer's.

    Input shape:
        `(batch_size, height, width, channels)`, or `(batch_size, channels, height, width)` with
        `data_format="channels_first"`.

    Output shape:
        `(batch_size, new_height, new_width, channels)`, or likewise channels first.

    Raises:
        ValueError: `p` is less than 1, a size is not positive, or the padding is unknown.

    Example:

    >>> pictures = np.array([3.0, 4.0]).reshape(1, 1, 2, 1)
    >>> float(LpPooling2D(pool_size=(1, 2), p=2)(pictures)[0, 0, 0, 0])
    5.0
    """

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        p: float = 2.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        if not p >= 1:
            raise ValueError(f"`p` must be at least 1. Received: p={p}")
        self.p = float(p)

    def pool(self, pixels: Any, inside: Any) -> Any:
        """Return the p-norm of each window's pixels."""
        magnitudes = ops.abs(pixels)
        # Divided by the largest, no power overflows. The result does not depend on that divisor,
        # so no gradient has to pass through it.
        largest = ops.stop_gradient(ops.max(magnitudes, axis=0))
        empty = ops.equal(largest, 0)
        divisor = ops.where(empty, ops.ones_like(largest), largest)
        total = ops.sum((magnitudes / divisor) ** self.p, axis=0)
        # The root is steep at zero: it never sees an empty window, not even in the gradient.
        root = ops.where(empty, ops.ones_like(total), total) ** (1 / self.p)
        return ops.where(empty, ops.zeros_like(root), divisor * root)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "p": self.p}
