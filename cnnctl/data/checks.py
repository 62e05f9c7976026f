"""Does the data fit the network? Looked at before the first step, not found out in the middle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cnnctl.data.chunks import chunks
from cnnctl.data.dataset import Dataset, Split
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
        DataError: A split is empty, its pictures and labels differ in number, a shape does not
            fit, a value is NaN or infinite, or a label is out of range.
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
        raise DataError(
            f"{dataset.name}: {len(split.x):,} pictures in x_{name}, "
            f"{len(split.y):,} labels in y_{name}"
        )
    x = _fit_shape(split.x, input_shape, f"{dataset.name}: x_{name}")
    _check_finite(x, f"{dataset.name}: x_{name}", "picture")
    y, y_field = split.y, f"{dataset.name}: y_{name}"
    if label_mode == "float" and y.dtype.kind != "f":
        y = y.astype("float32")
    if y.dtype.kind == "f":
        _check_targets(y, y_field, label_mode, outputs)
    else:
        _check_labels(y, y_field, outputs, len(dataset.class_names))
    return Split(x, y)


def _fit_shape(x: np.ndarray, input_shape: tuple[int | None, ...], field: str) -> np.ndarray:
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
    raise DataError(
        f"{field} has pictures of shape {came}, the network's input_shape is {wanted}",
        hint=f"write `input_shape: {list(x.shape[1:])}`, or change the pictures",
    )


def _check_finite(x: np.ndarray, field: str, noun: str) -> None:
    import numpy as np

    if x.dtype.kind != "f":
        return
    for start, some in chunks(x):
        rows = some.reshape(len(some), -1)
        finite = np.isfinite(rows)
        if not finite.all():
            row, column = (int(number) for number in np.argwhere(~finite)[0])
            value = rows[row, column]
            raise DataError(
                f"{field} is not finite: {noun} {start + row} (counted from 0) has the value "
                f"{value}"
            )


def _check_targets(y: np.ndarray, field: str, label_mode: str, outputs: int | None) -> None:
    if label_mode != "float":
        raise DataError(
            f"{field} holds {y.dtype} values; `label_mode: {label_mode}` needs class numbers",
            hint="write integers from 0 (from one-hot rows: `y.argmax(axis=1)`); for targets that "
            "are numbers themselves, `label_mode: float`",
        )
    targets = y.shape[1] if y.ndim == 2 else 1
    if outputs is not None and outputs != targets:
        raise DataError(
            f"{field} has {targets} numeric target{'s' * (targets != 1)} for each picture, the "
            f"network has {outputs} output{'s' * (outputs != 1)}",
            hint=f"give the last layer {targets}",
        )
    _check_finite(y, field, "picture")


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
        hint = "for numeric targets write `label_mode: float`" if outputs == 1 else None
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
