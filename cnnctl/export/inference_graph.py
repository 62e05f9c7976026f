"""A network as it predicts, traced for converters: augmentation and dropout are the identity.

Keras traces a model as it would be called, and some layers (augmentation, pipelines of it) take
that for training. Here every layer is told that it is not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from cnnctl.compat import COMPILED_BY_XLA, freeze
from cnnctl.export.decomposition import decompose

OUTPUT = "output_0"
"""The name that Keras gives an output."""
_LOOPS = ("TensorListReserve", "While", "StatelessWhile")


def prediction(model: keras.Model, batch: int | None = None) -> Any:
    """The traced prediction of a model, without what its output does not depend on: some layers
    draw random numbers that they do not use.

    Args:
        model: Built, of one input and one output.
        batch: How many images it takes; any number by default.
    """
    given = model.inputs[0]
    signature = tf.TensorSpec((batch, *given.shape[1:]), given.dtype, name=given.name)
    traced = tf.compat.v1.wrap_function(lambda x: model(x, training=False), [signature])
    return traced.prune(traced.inputs[0], traced.outputs[0])


def write_saved_model(model: keras.Model, path: Path) -> None:
    """Write the prediction of a model as a SavedModel, with its variables, as Keras does."""
    predict = prediction(model)
    archive = keras.export.ExportArchive()
    archive.track(model)
    given = model.inputs[0]
    signature = keras.InputSpec(shape=given.shape, dtype=given.dtype, name=given.name)
    archive.add_endpoint("serve", lambda x: predict(x), [signature])
    archive.write_out(str(path), options=_for_serving(), verbose=False)


class Unsupported(Exception):
    """A format has no equivalent of an operation.

    Args:
        operations: Type and name of each, as TensorFlow calls them.
    """

    def __init__(self, operations: Sequence[tuple[str, str]]) -> None:
        super().__init__(", ".join(sorted({kind for kind, _ in operations})))
        self.operations = tuple(operations)


class Graph:
    """The prediction of a model as a graph of plain operations, with constants for variables.

    Args:
        model: Built, of one input and one output. It stays as it is.
        which: Types of operations that are decomposed.
        batch: How many images it takes; any number by default.
    """

    def __init__(
        self, model: keras.Model, which: Collection[str] = (), batch: int | None = None
    ) -> None:
        self.name = model.name
        frozen = freeze(prediction(model, batch))
        self.input, self.output = frozen.inputs[0].name, frozen.outputs[0].name
        plain = self._function(_without_xla(frozen.graph.as_graph_def(add_shapes=True)))
        inlined = freeze(plain)
        self.definition = decompose(inlined.graph, inlined.inputs[0], which)

    def _function(self, definition: Any) -> Any:
        imported = tf.compat.v1.wrap_function(
            lambda: tf.graph_util.import_graph_def(definition, name=""), []
        )
        return imported.prune(self.input, self.output)

    @property
    def loops(self) -> bool:
        """Whether it has loops, as recurrent layers do."""
        return any(node.op in _LOOPS for node in self.definition.node)

    def write_saved_model(self, path: Path) -> None:
        """Write it as a SavedModel with the names that Keras gives inputs and outputs."""
        compute = self._function(self.definition)
        (given,) = compute.inputs
        name = self.input.partition(":")[0]
        module = tf.Module()
        module.serve = tf.function(
            lambda x: {OUTPUT: compute(x)},
            input_signature=[tf.TensorSpec(given.shape, given.dtype, name=name)],
        )
        tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve},
                            options=_for_serving())  # fmt: skip


def _for_serving() -> Any:
    """Without gradients of TensorFlow's own making, as `silu` has one: they refer to the graph that
    was traced, of which a part is left."""
    return tf.saved_model.SaveOptions(experimental_custom_gradients=False)


def _without_xla(definition: Any) -> Any:
    """A graph in which nothing has to be compiled by XLA: Keras asks for it where TensorFlow cannot
    compute an operation on a CPU, as a convolution in groups was.

    The functions that change get other names.
    """
    functions = definition.library.function
    names = {each.signature.name: f"{each.signature.name}_plain" for each in functions}
    for each in functions:
        each.signature.name = names[each.signature.name]
    nodes = [*definition.node, *(node for each in functions for node in each.node_def)]
    for each in (*nodes, *functions):
        for attribute in COMPILED_BY_XLA:
            if attribute in each.attr:
                del each.attr[attribute]
        for value in each.attr.values():
            for called in (value.func, *value.list.func):
                if called.name:
                    called.name = names[called.name]
    return definition
