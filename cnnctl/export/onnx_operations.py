"""Writing a traced network as ONNX, with the operations that tf2onnx lacks."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cnnctl.compat import keep_transposes
from cnnctl.export.decomposition import DECOMPOSITIONS
from cnnctl.export.inference_graph import Graph, Unsupported

OUTPUT = "Identity:0"
"""The name of the output in the files that Keras writes."""


def write_onnx(graph: Graph, path: Path) -> None:
    """Convert a graph to ONNX.

    Raises:
        Unsupported: ONNX has no operation for one of the graph's.
    """
    convert = importlib.import_module("tf2onnx").convert
    with keep_transposes():
        model, _ = convert.from_graph_def(
            graph.definition,
            name=graph.name,
            input_names=[graph.input],
            output_names=[graph.output],
            custom_op_handlers={"Erfc": (_erfc, []), "Expm1": (_expm1, [])},
            tensors_to_rename={graph.input: graph.input.partition(":")[0], graph.output: OUTPUT},
        )
    # What tf2onnx cannot convert it leaves as it is.
    defined = importlib.import_module("onnx").defs.has
    if lacking := [(node.op_type, node.name) for node in _nodes(model.graph)
                   if not defined(node.op_type, node.domain)]:  # fmt: skip
        raise Unsupported(lacking)
    path.write_bytes(model.SerializeToString())


WHICH = [name for name in DECOMPOSITIONS if name not in ("AvgPool3D", "MaxPool3D")]
"""The operations of TensorFlow that are decomposed for ONNX."""


def _nodes(graph: Any) -> Iterator[Any]:
    """The nodes of an ONNX graph, and those inside loops."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _erfc(context: Any, node: Any, name: str, _: Any) -> None:
    """1 - erf(x)."""
    _with_one(context, node, "Erf", one_first=True)


def _expm1(context: Any, node: Any, name: str, _: Any) -> None:
    """exp(x) - 1."""
    _with_one(context, node, "Exp", one_first=False)


def _with_one(context: Any, node: Any, function: str, *, one_first: bool) -> None:
    (x,), (output,) = node.input, node.output
    kind = {"shapes": [context.get_shape(output)], "dtypes": [context.get_dtype(output)]}
    one = context.make_const(f"{node.name}/one", np.float32(1)).output[0]
    context.remove_node(node.name)
    value = context.make_node(function, [x], name=f"{node.name}/{function}", **kind).output[0]
    operands = [one, value] if one_first else [value, one]
    context.make_node("Sub", operands, outputs=[output], name=node.name, **kind)
