"""An initializer that gives the very numbers that are written."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from cnnctl.arithmetic.shapes import same_but_for_ones


@keras.saving.register_keras_serializable(package="cnnctl")
class Values(keras.initializers.Initializer):
    """Weights that start with given values, as a worked example on paper has them.

    Args:
        values: Numbers in nested lists, in Keras's order: a kernel is (height, width, inputs,
            filters). Axes of length 1 may be left out: a single filter of a grey picture is
            (height, width).
        filters_first: Whether the filters are listed one after another, each (height, width) or
            (height, width, inputs).

    Raises:
        ValueError: When called, if the values are not of the weight's shape.

    Example:

    >>> Values([[0, 1], [2, 3]])((2, 2, 1, 1))[..., 0, 0]
    array([[0., 1.],
           [2., 3.]], dtype=float32)
    """

    def __init__(self, values: Any, filters_first: bool = False) -> None:
        self.values = values
        self.filters_first = filters_first

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return the values in a weight's shape."""
        values = np.asarray(self.values, np.float32)
        if self.filters_first and values.ndim:
            values = np.moveaxis(values, 0, -1)
        if not same_but_for_ones(values.shape, tuple(shape)):
            raise ValueError(
                f"`values` must have the weight's shape {tuple(shape)}. Received: {values.shape}"
            )
        return keras.ops.convert_to_tensor(values.reshape(shape), dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"values": self.values, "filters_first": self.filters_first}
