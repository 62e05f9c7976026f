"""What the two-dimensional pooling layers have in common."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cnnctl.layers.sliding_windows import check_padding, output_length, pair, shifted


class Pooling2D(keras.layers.Layer):
    """Base of pooling layers: slides a window and leaves its content to `pool`.

    Args:
        pool_size: int or two ints, height and width of the window in pixels.
        strides: int or two ints, pixels from one window to the next. If `None`, `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for Keras's setting.
        kwargs: `name`, `dtype` and `trainable`, as every layer's.
    """

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = check_padding(padding)
        self.data_format = data_format or keras.config.image_data_format()
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def pool(self, pixels: Any, inside: Any) -> Any:
        """Return the pooled pictures; for subclasses to write.

        Args:
            pixels: `(window, batch_size, new_height, new_width, channels)`: the window's
                pixels, row by row, zero where they lie in the padding.
            inside: `(window, 1, new_height, new_width, 1)`: 1 for pixels of the picture, 0 for
                the padding; None if there is none.

        Returns:
            `(batch_size, new_height, new_width, channels)`.
        """
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        """Pool pictures.

        Args:
            inputs: `(batch_size, height, width, channels)`, or as `data_format` says.

        Returns:
            `(batch_size, new_height, new_width, channels)`, likewise.
        """
        first = self.data_format == "channels_first"
        images = ops.transpose(inputs, (0, 2, 3, 1)) if first else inputs
        inside = None
        if self.padding == "same":
            inside = self._windows(ops.ones_like(images[:1, :, :, :1]))
        pooled = self.pool(self._windows(images), inside)
        return ops.transpose(pooled, (0, 3, 1, 2)) if first else pooled

    def _windows(self, images: Any) -> Any:
        return ops.stack(shifted(images, self.pool_size, self.strides, self.padding))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output: that of the input with a new height and width."""
        axes = (2, 3) if self.data_format == "channels_first" else (1, 2)
        shape = list(input_shape)
        for axis, size, stride in zip(axes, self.pool_size, self.strides, strict=True):
            shape[axis] = output_length(shape[axis], size, stride, self.padding)
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }
