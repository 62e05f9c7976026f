"""A trained network for other programs: ONNX, LiteRT, SavedModel.

export.py             one export: written, loaded back, compared
inference_graph.py    the network as it predicts, traced for converters
decomposition.py      operations that converters lack, out of those that they have
onnx_operations.py    the same for ONNX
disagreement.py       the layer from which on an export computes something else
"""
