"""Data sets of plug-ins: what a registered function returns, or a registered class's `load`.

    @cnnctl.register(input_shape=(8, 8, 1), class_names=("across", "down"))
    def stripes(count: int = 200):
        ...
        return {"x_train": x, "y_train": y}

It returns a mapping of arrays with the names that an `.npz` file of Keras's has, and `class_names`
if it likes, or what Keras's `load_data()` returns: `(x_train, y_train), (x_test, y_test)`. The
argument `path`, if it has one, is a `pathlib.Path`, and starts at the spec's folder.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl import plugins
from cnnctl.catalog import Entry, load, nearest
from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.data.fitting import fit_to
from cnnctl.data.labels import are_targets
from cnnctl.data.npz import KEYS, splits_of
from cnnctl.errors import CnnctlError, DataError, Diagnostic
from cnnctl.plugins.traceback import places_in_plugins

if TYPE_CHECKING:
    from cnnctl.specs import Component

_NAMES = "class_names"
_ARRAYS = tuple(key for pair in KEYS.values() for key in pair)
_FORMS = "return {'x_train': …, 'y_train': …}, or (x_train, y_train), (x_test, y_test)"


def declared(name: str, arguments: dict[str, Any], base: Path) -> plugins.Declared:
    """What a plug-in's data set says of its images without loading them.

    Args:
        name: The data set.
        arguments: Those of the spec.
        base: Where a relative `path` starts.

    Raises:
        DataError: Its constructor fails, or what it declares cannot be.
    """
    made = _registered(name).registered
    if not isinstance(made, type):
        found = plugins.declared(name)
    else:
        instance = _called(name, made, _given(arguments, base))
        shape, names = getattr(instance, "input_shape", None), getattr(instance, _NAMES, ())
        try:
            found = plugins.Declared(None if shape is None else tuple(shape), tuple(names))
        except TypeError as error:
            raise DataError(f"{name} declares what is no list: {error}") from error
    shape, names = found.input_shape, found.class_names
    if shape is not None and not all(type(size) is int and size > 0 for size in shape):
        raise DataError(f"`input_shape` of {name} is a list of whole numbers, not {shape!r:.80}")
    if not all(isinstance(each, str) for each in names):
        raise DataError(f"`class_names` of {name} is a list of texts, not {names!r:.80}")
    return found


def load_registered(name: str, arguments: dict[str, Any], base: Path) -> Dataset:
    """Load a plug-in's data set, and look at what it returned.

    Args:
        name, arguments, base: As in `declared`.

    Raises:
        DataError: It fails, or what it returns is no data set, or not what it declares.
    """
    promised = declared(name, arguments, base)
    made = _registered(name).registered
    returned = _called(name, made, _given(arguments, base))
    if isinstance(made, type):
        returned = _called(name, returned.load, {})
    arrays = _arrays(name, returned)
    names = _class_names(name, arrays.pop(_NAMES, ()), promised.class_names)
    what = f"the data set {name}"
    splits = splits_of(arrays, what, hint=_FORMS)
    train = splits["train"].x.shape[1:]
    for key, split in splits.items():
        if isinstance(split, Split) and split.x.shape[1:] != train:
            raise DataError(
                f"{what} has pictures of shape {split.x.shape[1:]} in x_{key}, and of shape "
                f"{train} in x_train"
            )
    grey = (*train, 1) if len(train) == 2 else train
    if promised.input_shape is not None and promised.input_shape not in (train, grey):
        raise DataError(
            f"{what} declares pictures of shape {promised.input_shape}, and returns some of shape "
            f"{train}"
        )
    dataset = make_dataset(name, f"made by {_registered(name).source}", class_names=names, **splits)
    mode = "float" if are_targets(dataset.train.y) else "int"
    fit_to(dataset, train, mode)  # counts, NaN and labels, whatever network there will be
    return dataset


def located(error: DataError, dataset: Component) -> Diagnostic:
    """What a plug-in's data set fails with, at its place in the spec."""
    notes = tuple((error.hint or "").splitlines())
    return Diagnostic("failed-dataset", error.message, dataset.location, None, notes)


def _registered(name: str) -> Entry:
    entry = load().of_plugin("dataset", name)
    assert entry is not None
    return entry


def _given(arguments: dict[str, Any], base: Path) -> dict[str, Any]:
    given = dict(arguments)
    if isinstance(given.get("path"), str):
        try:
            given["path"] = base / Path(given["path"]).expanduser()
        except RuntimeError as error:  # `~name` of nobody
            raise DataError(f"{given['path']}: {error}") from error
    return given


def _called(name: str, function: Any, arguments: dict[str, Any]) -> Any:
    """What a plug-in's function returns; a failure of its own as one message."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # results alone go to standard output
            return function(**arguments)
    except CnnctlError:
        raise
    except (Exception, SystemExit) as error:
        where = "\n".join(places_in_plugins(error)) or None
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"the data set {name} failed: {reason}", hint=where) from error


def _arrays(name: str, returned: Any) -> dict[str, Any]:
    """What was returned as arrays by name, and `class_names` as it is."""
    import numpy as np

    if isinstance(returned, tuple) and [_is_pair(each) for each in returned] == [True, True]:
        returned = dict(
            zip(KEYS["train"] + KEYS["test"], (*returned[0], *returned[1]), strict=True)
        )
    if not isinstance(returned, Mapping):
        raise DataError(
            f"the data set {name} returns {type(returned).__name__}, and no arrays by name",
            hint=_FORMS,
        )
    found: dict[str, Any] = {}
    for key, value in returned.items():
        if key == _NAMES:
            found[key] = value
            continue
        if key not in _ARRAYS:
            close = nearest(str(key), [*_ARRAYS, _NAMES])
            raise DataError(
                f"the data set {name} returns `{key}`, which is not known",
                hint=f"did you mean {close}?" if close else f"there are {', '.join(_ARRAYS)}",
            )
        try:
            found[key] = np.asarray(value)
        except ValueError as error:  # lists of different lengths
            raise DataError(f"`{key}` of the data set {name} is no array: {error}") from error
    return found


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2


def _class_names(name: str, returned: Any, declared: tuple[str, ...]) -> tuple[str, ...]:
    is_list = isinstance(returned, list | tuple)
    if not is_list or not all(isinstance(each, str) for each in returned):
        raise DataError(f"`class_names` of the data set {name} is no list of texts")
    names = tuple(returned)
    if names and declared and names != declared:
        raise DataError(
            f"the data set {name} declares the classes {', '.join(declared)}, and returns "
            f"{', '.join(names)}"
        )
    return names or declared
