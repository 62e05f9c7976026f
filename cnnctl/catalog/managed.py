"""Keras arguments that a spec may not give, each with the reason that an error shows."""

from __future__ import annotations

_LORA = "adapts a network that is already trained; a spec describes one trained from the start"
_ONE_OUTPUT = "a layer of a spec has one output, and this gives several"
_STATEFUL = "keeps state between batches, which a shuffled data set does not allow"
_WEIGHTS = "weights are trained or taken from a checkpoint, not written into a spec"
_QUANTIZED = "quantizes a network that is already trained"
_PRINTED = "cnnctl reports what happens itself"
_CHECKPOINTS = "cnnctl keeps whole checkpoints in the run folder, at the ends of epochs"
_HISTORY = "cnnctl writes history.csv in the run folder, for the whole run"
_SHAPE = "the shape of the input is written once, as model.input_shape"

_EVERYWHERE = {
    "layer": {
        "gptq_unpacked_column_size": _QUANTIZED,
        "lora_alpha": _LORA,
        "lora_rank": _LORA,
        "quantization_config": _QUANTIZED,
        "return_state": _ONE_OUTPUT,
        "stateful": _STATEFUL,
        "weights": _WEIGHTS,
    },
    "callback": {"verbose": _PRINTED},
}

_OF_CLASS = {
    ("callback", "CSVLogger"): {
        "append": _HISTORY,
        "filename": _HISTORY,
        "separator": _HISTORY,
    },
    ("callback", "ModelCheckpoint"): {
        "filepath": _CHECKPOINTS,
        "save_freq": _CHECKPOINTS,
        "save_weights_only": _CHECKPOINTS,
    },
    ("callback", "TensorBoard"): {
        "embeddings_metadata": "it names files outside the run folder",
        "log_dir": "cnnctl writes TensorBoard's files to tensorboard/ in the run folder",
    },
}

BASE_LAYER = {"batch_shape": _SHAPE, "batch_size": _SHAPE, "input_shape": _SHAPE}
"""Old keyword arguments of every Keras layer, told apart from a typing mistake."""


def reason(kind: str, class_name: str, argument: str) -> str | None:
    """Return why a spec may not give this argument, or None if it may."""
    of_class = _OF_CLASS.get((kind, class_name), {})
    return of_class.get(argument) or _EVERYWHERE.get(kind, {}).get(argument)
