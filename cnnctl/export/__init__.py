"""A trained network for other programs: ONNX, LiteRT, SavedModel.

export.py             one export: written, loaded back, compared
writers.py            a network in each format
runtimes.py           an export, loaded back by its own runtime
agreement.py          an export compared with its network
export_errors.py      errors at the layer that is the cause
inference_graph.py    the network as it predicts, traced for converters
decomposition.py      operations that converters lack, out of those that they have
onnx_operations.py    the same for ONNX
disagreement.py       the layer from which on an export computes something else
"""
