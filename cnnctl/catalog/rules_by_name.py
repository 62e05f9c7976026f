"""Arguments that mean the same wherever they occur within a kind."""

from __future__ import annotations

from collections.abc import Callable

from cnnctl.catalog.schemas import (
    BOOLEAN,
    NULL,
    STRING,
    Schema,
    array,
    choice,
    either,
    factor,
    integer,
    number,
    optional,
    ref,
    sizes,
)

_COUNT = integer(1)
_EPOCHS = integer(0)
_FRACTION = number(0, 1)
_DECAY = number(0, below=1)
_POSITIVE = number(above=0)
_NOT_NEGATIVE = number(0)
_AXES = either(integer(), array(integer(), minimum=1))
_STRENGTH = factor(0, 1)

DTYPES = ("float16", "bfloat16", "float32", "float64")
POLICIES = (*DTYPES, "mixed_float16", "mixed_bfloat16")

ANY_KIND: dict[str, Schema] = {
    "dtype": choice(*DTYPES),
    "name": STRING,
    "seed": integer(0),
}

RANKED: dict[str, dict[str, Callable[[int], Schema]]] = {
    "layer": {
        # One whole number, or one for each axis that the class's name counts.
        "dilation_rate": sizes,
        "kernel_size": sizes,
        "output_padding": lambda rank: sizes(rank, minimum=0),
        "output_size": sizes,
        "pool_size": sizes,
        "size": sizes,
        "strides": sizes,
    }
}

RULES: dict[str, dict[str, Schema]] = {
    "layer": {
        "activation": either(ref("activation"), NULL),
        "axis": integer(),
        "cell": ref("cell"),
        "center": BOOLEAN,
        "data_format": choice("channels_last", "channels_first", None),
        "depth_multiplier": _COUNT,
        "dropout": _DECAY,
        "dtype": choice(*POLICIES),
        "epsilon": _NOT_NEGATIVE,
        "factor": _STRENGTH,
        "fill_mode": choice("constant", "nearest", "reflect", "wrap"),
        "fill_value": number(),
        "filters": _COUNT,
        "flash_attention": BOOLEAN,
        "go_backwards": BOOLEAN,
        "groups": _COUNT,
        "height": _COUNT,
        "input_dim": _COUNT,
        "interpolation": choice("bilinear", "nearest"),
        "keepdims": BOOLEAN,
        "layer": ref("layer"),
        "mask_zero": BOOLEAN,
        "noise_shape": array(optional(_COUNT), minimum=1),
        "output_dim": _COUNT,
        "padding": choice("valid", "same"),
        "rate": _DECAY,
        "recurrent_activation": either(ref("activation"), NULL),
        "recurrent_dropout": _DECAY,
        "reset_after": BOOLEAN,
        "return_sequences": BOOLEAN,
        "scale": BOOLEAN,
        "sliding_window": _COUNT,
        "trainable": BOOLEAN,
        "unit_forget_bias": BOOLEAN,
        "units": _COUNT,
        "unroll": BOOLEAN,
        "use_bias": BOOLEAN,
        "use_cudnn": either(choice("auto"), BOOLEAN),
        "use_gate": BOOLEAN,
        "use_scale": BOOLEAN,
        "value_range": array(number(), 2),
        "width": _COUNT,
    },
    "optimizer": {
        "amsgrad": BOOLEAN,
        "beta_1": _DECAY,
        "beta_2": _DECAY,
        "clipnorm": _POSITIVE,
        "clipvalue": _POSITIVE,
        "ema_momentum": _FRACTION,
        "ema_overwrite_frequency": _COUNT,
        "epsilon": _NOT_NEGATIVE,
        "global_clipnorm": _POSITIVE,
        "gradient_accumulation_steps": integer(2),
        "initial_accumulator_value": _NOT_NEGATIVE,
        "learning_rate": either(_POSITIVE, ref("schedule")),
        "loss_scale_factor": _POSITIVE,
        "momentum": _FRACTION,
        "nesterov": BOOLEAN,
        "rho": _DECAY,
        "use_ema": BOOLEAN,
        "weight_decay": _NOT_NEGATIVE,
    },
    "schedule": {
        "alpha": _NOT_NEGATIVE,
        "cycle": BOOLEAN,
        "decay_rate": _POSITIVE,
        "decay_steps": _COUNT,
        "end_learning_rate": _NOT_NEGATIVE,
        "first_decay_steps": _COUNT,
        "initial_learning_rate": _NOT_NEGATIVE,
        "m_mul": _POSITIVE,
        "power": _NOT_NEGATIVE,
        "staircase": BOOLEAN,
        "t_mul": _POSITIVE,
        "warmup_steps": integer(0),
        "warmup_target": _POSITIVE,
    },
    "loss": {
        "apply_class_balancing": BOOLEAN,
        "axis": _AXES,
        "from_logits": BOOLEAN,
        "gamma": _NOT_NEGATIVE,
        "ignore_class": integer(),
        "label_smoothing": _FRACTION,
        "reduction": choice(
            "sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None
        ),
    },
    "metric": {
        "average": choice("micro", "macro", "weighted"),
        "axis": integer(),
        "class_id": integer(0),
        "from_logits": BOOLEAN,
        "ignore_class": integer(),
        "k": _COUNT,
        "label_smoothing": _FRACTION,
        "num_classes": _COUNT,
        "num_thresholds": _COUNT,
        "precision": _FRACTION,
        "recall": _FRACTION,
        "sensitivity": _FRACTION,
        "sparse_y_pred": BOOLEAN,
        "sparse_y_true": BOOLEAN,
        "specificity": _FRACTION,
        "target_class_ids": array(integer(0), minimum=1),
        "thresholds": either(_FRACTION, array(_FRACTION, minimum=1)),
        "top_k": _COUNT,
    },
    "initializer": {
        "gain": number(),
        "input_axes": _AXES,
        "mean": number(),
        "output_axes": _AXES,
        "stddev": _NOT_NEGATIVE,
    },
    "regularizer": {
        "factor": _NOT_NEGATIVE,
        "l1": _NOT_NEGATIVE,
        "l2": _NOT_NEGATIVE,
        "mode": choice("rows", "columns"),
    },
    "constraint": {
        "axis": _AXES,
        "max_value": _NOT_NEGATIVE,
        "min_value": _NOT_NEGATIVE,
        "rate": _FRACTION,
    },
    "activation": {
        "alpha": number(),
        "approximate": BOOLEAN,
        "axis": integer(),
        "b": number(),
        "default_value": number(),
        "negative_slope": number(),
        "threshold": number(),
    },
    "callback": {
        "baseline": number(),
        "min_delta": _NOT_NEGATIVE,
        "mode": choice("auto", "min", "max"),
        "monitor": STRING,
        "patience": _EPOCHS,
    },
}
