"""Does the data fit the network? Looked at before the first step, not found out in the middle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnctl.data.arrays import refuse_no_pixels
from cnnctl.data.chunks import chunks
from cnnctl.data.dataset import Dataset, Split, numbers_as_names
from cnnctl.errors import DataError

if TYPE_CHECKING:
    import numpy as np


def fit_to(
    dataset: Dataset,
    input_shape: tuple[int | None, ...],
    label_mode: str = "int",
    outputs: int | None = None,
) -> Dataset:
    """Check every split against the network and return the data in the network's input shape.

    Pictures without a channel dimension get one where the network wants exactly one channel:
    `(28, 28)` becomes `(28, 28, 1)`. Nothing else is reshaped.

    Args:
        dataset: The data.
        input_shape: Of one picture, without the batch; None where any length will do.
        label_mode: `int` or `categorical`: class numbers, as they are or to become one-hot;
            `float`: numeric targets, to which integers are converted.
        outputs: How many classes (values) the network puts out; 1 allows the classes 0 and 1, or
            one numeric target. None: not known, labels have no upper limit.

    Returns:
        The data set, with `x` of shape `(pictures, *input_shape)`.

    Raises:
        DataError: A split is empty, its pictures and labels differ in number, a shape has a 0 or
            does not fit, a value is NaN or infinite, or a label is out of range.
    """
    fitted = {
        name: _fit_split(name, split, input_shape, label_mode, outputs, dataset)
        for name, split in dataset.splits()
    }
    return replace(
        dataset,
        train=fitted["train"],
        validation=fitted.get("validation"),
        test=fitted.get("test"),
    )


def _fit_split(
    name: str,
    split: Split,
    input_shape: tuple[int | None, ...],
    label_mode: str,
    outputs: int | None,
    dataset: Dataset,
) -> Split:
    if len(split.x) == 0:
        raise DataError(f"{dataset.name}: x_{name} is empty")
    if len(split.x) != len(split.y):
        is_last = split.x.ndim > 1 and split.x.shape[-1] == len(split.y)
        raise DataError(
            f"{dataset.name}: {len(split.x):,} pictures in x_{name}, "
            f"{len(split.y):,} labels in y_{name}",
            hint="the images are along the last axis: write np.moveaxis(x, -1, 0)"
            if is_last
            else None,
        )
    refuse_no_pixels(split.x.shape, f"{dataset.name}: x_{name}")
    of_files = bool(dataset.layout)
    x = _fit_shape(split.x, input_shape, f"{dataset.name}: x_{name}", of_files=of_files)
    _check_finite(x, f"{dataset.name}: x_{name}", "picture")
    y, y_field = split.y, f"{dataset.name}: y_{name}"
    if label_mode == "float" and y.dtype.kind != "f":
        y = y.astype("float32")
    if are_targets(y):
        _check_targets(y, y_field, label_mode, outputs)
    else:
        _check_labels(y, y_field, outputs, len(dataset.class_names))
    return Split(x, y)


def _fit_shape(
    x: np.ndarray, input_shape: tuple[int | None, ...], field: str, *, of_files: bool
) -> np.ndarray:
    def fits(shape: tuple[int, ...]) -> bool:
        return len(shape) == len(input_shape) and all(
            wanted is None or wanted == length
            for wanted, length in zip(input_shape, shape, strict=True)
        )

    if x.dtype.kind not in "uif":
        raise DataError(f"{field} holds values of type {x.dtype}; expected numbers")
    if fits(x.shape[1:]):
        return x
    if input_shape[-1:] == (1,) and fits((*x.shape[1:], 1)):
        return x[..., None]
    came, wanted = _words(x.shape[1:]), _words(input_shape)
    hint = _folder_hint(x.shape[1:], input_shape) if of_files else None
    raise DataError(
        f"{field} has pictures of shape {came}, the network's input_shape is {wanted}",
        hint=hint or _shape_hint(x.shape[1:], input_shape, fits),
    )


def _folder_hint(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> str | None:
    """A fix for image files of another shape than the network's."""
    if len(wanted) != 3 or wanted[2] not in (1, 3) or None in wanted:
        return None
    fixes = []
    if wanted[:2] != shape[:2]:
        fixes.append(f"`image_size: {list(wanted[:2])}` and `resize: true`")
    if wanted[2] != shape[2]:
        fixes.append(f"`color_mode: {'rgb' if wanted[2] == 3 else 'grayscale'}`")
    return f"write `input_shape: {list(shape)}`, or in image_folder {' and '.join(fixes)}"


def _shape_hint(
    shape: tuple[int, ...],
    wanted: tuple[int | None, ...],
    fits: Callable[[tuple[int, ...]], bool],
) -> str:
    """A fix for images of another shape than the network's."""
    if len(shape) == 3 and fits((shape[1], shape[2], shape[0])):
        return "the images have their channels first: write x.transpose(0, 2, 3, 1)"
    if len(shape) == 3 and fits((shape[1], shape[0], shape[2])):
        return "height comes before width: write `input_shape: " + f"{list(shape)}`"
    if len(shape) == 2 and len(wanted) == 3:
        return f"the images are gray: write `input_shape: {[*shape, 1]}`"
    if len(shape) == 3 and shape[2] == 1 and fits((*shape[:2], 3)):
        return f"the images are gray: write `input_shape: {list(shape)}`, or np.repeat(x, 3, -1)"
    known = [length for length in wanted if length is not None]
    if len(known) == len(wanted) and math.prod(shape) == math.prod(known) and 1 in (
        len(shape), len(wanted)
    ):  # fmt: skip
        return f"write x.reshape(-1, {', '.join(map(str, known))})"
    return f"write `input_shape: {list(shape)}`, or change the pictures"


def _check_finite(x: np.ndarray, field: str, noun: str) -> None:
    import numpy as np

    if x.dtype.kind != "f":
        return
    first, affected = "", 0
    for start, some in chunks(x):
        rows = some.reshape(len(some), -1)
        finite = np.isfinite(rows)
        if not finite.all():
            row, column = (int(number) for number in np.argwhere(~finite)[0])
            first = first or (
                f"{noun} {start + row} (counted from 0) has the value {rows[row, column]}"
            )
            affected += int((~finite.all(1)).sum())
    if affected:
        raise DataError(
            f"{field} is not finite: {first}; images affected: {affected:,} of {len(x):,}",
            hint="look for a division by 0 or missing values where the array was made, or leave "
            "these images out: np.isfinite tells which",
        )


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


def _check_targets(y: np.ndarray, field: str, label_mode: str, outputs: int | None) -> None:
    _check_finite(y, field, "picture")
    if label_mode != "float":
        raise DataError(
            f"{field} has {_kind_of(y)}; `label_mode: {label_mode}` needs class numbers",
            hint=_target_hint(y),
        )
    targets = y.shape[1] if y.ndim == 2 else 1
    if outputs is not None and outputs != targets:
        are_classes = targets == 1 and are_whole(y) and y.min() >= 0 and y.max() < outputs
        raise DataError(
            f"{field} has {targets} numeric target{'s' * (targets != 1)} for each picture, the "
            f"network has {outputs} output{'s' * (outputs != 1)}",
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


def _check_labels(y: np.ndarray, field: str, outputs: int | None, names: int) -> None:
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


def _words(shape: tuple[int | None, ...]) -> str:
    return "×".join("any" if length is None else str(length) for length in shape) or "()"
