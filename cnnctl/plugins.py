"""Plug-ins: Python files whose classes a spec may name, beside Keras's and cnnctl's own.

    # my_layers.py
    import cnnctl, keras

    @cnnctl.register
    class Doubled(keras.layers.Layer):
        \"\"\"Twice its input.\"\"\"
        def call(self, x):
            return 2 * x

`cnnctl train net.yaml --plugin my_layers.py` runs the file. That flag is the one door through which
code enters: a spec cannot name a file of code, and neither can a checkpoint.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from cnnctl import catalog as catalogs
from cnnctl.catalog.foreign import describe
from cnnctl.errors import CnnctlError, UsageError

if TYPE_CHECKING:
    from cnnctl.arithmetic.registry import Rule

Class = TypeVar("Class", bound=type)

_KINDS = {
    "layer": ("layers", "Layer"),
    "callback": ("callbacks", "Callback"),
    "optimizer": ("optimizers", "Optimizer"),
    "schedule": ("optimizers.schedules", "LearningRateSchedule"),
    "loss": ("losses", "Loss"),
    "metric": ("metrics", "Metric"),
    "initializer": ("initializers", "Initializer"),
    "regularizer": ("regularizers", "Regularizer"),
    "constraint": ("constraints", "Constraint"),
}
"""Kind of the catalog → the module of Keras and the class from which its members derive."""


@dataclass(frozen=True)
class Plugin:
    """A file that was loaded.

    Args:
        path: The file.
        sha256: Of its bytes.
        names: What it registered.
    """

    path: Path
    sha256: str
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `environment.json`."""
        return {"path": str(self.path), "sha256": self.sha256, "names": list(self.names)}


_classes: dict[tuple[str, str], type] = {}
_loaded: dict[Path, Plugin] = {}


@overload
def register(registered: Class, /) -> Class: ...
@overload
def register(*, formula: Rule | None = None) -> Callable[[Class], Class]: ...
def register(
    registered: Class | None = None, /, *, formula: Rule | None = None
) -> Class | Callable[[Class], Class]:
    """Let specs name a class: a layer, optimizer, schedule, loss, metric, callback, initializer,
    regularizer or constraint, by the Keras class that it derives from.

    Its arguments are checked, documented and completed like those of Keras's classes, from its
    signature, annotations and docstring.

    Args:
        registered: The class; its name is what a spec says.
        formula: For a layer: works out its shape and weights without TensorFlow, see
            `cnnctl.arithmetic.registry`. Without it, `summary` builds the network with Keras.

    Raises:
        UsageError: It derives from none of these, or the name is taken.
    """
    if registered is None:
        return lambda each: _register(each, formula)
    return _register(registered, formula)


def _register(registered: Class, formula: Rule | None) -> Class:
    import keras

    kind = _kind_of(registered)
    source = Path(sys.modules[registered.__module__].__file__ or registered.__module__).name
    catalogs.load().add(describe(kind, registered, source))
    if formula is not None:
        from cnnctl.arithmetic.registry import formula as formula_of

        formula_of(registered.__name__)(formula)
    _classes[kind, registered.__name__] = registered
    if kind != "callback":
        keras.saving.register_keras_serializable(package=Path(source).stem)(registered)
    return registered


def find_class(kind: str, name: str) -> type:
    """The class behind an entry of a plug-in."""
    return _classes[kind, name]


def load(paths: Iterable[Path]) -> None:
    """Run plug-in files, each once.

    Raises:
        UsageError: A file is missing, fails, or registers nothing.
    """
    from cnnctl.backend import quiet

    for path in paths:
        resolved = path.resolve()
        if resolved in _loaded:
            continue
        if not resolved.is_file():
            raise UsageError(f"no such plug-in: {path}")
        quiet()
        before = set(_classes)
        _run(path, resolved)
        names = tuple(name for _, name in _classes.keys() - before)
        if not names:
            raise UsageError(
                f"the plug-in {path} registers nothing",
                hint="put `@cnnctl.register` above its class",
            )
        digest = hashlib.sha256(resolved.read_bytes()).hexdigest()
        _loaded[resolved] = Plugin(resolved, digest, tuple(sorted(names)))


def loaded() -> tuple[Plugin, ...]:
    """The plug-ins of this process, in the order in which they were loaded."""
    return tuple(_loaded.values())


def require(recorded: Iterable[Any], what: object) -> None:
    """Raise a `UsageError` if a plug-in that a run was made with is not loaded.

    Args:
        recorded: The plug-ins in the run's `environment.json`.
        what: The run, for the message.
    """
    there = {name for plugin in loaded() for name in plugin.names}
    for each in recorded:
        if not isinstance(each, dict):
            continue  # none of what cnnctl records
        path = Path(str(each.get("path")))
        if not there.issuperset(_names(each)):
            raise UsageError(
                f"{what} was made with the plug-in {path.name}, which is not loaded",
                hint=f"--plugin {path} runs it; look at it first if it is not your own",
            )


def changed(recorded: Iterable[Any]) -> Iterator[tuple[str, str, str]]:
    """The plug-ins that are not as a run recorded them: file, SHA-256 then, SHA-256 now."""
    for each in recorded:
        if not isinstance(each, dict):
            continue
        now = [plugin for plugin in loaded() if _names(each) & set(plugin.names)]
        before = str(each.get("sha256"))
        if now and before not in {plugin.sha256 for plugin in now}:
            yield now[0].path.name, before, now[0].sha256


def _names(recorded: dict[str, Any]) -> set[str]:
    names = recorded.get("names")
    return {str(name) for name in names} if isinstance(names, list) else set()


def _run(path: Path, resolved: Path) -> None:
    name = f"cnnctl_plugin_{resolved.stem}"
    spec = importlib.util.spec_from_file_location(name, resolved)
    if spec is None or spec.loader is None:
        raise UsageError(f"the plug-in {path} is no Python file", hint="its name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with contextlib.redirect_stdout(sys.stderr):  # results alone go to standard output
            spec.loader.exec_module(module)
    except CnnctlError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"the plug-in {path} fails{_line_of(error, resolved)}: {type(error).__name__}: {error}"
        ) from error


def _line_of(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f" in line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return f" in line {lines[-1]}" if lines else ""


def _kind_of(registered: type) -> str:
    import keras

    for kind, (module, base) in _KINDS.items():
        owner: Any = keras
        for part in module.split("."):
            owner = getattr(owner, part)
        if isinstance(registered, type) and issubclass(registered, getattr(owner, base)):
            return kind
    bases = ", ".join(f"keras.{module}.{base}" for module, base in _KINDS.values())
    raise UsageError(f"{registered!r} cannot be registered: it derives from none of {bases}")
