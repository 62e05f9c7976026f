"""Does the data fit the network? Looked at before the first step, not found out in the middle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnctl.data.arrays import refuse_no_pixels, refuse_not_finite
from cnnctl.data.dataset import Dataset, Split
from cnnctl.data.labels import are_targets, check_labels, check_targets
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

    Images without a channel dimension get one where the network wants exactly one channel:
    `(28, 28)` becomes `(28, 28, 1)`. Nothing else is reshaped.

    Args:
        dataset: The data.
        input_shape: Of one image, without the batch; None where any length will do.
        label_mode: `int` or `categorical`: class numbers, as they are or to become one-hot;
            `float`: numeric targets, to which integers are converted.
        outputs: How many classes (values) the network puts out; 1 allows the classes 0 and 1, or
            one numeric target. None: not known, labels have no upper limit.

    Returns:
        The data set, with `x` of shape `(images, *input_shape)`.

    Raises:
        DataError: A split is empty, its images and labels differ in number, a shape has a 0 or
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
    refuse_not_finite(x, f"{dataset.name}: x_{name}", "picture")
    y, y_field = split.y, f"{dataset.name}: y_{name}"
    if label_mode == "float" and y.dtype.kind != "f":
        y = y.astype("float32")
    if are_targets(y):
        check_targets(y, y_field, label_mode, outputs)
    else:
        check_labels(y, y_field, outputs, len(dataset.class_names))
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


def _words(shape: tuple[int | None, ...]) -> str:
    return "×".join("any" if length is None else str(length) for length in shape) or "()"
