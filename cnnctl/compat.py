"""Private names of Keras, TensorFlow and tf2onnx that cnnctl relies on, all in this file."""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def direction_of(metric: Any) -> str | None:
    """Return which values of a metric Keras takes for the better ones.

    Keras's metrics set `_direction` in their constructors, and `mode: auto` of Keras's callbacks
    goes by it.

    Args:
        metric: A metric of Keras's.

    Returns:
        "up", "down", or None where Keras does not know.
    """
    return _known(getattr(metric, "_direction", None))


def declared_direction(metric: type) -> str | None:
    """Return the direction that a metric's class declares itself: by an attribute or in `__init__`.

    The source is read, since constructing a metric makes variables, which would start TensorFlow
    before its threads are chosen. What is decided within a branch is not known.

    Args:
        metric: A class that derives from `keras.metrics.Metric`; what its bases declare is not
            looked at.
    """
    return _known(vars(metric).get("_direction") or _set_in_constructor(metric))


def _known(direction: object) -> str | None:
    return str(direction) if direction in ("up", "down") else None


def _set_in_constructor(owner: type) -> object:
    """The last constant that `__init__` puts into `self._direction`, outside any branch."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(vars(owner)["__init__"]))).body[0]
    except (KeyError, OSError, TypeError, SyntaxError):  # none of its own, or made at run time
        return None
    found = None
    for statement in tree.body if isinstance(tree, ast.FunctionDef) else ():
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            targets = [ast.unparse(target) for target in statement.targets]
            found = statement.value.value if "self._direction" in targets else found
    return found


def saved_weights(model: Any) -> bytes | None:
    """Return what `model.save_weights` writes, made in memory.

    Args:
        model: A `keras.Model`; its optimizer is saved with it.

    Returns:
        An HDF5 file; None if this Keras is arranged in another way.
    """
    try:
        from keras.src.saving.saving_lib import H5IOStore, _save_state
    except ImportError:
        return None
    buffer = io.BytesIO()
    store = H5IOStore(buffer, mode="w")
    _save_state(
        model, weights_store=store, assets_store=None, inner_path="", visited_saveables=set()
    )
    store.close()
    _keep_skipped_attributes()
    return buffer.getvalue()


def runs_onednn() -> bool:
    """Return whether TensorFlow computes with oneDNN: by default it depends on the processor, and
    is settled when TensorFlow is imported."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return True
    return bool(_pywrap_util_port.IsMklEnabled())


_KINDS = ("Functional", "Layer", "Loss", "Metric", "Optimizer", "Sequential")


def _keep_skipped_attributes() -> None:
    """Let Keras keep the names of attributes that it does not save.

    Keras 3.15 stores them under `saving_attr_skipset_…` and looks for `saving_attr_skiplist_…`
    (`saving_lib.get_attr_skipset`). So each time a model is saved, it makes another layer, metric
    and optimizer to look at, and TensorFlow keeps the kernels that create their variables: 70 kB
    per save, in each epoch of a training.
    """
    try:
        from keras.src.backend.common import global_state
    except ImportError:
        return
    for kind in _KINDS:
        found = global_state.get_global_attribute(f"saving_attr_skipset_{kind}")
        if found is not None:
            global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", found)


def freeze(function: Any) -> Any:
    """Return a function with constants in place of variables, and the functions it calls inlined.

    TensorFlow's converters call this function themselves, and it has no other name.

    Args:
        function: A `ConcreteFunction`.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(
        function, lower_control_flow=False, aggressive_inlining=True
    )


@contextmanager
def keep_transposes() -> Iterator[None]:
    """Stop tf2onnx from replacing transposes by reshapes where an axis has the size 1.

    It takes the sizes that it has recorded, and where it moved a transpose behind `x * x` (as
    `UnitNormalization` computes) it records them in the old order: on maps of 1 x 1 the batch was
    multiplied by the channels. onnxruntime computes such a transpose without moving a number.
    """
    optimizer = importlib.import_module("tf2onnx.optimizer.transpose_optimizer").TransposeOptimizer
    replace = optimizer.post_optimize_action
    optimizer.post_optimize_action = lambda self: None
    try:
        yield
    finally:
        optimizer.post_optimize_action = replace
