"""The rule by which a folder without split folders is divided into training, validation and test.

An image's place depends on its class, its name and the seed alone: not on the other images, on the
order in which a file system lists them, or on the machine.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnnctl.errors import DataError

DEFAULT = (0.8, 0.1, 0.1)
"""Parts for training, validation and test."""

WITHOUT_VALIDATION = (0.9, 0.0, 0.1)
"""The default where `data.validation` holds out training images."""


@dataclass(frozen=True, slots=True)
class SplitRule:
    """Which part of each class goes to which split.

    Args:
        parts: For training, validation and test; they add up to 1.
        seed: The same seed and file names give the same splits.
        is_default: Whether the spec leaves `parts` to the default.
    """

    parts: tuple[float, float, float] = DEFAULT
    seed: int = 0
    is_default: bool = True

    def divide(self, class_name: str, names: Sequence[str]) -> list[list[int]]:
        """Divide the images of one class.

        Args:
            class_name: The class.
            names: Its images' paths below the class folder, normalized (NFC).

        Returns:
            The indices of its training, validation and test images, each in ascending order.
        """

        def drawn(index: int) -> tuple[bytes, int]:
            text = f"{self.seed}\n{class_name}\n{names[index]}"
            return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest(), index

        order = sorted(range(len(names)), key=drawn)
        _, validation, test = self.counts(len(names))
        # From the front the test images: another part for validation leaves them as they are.
        return [sorted(order[validation + test :]), sorted(order[test : validation + test]),
                sorted(order[:test])]  # fmt: skip

    def counts(self, count: int) -> tuple[int, int, int]:
        """How many of a class's images go to training, validation and test.

        Parts are rounded to whole images, but each split gets at least one, unless there are fewer
        images than splits: then all are training images.
        """
        wanted = self.parts[1:]
        if count < self.fewest:
            return count, 0, 0
        held = [max(1, math.floor(count * part + 0.5)) if part else 0 for part in wanted]
        while sum(held) >= count:
            held[held.index(max(held))] -= 1
        return count - sum(held), held[0], held[1]

    @property
    def fewest(self) -> int:
        """How many images a class needs to be in every split."""
        return sum(part > 0 for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """The arguments of `image_folder` that repeat this split."""
        return {"split": list(self.parts), "split_seed": self.seed}


def split_rule(
    parts: Sequence[float] | None = None, seed: int = 0, *, holds_out: bool = False
) -> SplitRule:
    """Return the rule that the arguments of an `image_folder` ask for.

    Args:
        parts: Fractions or percentages for training, validation and test; None for the default.
        seed: The seed.
        holds_out: Whether `data.validation` holds out training images, so that the default leaves
            none for validation.

    Raises:
        DataError: The parts are not three that add up to 1 or 100, or none is for training.
    """
    if parts is None:
        return SplitRule(WITHOUT_VALIDATION if holds_out else DEFAULT, seed)
    total = math.fsum(parts)
    whole = next((whole for whole in (1, 100) if math.isclose(total, whole, rel_tol=1e-6)), None)
    if len(parts) != 3 or min(parts) < 0 or whole is None or not parts[0]:
        raise DataError(
            "`split` has the parts for training, validation and test, which add up to 1 (or 100), "
            f"with some for training. Received: {list(parts)}",
            hint="write `split: [0.8, 0.1, 0.1]`",
        )
    train, validation, test = (part / whole for part in parts)
    return SplitRule((train, validation, test), seed, is_default=False)
