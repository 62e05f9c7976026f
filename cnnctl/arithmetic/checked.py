"""A spec that has passed, with what follows from it: `Checked`, which the commands hand on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cnnctl.arithmetic.facts import Shape, Trace
from cnnctl.specs import Component, Spec
from cnnctl.specs.batch import looking_across, mixing


@dataclass(frozen=True)
class Checked:
    """A spec and what is known of its network: computed once, wherever it is needed.

    Args:
        spec: The spec.
        trace: Shapes and parameters of its layers; None where only the data tells the input shape.
        output_shape: Of the network, for one image; empty where it is not known.
        classes: How many classes the outputs were compared with; 0 if they were not.
    """

    spec: Spec
    trace: Trace | None = None
    output_shape: Shape = ()
    classes: int = 0

    @cached_property
    def batch_dependent(self) -> tuple[Component, ...]:
        """The layers and the loss that see the batch as a whole, or may: it cannot be cut."""
        return tuple(looking_across(self.spec))

    @cached_property
    def depends_on_batch(self) -> bool:
        """Whether an image's output, loss or metric depends on its batch outside training too."""
        return any(mixing(self.spec))

    @property
    def input_shape(self) -> Shape:
        """Of one image; known once there is a trace."""
        assert self.trace is not None
        return self.trace.input_shape

    @property
    def outputs(self) -> int | None:
        """How many numbers the network gives for an image; None where it is not known."""
        return self.output_shape[-1] if self.output_shape else None
