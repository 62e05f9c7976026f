"""A convolution that does not share its kernel."""

from __future__ import annotations

from math import prod
from typing import Any

import keras
from keras import activations, constraints, initializers, ops, regularizers

from cnnctl.layers.sliding_windows import check_padding, output_length, pair, shifted


@keras.saving.register_keras_serializable(package="cnnctl")
class LocallyConnected2D(keras.layers.Layer):
    """2D convolution whose kernel is another one at each position.

    Like `Conv2D`, but the weights are not shared: what is learned at one place of the picture
    stays there. Keras had this layer until version 2.

    An initializer of the variance-scaling family (`glorot_uniform`, `he_normal`, …) counts the
    inputs and outputs of one position, as for `Conv2D`; any other fills the whole kernel.

    Args:
        filters: int, channels of the output.
        kernel_size: int or two ints, height and width of the kernels in pixels.
        strides: int or two ints, pixels from one position to the next.
        padding: `"valid"` (only whole windows) or `"same"`.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for Keras's setting.
        activation: Activation function. If `None`, none.
        use_bias: bool, whether each output gets a bias of its own.
        kernel_initializer: Initializer for the kernels.
        bias_initializer: Initializer for the biases.
        kernel_regularizer: Optional regularizer for the kernels.
        bias_regularizer: Optional regularizer for the biases.
        activity_regularizer: Optional regularizer for the output.
        kernel_constraint: Optional constraint on the kernels.
        bias_constraint: Optional constraint on the biases.
        kwargs: `name`, `dtype` and `trainable`, as every layer's.

    Input shape:
        `(batch_size, height, width, channels)`, or `(batch_size, channels, height, width)` with
        `data_format="channels_first"`. Height and width must be known.

    Output shape:
        `(batch_size, new_height, new_width, filters)`, or likewise channels first.

    Weights:
        kernel: `(new_height, new_width, kernel_height, kernel_width, channels, filters)`
        bias: `(new_height, new_width, filters)`

    Raises:
        ValueError: A size is not positive, the padding is unknown, the height or width of the
            input is not known, or no kernel fits into it.

    Example:

    >>> layer = LocallyConnected2D(filters=4, kernel_size=3)
    >>> layer(np.ones((1, 5, 5, 2))).shape
    TensorShape([1, 3, 3, 4])
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if filters < 1:
            raise ValueError(f"`filters` must be positive. Received: filters={filters}")
        self.filters = filters
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.strides = pair(strides, "strides")
        self.padding = check_padding(padding)
        self.data_format = data_format or keras.config.image_data_format()
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs of the given shape, the batch size included."""
        channels = input_shape[1 if self.data_format == "channels_first" else -1]
        positions = self._positions(input_shape)
        if channels is None or None in positions:
            raise ValueError(
                "LocallyConnected2D has weights for each position: height, width and channels of "
                f"its input must be known. Received: input_shape={input_shape}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*positions, *self.kernel_size, channels, self.filters),
            initializer=self._initialize_kernel,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(*positions, self.filters),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _initialize_kernel(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        initializer = self.kernel_initializer
        values = initializer(shape, dtype=dtype)
        if isinstance(initializer, initializers.VarianceScaling) and not initializer.input_axes:
            # It took the positions for a part of the kernel: its variance is too small by them.
            values = values * prod(shape[:2]) ** 0.5
        return values

    def call(self, inputs: Any) -> Any:
        """Apply the kernels.

        Args:
            inputs: `(batch_size, height, width, channels)`, or as `data_format` says.

        Returns:
            `(batch_size, new_height, new_width, filters)`, likewise.
        """
        first = self.data_format == "channels_first"
        images = ops.transpose(inputs, (0, 2, 3, 1)) if first else inputs
        patches = ops.concatenate(
            shifted(images, self.kernel_size, self.strides, self.padding), axis=-1
        )
        kernel = ops.reshape(self.kernel, (*self.kernel.shape[:2], -1, self.filters))
        outputs = ops.einsum("bhwk,hwkf->bhwf", patches, kernel)
        if self.bias is not None:
            outputs = outputs + self.bias
        outputs = self.activation(outputs)
        return ops.transpose(outputs, (0, 3, 1, 2)) if first else outputs

    def _positions(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        first = self.data_format == "channels_first"
        lengths = input_shape[2:4] if first else input_shape[1:3]
        return tuple(
            output_length(length, size, stride, self.padding)
            for length, size, stride in zip(lengths, self.kernel_size, self.strides, strict=True)
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output for inputs of the given shape."""
        positions = self._positions(input_shape)
        if self.data_format == "channels_first":
            return (input_shape[0], self.filters, *positions)
        return (input_shape[0], *positions, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }
