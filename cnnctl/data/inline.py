"""Arrays that are written in the spec itself, as nested lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnctl.data.arrays import as_targets, pixel_facts, refuse_no_pixels
from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.errors import DataError

if TYPE_CHECKING:
    import numpy as np


def load_inline(
    *,
    x_train: list[Any],
    y_train: list[Any],
    x_test: list[Any] | None = None,
    y_test: list[Any] | None = None,
    class_names: list[str] | None = None,
) -> Dataset:
    """Make a data set of nested lists.

    Args:
        x_train: The training images, all of one shape.
        y_train: A class number for each, or a number (with a point) as its target.
        x_test: The test images.
        y_test: Their labels or targets.
        class_names: By class number.

    Returns:
        Images float32; labels int64 where all are integers, targets float32 otherwise.

    Raises:
        DataError: The lists are ragged or hold something that is no number, or only one of
            `x_test` and `y_test` is there.
    """
    import numpy as np

    if (x_test is None) != (y_test is None):
        given, lacking = ("y_test", "x_test") if x_test is None else ("x_test", "y_test")
        raise DataError(f"{given} is given and {lacking} is not")
    test = None
    if x_test is not None and y_test is not None:
        test = Split(_images(x_test, "x_test"), _targets(y_test, "y_test"))
    train = Split(_images(x_train, "x_train"), _targets(y_train, "y_train"))
    lists = {"train": x_train, "test": x_test}
    known, stored = pixel_facts({name: np.array(x) for name, x in lists.items() if x})
    return make_dataset(
        "inline",
        "the spec",
        train,
        test=test,
        class_names=tuple(map(str, class_names or ())),
        pixel_range=known,
        stored=stored,
    )


def _images(lists: list[Any], field: str) -> np.ndarray:
    import numpy as np

    shape = _shape(lists, field)
    if len(shape) < 2:
        raise DataError(f"{field} is a plain list; expected a list of pictures, each a list itself")
    refuse_no_pixels(shape, field)
    with np.errstate(over="ignore"):
        return np.array(lists, np.float64).astype(np.float32)


def _targets(lists: list[Any], field: str) -> np.ndarray:
    import numpy as np

    _shape(lists, field)
    return as_targets(np.array(lists), field=field)


def _shape(value: Any, place: str) -> tuple[int, ...]:
    """Return the shape of nested lists, which must be the same everywhere.

    Raises:
        DataError: It is not; the message names the first place that differs.
    """
    if not isinstance(value, (list, tuple)):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise DataError(f"{place} is {value!r}; expected a number")
        if abs(value) > 2**63 and isinstance(value, int):
            raise DataError(f"{place} is {value}, which is too large")
        return ()
    if not value:
        return (0,)
    first = _shape(value[0], f"{place}[0]")
    for index, item in enumerate(value[1:], start=1):
        shape = _shape(item, f"{place}[{index}]")
        if shape != first:
            raise DataError(
                f"{place} is ragged: {place}[{index}] is {_words(shape)}, "
                f"{place}[0] is {_words(first)}"
            )
    return (len(value), *first)


def _words(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return f"a list of {'x'.join(map(str, shape))} numbers"
