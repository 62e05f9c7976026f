"""What Keras does not have: cnnctl's layers and blocks, and the names that Keras resolves late."""

from __future__ import annotations

from typing import Any

from cnnctl.catalog.datasets import DATASETS, numbers
from cnnctl.catalog.entry import Argument, Entry
from cnnctl.catalog.managed import BASE_LAYER
from cnnctl.catalog.rate_schedules import RATE_SCHEDULES
from cnnctl.catalog.rules_by_name import POLICIES
from cnnctl.catalog.schemas import (
    BOOLEAN,
    NULL,
    STRING,
    Schema,
    array,
    choice,
    either,
    integer,
    number,
    optional,
    ref,
    sizes,
)

_PADDING = choice("valid", "same")
_DATA_FORMAT = choice("channels_last", "channels_first", None)
_LAYERS = array(ref("layer"))


def _argument(name: str, schema: Schema, doc: str, default: Any = None) -> Argument:
    return Argument(name, schema, default=default, doc=doc)


def _required(name: str, schema: Schema, doc: str) -> Argument:
    return Argument(name, schema, required=True, doc=doc)


def _layer(name: str, summary: str, *arguments: Argument) -> Entry:
    base = (
        _argument("name", optional(STRING), "The layer's name, unique in the network."),
        _argument("dtype", choice(*POLICIES, None), "Type of the computation and the weights."),
        _argument("trainable", BOOLEAN, "Whether training changes the weights.", True),
    )
    managed = dict(BASE_LAYER)
    return Entry("layer", name, (), summary, (*arguments, *base), managed=managed, source="cnnctl")


def _weights(what: str, initializer: str) -> tuple[Argument, ...]:
    return (
        _argument(
            f"{what}_initializer", ref("initializer"), f"How the {what} starts.", initializer
        ),
        _argument(f"{what}_regularizer", optional(ref("regularizer")), f"Penalty on the {what}."),
        _argument(
            f"{what}_constraint", optional(ref("constraint")), f"What the {what} must satisfy."
        ),
    )


def _pooling(*arguments: Argument) -> tuple[Argument, ...]:
    return (
        _argument("pool_size", sizes(2), "Height and width of the window, in pixels.", 2),
        _argument(
            "strides", optional(sizes(2)), "Pixels from one window to the next; null: the window."
        ),
        _argument("padding", _PADDING, "valid: only whole windows; same: padded.", "valid"),
        *arguments,
        _argument("data_format", _DATA_FORMAT, "Where the channels are; null: Keras's setting."),
    )


_LAYER_ENTRIES = (
    _layer(
        "LocallyConnected2D",
        "2D convolution whose kernel is another one at each position.",
        _required("filters", integer(1), "Channels of the output."),
        _required("kernel_size", sizes(2), "Height and width of the kernels, in pixels."),
        _argument("strides", sizes(2), "Pixels from one position to the next.", 1),
        _argument("padding", _PADDING, "valid: only whole windows; same: padded.", "valid"),
        _argument("data_format", _DATA_FORMAT, "Where the channels are; null: Keras's setting."),
        _argument("activation", either(ref("activation"), NULL), "Applied to the output."),
        _argument("use_bias", BOOLEAN, "Whether each output gets a bias of its own.", True),
        *_weights("kernel", "glorot_uniform"),
        *_weights("bias", "zeros"),
        _argument("activity_regularizer", optional(ref("regularizer")), "Penalty on the output."),
    ),
    _layer(
        "LpPooling2D",
        "2D pooling by the p-norm: (sum of |x|^p over the window)^(1/p).",
        *_pooling(_argument("p", number(1), "The norm: 1 sums, 2 is Euclid's; large: maximum.", 2)),
    ),
    _layer(
        "WeightedAveragePooling2D",
        "2D average pooling whose weights fall, as a Gaussian, with the distance from the centre.",
        *_pooling(
            _argument(
                "sigma",
                optional(either(number(above=0), array(number(above=0), 2))),
                "Width of the Gaussian in pixels, or one for height and width; "
                "null: half the pool size.",
            )
        ),
    ),
)

_BLOCK_ENTRIES = (
    Entry(
        "block",
        "Residual",
        summary="Layers in a row, whose output is added to their input.",
        arguments=(
            _required("layers", array(ref("layer"), minimum=1), "The layers, one after another."),
            _argument(
                "shortcut",
                _LAYERS,
                "Layers on the way past them, to fit the shape; none: the input itself.",
                [],
            ),
            _argument("activation", either(ref("activation"), NULL), "Applied after the sum."),
        ),
        source="cnnctl",
    ),
    Entry(
        "block",
        "Repeat",
        summary="The same layers several times in a row, each time with weights of their own.",
        arguments=(
            _required("times", integer(1), "How many times."),
            _required("layers", array(ref("layer"), minimum=1), "The layers, one after another."),
        ),
        source="cnnctl",
    ),
    Entry(
        "block",
        "Parallel",
        summary="Rows of layers side by side on the same input, joined by a merging layer.",
        arguments=(
            _required("branches", array(_LAYERS, minimum=2), "The rows; an empty one: the input."),
            _argument("merge", ref("layer"), "The layer that joins them.", "Concatenate"),
        ),
        source="cnnctl",
    ),
)

_RESOLVED_ENTRIES = (
    Entry(
        "metric",
        "accuracy",
        ("acc",),
        "The share of right answers: binary, categorical or sparse, as labels and output demand.",
        direction="up",
    ),
    Entry(
        "loss",
        "crossentropy",
        ("ce",),
        "Crossentropy: binary, categorical or sparse, as labels and output demand.",
        direction="down",
    ),
)

_INITIALIZER_ENTRIES = (
    Entry(
        "initializer",
        "Values",
        summary="The very numbers that are written, as a worked example on paper has them.",
        arguments=(
            _required(
                "values",
                array(numbers(3), minimum=1),
                "Nested lists in Keras's order; axes of length 1 may be left out.",
            ),
            _argument(
                "filters_first",
                BOOLEAN,
                "Whether the filters are listed one after another, each (height, width[, inputs]).",
                False,
            ),
        ),
        source="cnnctl",
    ),
)

OWN = (
    *_LAYER_ENTRIES,
    *_BLOCK_ENTRIES,
    *_INITIALIZER_ENTRIES,
    *_RESOLVED_ENTRIES,
    *RATE_SCHEDULES,
    *DATASETS,
)
"""Every entry that is not in `keras.json`."""
