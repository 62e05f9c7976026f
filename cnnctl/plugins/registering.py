"""The decorator `cnnctl.register`, and what it has registered in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, overload

from cnnctl import catalog as catalogs
from cnnctl.arithmetic.formula_table import Rule
from cnnctl.arithmetic.formula_table import formula as formula_of
from cnnctl.catalog.describe import describe
from cnnctl.errors import UsageError
from cnnctl.plugins.formulas import guarded
from cnnctl.plugins.kinds import OF_KERAS, kind_of
from cnnctl.plugins.traceback import placed

Target = TypeVar("Target", bound="type | Callable[..., Any]")
Key = tuple[str, str]
"""Kind and name."""

OF_FILE = "cnnctl_plugin_"
"""Before the stem of a plug-in's file, the name of its module."""


@dataclass(frozen=True)
class Declared:
    """What is known of a data set's images before they are loaded.

    Args:
        input_shape: Of one image, with its channels; None if it is not declared.
        class_names: By class number; empty if they are not declared.
    """

    input_shape: tuple[int, ...] | None = None
    class_names: tuple[str, ...] = ()


_registered: dict[Key, Any] = {}
_declared: dict[str, Declared] = {}
_labels: list[str] = []


@overload
def register(registered: Target, /) -> Target: ...
@overload
def register(
    *,
    formula: Rule | None = None,
    input_shape: Sequence[int] | None = None,
    class_names: Sequence[str] = (),
) -> Callable[[Target], Target]: ...
def register(
    registered: Any = None,
    /,
    *,
    formula: Rule | None = None,
    input_shape: Sequence[int] | None = None,
    class_names: Sequence[str] = (),
) -> Any:
    """Let specs name a class or a function.

    A class is a layer, optimizer, schedule, loss, metric, callback, initializer, regularizer or
    constraint by the Keras class that it derives from, and a data set if it has a method `load`. A
    function `(epoch, lr, …)` is a schedule of the learning rate by the epoch; any other function
    returns a data set (see `cnnctl.data.registered`).

    Its arguments are checked, documented and completed like those of Keras's classes, from its
    signature, annotations and docstring.

    Args:
        registered: The class or function; its name is what a spec says.
        formula: For a layer: works out its shape and weights without TensorFlow, see
            `cnnctl.arithmetic.formula_table`. Without it, `summary` builds the network with Keras.
        input_shape: For a function that returns a data set: the shape of an image, so that
            `check` and `summary` need not load it. A class has an attribute of that name.
        class_names: Likewise, the names of the classes.

    Raises:
        UsageError: It is nothing that can be registered, or the name is taken.
    """
    if isinstance(class_names, str):
        raise TypeError(f"`class_names` takes a list of names, not one text ({class_names!r:.40})")
    declared = Declared(tuple(input_shape) if input_shape else None, tuple(class_names))
    if registered is None:
        return lambda each: _register(each, formula, declared)
    return _register(registered, formula, declared)


def _register(registered: Any, formula: Rule | None, declared: Declared) -> Any:
    kind, name = kind_of(registered), registered.__name__
    if formula is not None and kind != "layer":
        raise UsageError(f"{name} has a `formula`, which is for layers: it is a {_noun(kind)}")
    if declared != Declared() and (kind != "dataset" or isinstance(registered, type)):
        hint = "make them attributes of the class" if kind == "dataset" else None
        raise UsageError(
            f"`input_shape` and `class_names` are for a function that returns a data set, and "
            f"{name} is a {_noun(kind) if kind != 'dataset' else 'class'}",
            hint=hint,
        )
    # A schedule is called from below, where plug-ins are not known: it tells its own place.
    behind = placed(registered) if kind == "rate_schedule" else registered
    catalogs.load().add(
        replace(describe(kind, registered, _source_of(registered)), registered=behind)
    )
    _registered[kind, name] = registered
    _declared[name] = declared
    if formula is not None:
        formula_of(name)(guarded(formula))
    if kind in OF_KERAS and kind != "callback":
        import keras

        keras.saving.register_keras_serializable(package=_package(registered))(registered)
    return registered


def declared(name: str) -> Declared:
    """What a function that returns a data set was registered with."""
    return _declared[name]


def keys() -> frozenset[Key]:
    """Everything that is registered."""
    return frozenset(_registered)


def of_module(module: str) -> frozenset[Key]:
    """What is registered by a module and those below it."""
    return frozenset(
        key
        for key, each in _registered.items()
        if each.__module__ == module or each.__module__.startswith(f"{module}.")
    )


def module_of(key: Key) -> str:
    """The module in which something was registered."""
    return str(_registered[key].__module__)


def forget(some: Iterable[Key]) -> None:
    """Take back what a plug-in registered that failed afterwards."""
    for key in some:
        catalogs.load().remove(*key)
        del _registered[key]


@contextmanager
def labelled(label: str) -> Iterator[None]:
    """Name a package as the source of what is registered inside the block, instead of a file."""
    _labels.append(label)
    try:
        yield
    finally:
        _labels.pop()


def _source_of(registered: Any) -> str:
    return _labels[-1] if _labels else _file_of(registered).name


def _file_of(registered: Any) -> Path:
    module = registered.__module__
    return Path(getattr(sys.modules[module], "__file__", None) or module)


def _package(registered: Any) -> str:
    """Under which name Keras knows the class in a saved model: that of its module."""
    module: str = registered.__module__
    return _file_of(registered).stem if module == "__main__" else module.removeprefix(OF_FILE)


def _noun(kind: str) -> str:
    return {"dataset": "data set", "rate_schedule": "schedule"}.get(kind, kind)
