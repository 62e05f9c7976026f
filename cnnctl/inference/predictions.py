"""The outputs of a network, read per class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cnnctl.errors import UsageError
from cnnctl.inference.images import Failure
from cnnctl.specs import Spec
from cnnctl.specs.loss_rules import HINGES

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Predictions:
    """The outputs of a network for some images.

    Args:
        names: Of the images, for people.
        x: The images as stored, (images, …), before they were normalized.
        outputs: (images, classes): probabilities where `are_probabilities`, else the network's
            own numbers; (images, values) where it puts out numbers and no classes.
        class_names: By class; empty where the network puts out numbers.
        are_probabilities: Whether each row adds up to 1.
        truth: (images,) class numbers, or (images, values); None where it is not known.
        steps: What was done to each image to make it the network's input.
        checkpoint: The checkpoint that was taken, where it is one of a run.
        data: The data set's name, where the images are of one.
        notes: What is worth knowing: how the network's outputs were read, say.
        failures: The files that could not be read; the others are here.
    """

    names: tuple[str, ...]
    x: np.ndarray
    outputs: np.ndarray
    class_names: tuple[str, ...]
    are_probabilities: bool
    truth: np.ndarray | None = None
    steps: tuple[tuple[str, ...], ...] = ()
    checkpoint: str | None = None
    data: str = ""
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def classes(self) -> np.ndarray:
        """The class with the largest output, (images,)."""
        found: np.ndarray = self.outputs.argmax(1)
        return found

    def top(self, index: int, count: int) -> list[tuple[str, float]]:
        """The classes with the largest outputs for one image, the largest first."""
        row = self.outputs[index]
        order = sorted(range(len(row)), key=lambda number: (-row[number], number))
        return [(self.class_names[number], float(row[number])) for number in order[:count]]

    def some(self, indices: Sequence[int]) -> Predictions:
        """Those of some of the images."""
        chosen = list(indices)
        return replace(
            self,
            names=tuple(self.names[index] for index in chosen),
            x=self.x[chosen],
            outputs=self.outputs[chosen],
            truth=None if self.truth is None else self.truth[chosen],
            steps=tuple(self.steps[index] for index in chosen) if self.steps else (),
        )

    @property
    def accuracy(self) -> float | None:
        """The part of the images whose class is found; None where that is not known."""
        if self.truth is None or not self.class_names or len(self.truth) == 0:
            return None
        return float((self.classes == self.truth).mean())

    def summary(self) -> str:
        """In one line: how many images of what, and how many of them are taken for the right
        class."""
        line = f"{len(self.x):,} pictures of {self.data}"
        if self.accuracy is not None and self.truth is not None:
            right = int((self.classes == self.truth).sum())
            line += f": {right:,} right, {len(self.x) - right:,} wrong ({self.accuracy:.4f})"
        return line

    def worst(self, count: int) -> list[int]:
        """The images that the network is most wrong about: those whose true class it gives the
        least, of those it gets wrong; the worst first.

        Raises:
            UsageError: What they show is not known.
        """
        import numpy as np

        if self.truth is None or not self.class_names:
            raise UsageError("which mistakes are the worst is not known without the true classes")
        own = self.outputs[np.arange(len(self.outputs)), self.truth]
        wrong = np.flatnonzero(self.classes != self.truth)
        order: list[int] = wrong[np.argsort(own[wrong], kind="stable")][:count].tolist()
        return order


def per_class(spec: Spec, outputs: np.ndarray) -> tuple[np.ndarray, str | None]:
    """One number for each class, of which the largest says which it is: a network with one output
    knows two, and logits become probabilities. What hinge trains is class 1 above 0, not 0.5."""
    import numpy as np

    loss = spec.compile.loss if spec.compile else None
    logits = bool(loss and loss.arguments.get("from_logits"))
    binary = bool(loss and loss.name in {"BinaryCrossentropy", "BinaryFocalCrossentropy"})
    note = None
    if logits:
        values = outputs.astype(np.float64)
        if binary or outputs.shape[1] == 1:
            outputs, note = 1 / (1 + np.exp(-values)), "sigmoid of the network's logits"
        else:
            powers = np.exp(values - values.max(1, keepdims=True))
            outputs, note = powers / powers.sum(1, keepdims=True), "softmax of the network's logits"
    if outputs.shape[1] == 1:
        other = -outputs if loss and loss.name in HINGES else 1 - outputs
        outputs = np.concatenate([other, outputs], 1)
    return outputs, note
