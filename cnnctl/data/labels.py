"""Labels: class numbers and numeric targets, and whether a network can learn them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cnnctl.data.arrays import refuse_not_finite
from cnnctl.data.dataset import Dataset, Split, numbers_as_names
from cnnctl.errors import DataError
from cnnctl.io.text import counted

if TYPE_CHECKING:
    import numpy as np


def are_targets(y: np.ndarray) -> bool:
    """Whether the values of a split are numbers to learn, and not class numbers."""
    return y.dtype.kind == "f" or y.ndim > 1


def as_classes(dataset: Dataset, label_mode: str) -> Dataset:
    """Read class numbers that are stored in another form, where nothing is lost by it.

    Whole numbers in an array of floats are class numbers, and so are one-hot rows, with exactly one
    1 each, under `label_mode: categorical`. A note says so.

    Args:
        dataset: As loaded.
        label_mode: As in `fit_to`.
    """
    if label_mode == "float":
        return dataset
    splits = dict(dataset.splits())
    if all(split.y.dtype.kind == "f" and split.y.ndim == 1 for split in splits.values()):
        if not all(are_whole(split.y) for split in splits.values()):
            return dataset
        note = f"{dataset.name}: the labels are floats, and whole numbers: read as class numbers"
        labels = {name: split.y.astype("int64") for name, split in splits.items()}
    elif label_mode == "categorical" and all(is_one_hot(split.y) for split in splits.values()):
        note = f"{dataset.name}: the labels are one-hot rows: read as class numbers"
        labels = {name: split.y.argmax(1).astype("int64") for name, split in splits.items()}
    else:
        return dataset
    changed = {name: Split(split.x, labels[name]) for name, split in splits.items()}
    return replace(
        dataset,
        train=changed["train"],
        validation=changed.get("validation"),
        test=changed.get("test"),
        class_names=dataset.class_names or numbers_as_names(list(changed.values())),
        notes=(*dataset.notes, note),
    )


def are_whole(y: np.ndarray) -> bool:
    """Whether all values are whole numbers that float32 holds."""
    import numpy as np

    small = np.abs(y) < 1 << 24  # above that, not every whole number is a float32
    return bool((small & (np.floor(y) == y)).all())


def is_one_hot(y: np.ndarray) -> bool:
    """Whether each row has exactly one 1, and zeros otherwise."""
    if y.ndim != 2 or y.shape[1] < 2:
        return False
    ones = y == 1
    return bool((ones | (y == 0)).all() and (ones.sum(1) == 1).all())


def check_targets(y: np.ndarray, field: str, label_mode: str, outputs: int | None) -> None:
    """Refuse numeric targets where class numbers are wanted, or of another number than outputs."""
    refuse_not_finite(y, field, "picture")
    if label_mode != "float":
        raise DataError(
            f"{field} has {_kind_of(y)}; `label_mode: {label_mode}` needs class numbers",
            hint=_target_hint(y),
        )
    targets = y.shape[1] if y.ndim == 2 else 1
    if outputs is not None and outputs != targets:
        are_classes = targets == 1 and are_whole(y) and y.min() >= 0 and y.max() < outputs
        raise DataError(
            f"{field} has {counted(targets, 'numeric target')} for each picture, the network has "
            f"{counted(outputs, 'output')}",
            hint="for class numbers write `label_mode: int`"
            if are_classes
            else f"give the last layer {targets}",
        )


def _kind_of(y: np.ndarray) -> str:
    shape = f" of shape {y.shape}" if y.ndim > 1 else ""
    return f"{'integers' if y.dtype.kind in 'iu' else 'floats'}{shape}"


def _target_hint(y: np.ndarray) -> str:
    """A fix that loses nothing for labels that are not class numbers."""
    if is_one_hot(y):
        return (
            "these are one-hot rows: write `label_mode: categorical`, which takes them, and `loss: "
            "categorical_crossentropy`; or save the class numbers, y.argmax(axis=1)"
        )
    if y.ndim == 2 and bool(((y == 0) | (y == 1)).all()):
        return (
            "rows with several ones, or none, are multi-label targets: write `label_mode: float`, "
            f"{y.shape[1]} outputs with `activation: sigmoid`, and `loss: binary_crossentropy`"
        )
    return "for targets that are numbers themselves write `label_mode: float`"


def check_labels(y: np.ndarray, field: str, outputs: int | None, names: int) -> None:
    """Refuse class numbers beyond the outputs, or beyond the class names."""
    import numpy as np

    classes = outputs if outputs != 1 else 2
    wrong = y < 0
    if classes is not None:
        wrong |= y >= classes
    if wrong.any():
        index = int(np.argmax(wrong))
        if classes is None:
            expected = "class numbers start at 0"
        elif outputs == 1:
            expected = "a network with one output knows the classes 0 and 1"
        else:
            expected = f"the network's {classes} outputs are the classes 0 to {classes - 1}"
        least, most = int(y.min()), int(y.max())
        hint = f"give the last layer {most + 1} outputs, if all of these are classes"
        if least < 0:
            hint = "np.unique(y, return_inverse=True)[1] numbers classes from 0"
        if outputs == 1:
            hint = "for numeric targets write `label_mode: float`"
            if np.isin(y, (-1, 1)).all():
                hint = (
                    "for the labels -1 and 1 of a hinge write `label_mode: float`; or save them as "
                    "the classes 0 and 1, (y + 1) // 2, which hinge losses take as well"
                )
        if classes is not None and (least, most) == (1, classes):
            hint = "the labels start at 1: write y - 1"
        raise DataError(
            f"{field}: the label of picture {index} (counted from 0) is {y[index]}; {expected}",
            hint=hint,
        )
    if names and int(y.max()) >= names:
        index = int(np.argmax(y >= names))
        raise DataError(
            f"{field}: the label of picture {index} (counted from 0) is {y[index]}; there are only "
            f"{names} class names"
        )
