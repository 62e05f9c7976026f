"""Private names of Keras, TensorFlow and tf2onnx that cnnctl relies on, all in this file.

Each has a test in `tests/test_compat.py` that says what breaks without it. Keras and TensorFlow are
imported in the functions, since commands that answer without them read this file too.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# Layers and their variables


def seed_generators(model: Any) -> Iterator[Any]:
    """Yield the random generators of a model's layers, each once, in the order of the layers.

    They are those of dropout and augmentation. Keras's models list the states of the generators
    among their variables, not the generators.
    """
    import keras

    seen: set[int] = set()
    for layer in model._flatten_layers(include_self=False):
        for generator in (getattr(layer, "seed_generator", None), *layer._seed_generators):
            if isinstance(generator, keras.random.SeedGenerator) and id(generator) not in seen:
                seen.add(id(generator))
                yield generator


def sole_consumer(layer: Any) -> Any:
    """Return the layer that alone takes a layer's output, both being called once; None if there is
    no such layer.

    Public are the tensors of a layer's first call, which do not tell whether there are others.
    """
    consumers = layer._outbound_nodes
    if len(consumers) != 1 or len(layer._inbound_nodes) != 1:
        return None
    consumer = consumers[0].operation
    return consumer if len(consumer._inbound_nodes) == 1 else None


@contextmanager
def values_replaced(variables: Sequence[Any], tensors: Sequence[Any]) -> Iterator[None]:
    """Let variables have the values of tensors in the block, for all layers that read them.

    `keras.StatelessScope` would do that too, but takes over every assignment in the block, such as
    those of moving averages.

    Args:
        variables: Instances of `keras.Variable`; nothing may assign to them in the block.
        tensors: One for each.
    """
    stored = [variable._value for variable in variables]
    try:
        for variable, tensor in zip(variables, tensors, strict=True):
            variable._value = tensor
        yield
    finally:
        for variable, value in zip(variables, stored, strict=True):
            variable._value = value


# Optimizers and the training step


def forget_strategy(model: Any) -> None:
    """Let `fit` run as if the model had not been built within the scope of a strategy.

    `model.distribute_strategy` cannot be set.
    """
    model._distribute_strategy = None


def skip_reduction(optimizer: Any) -> None:
    """Let an optimizer apply gradients as they are, instead of summing them over replicas first."""
    optimizer._all_reduce_sum_gradients = list


def restore_reduction(optimizer: Any) -> None:
    """Undo `skip_reduction`."""
    vars(optimizer).pop("_all_reduce_sum_gradients", None)


def slot_number(optimizer: Any, variable: Any) -> int:
    """Return the place of a trainable variable's slot in `momentums` and `velocities`.

    Args:
        optimizer: Built.
        variable: Either Keras's or TensorFlow's, as `update_step` gets it.
    """
    return int(optimizer._get_variable_index(variable))


def momentums(optimizer: Any) -> Sequence[Any]:
    """Return the moving averages of the gradients: a variable for each trainable one."""
    found: Sequence[Any] = optimizer._momentums
    return found


def velocities(optimizer: Any) -> Sequence[Any]:
    """Return the moving averages of the squared gradients: a variable for each trainable one."""
    found: Sequence[Any] = optimizer._velocities
    return found


# Metrics and callbacks


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


SWAPPED = "_ema_weights_in_model"
"""Whether a `SwapEMAWeights` has put the averages into the model."""

CALLBACK_STATE: dict[str, dict[str, type]] = {
    "EarlyStopping": {"wait": int, "stopped_epoch": int, "best": float, "best_epoch": int},
    "ReduceLROnPlateau": {"wait": int, "cooldown_counter": int, "best": float},
    "SwapEMAWeights": {SWAPPED: bool},
    "TensorBoard": {"_global_train_batch": int, "_global_test_batch": int},
}
"""The attributes of Keras's callbacks that change during a training, and their types; a float may
also be None. Checkpoints store them by these names."""


# Saving


def saved_weights(model: Any) -> bytes:
    """Return what `model.save_weights` writes, made in memory.

    Args:
        model: A `keras.Model`; its optimizer is saved with it.

    Returns:
        An HDF5 file.
    """
    from keras.src.saving.saving_lib import H5IOStore, _save_state

    buffer = io.BytesIO()
    store = H5IOStore(buffer, mode="w")
    _save_state(
        model, weights_store=store, assets_store=None, inner_path="", visited_saveables=set()
    )
    store.close()
    _keep_skipped_attributes()
    return buffer.getvalue()


_KINDS = ("Functional", "Layer", "Loss", "Metric", "Optimizer", "Sequential")


def _keep_skipped_attributes() -> None:
    """Let Keras keep the names of attributes that it does not save.

    Keras 3.15 stores them under `saving_attr_skipset_…` and looks for `saving_attr_skiplist_…`
    (`saving_lib.get_attr_skipset`). So each time a model is saved, it makes another layer, metric
    and optimizer to look at, and TensorFlow keeps the kernels that create their variables: 70 kB
    per save, in each epoch of a training.
    """
    from keras.src.backend.common import global_state

    for kind in _KINDS:
        found = global_state.get_global_attribute(f"saving_attr_skipset_{kind}")
        if found is not None:
            global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", found)


# TensorFlow and its graphs


def runs_onednn() -> bool:
    """Return whether TensorFlow computes with oneDNN: by default it depends on the processor, and
    is settled when TensorFlow is imported."""
    from tensorflow.python.util import _pywrap_util_port

    return bool(_pywrap_util_port.IsMklEnabled())


def wait_for(operation: Any, first: Any) -> None:
    """Let an operation of the graph that is being traced wait for another one.

    `tf.control_dependencies` takes only operations that are made later.
    """
    operation._add_control_input(first)


COMPILED_BY_XLA = ("_XlaMustCompile", "_noinline")
"""The attributes by which a graph says that a function is compiled by XLA: those that
`tf.function(jit_compile=True)` gives it and its calls."""


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
