"""An activation function with its arguments filled in."""

from __future__ import annotations

from typing import Any

import keras

from cnnctl.catalog.allowed import ALLOWED


@keras.saving.register_keras_serializable(package="cnnctl")
class ActivationWithArguments:
    """One of Keras's activation functions, called with fixed arguments.

    Unlike a partial function it can be saved with a model.

    Args:
        function: The function's name in `keras.activations`.
        arguments: Its arguments besides the tensor.

    Raises:
        ValueError: The name is not that of an activation that a spec may use.

    Example:

    >>> float(ActivationWithArguments("squareplus", b=0)(np.array(-2.0)))
    0.0
    """

    def __init__(self, function: str, **arguments: Any) -> None:
        if function not in ALLOWED["activation"]:
            raise ValueError(f"`function` must be an activation. Received: function={function}")
        self.function = function
        self.arguments = arguments

    def __call__(self, x: Any) -> Any:
        """Return the activation of a tensor of any shape."""
        return getattr(keras.activations, self.function)(x, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"function": self.function, **self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ActivationWithArguments:
        """Return the activation that `get_config` described."""
        return cls(**config)
