"""Arguments whose meaning or bounds belong to one class."""

from __future__ import annotations

from cnnctl.catalog.schemas import (
    BOOLEAN,
    OBJECT,
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
_FRACTION = number(0, 1)
_POSITIVE = number(above=0)
_NOT_NEGATIVE = number(0)
_AXES = either(integer(), array(integer(), minimum=1))
_NUMBERS = either(number(), array(number(), minimum=1))
_SHIFT = factor(-1, 1)
_STRENGTH = factor(0, 1)
_WINDOW = STRING


def _margins(rank: int) -> Schema:
    """Return the schema of pixels at the edges: all alike, one an axis, or a pair an axis."""
    return either(sizes(rank, minimum=0), array(array(integer(0), 2), rank))


RULES: dict[str, dict[str, dict[str, Schema]]] = {
    "layer": {
        "Activation": {"activation": ref("activation")},
        "ActivityRegularization": {"l1": _NOT_NEGATIVE, "l2": _NOT_NEGATIVE},
        "Attention": {"score_mode": choice("dot", "concat")},
        "AugMix": {
            "all_ops": BOOLEAN,
            "alpha": _POSITIVE,
            "chain_depth": _COUNT,
            "num_chains": _COUNT,
        },
        "BatchNormalization": {
            "momentum": _FRACTION,
            "renorm": BOOLEAN,
            "renorm_clipping": OBJECT,
            "renorm_momentum": _FRACTION,
            "synchronized": BOOLEAN,
        },
        "Bidirectional": {
            "backward_layer": ref("layer"),
            "merge_mode": choice("concat", "sum", "mul", "ave"),
        },
        "ContrastLimitedAdaptiveHistogramEqualization": {
            "clip_limit": _POSITIVE,
            "tile_grid_size": array(_COUNT, 2),
        },
        "Conv1D": {"padding": choice("valid", "same", "causal")},
        "Cropping1D": {"cropping": sizes(2, minimum=0)},
        "Cropping2D": {"cropping": _margins(2)},
        "Cropping3D": {"cropping": _margins(3)},
        "Dot": {"axes": either(integer(), array(integer(), 2)), "normalize": BOOLEAN},
        "ELU": {"alpha": number()},
        "EinsumDense": {
            "bias_axes": STRING,
            "equation": STRING,
            "output_shape": either(_COUNT, array(optional(_COUNT), minimum=1)),
        },
        "GaussianNoise": {"stddev": _FRACTION},
        "GroupNormalization": {"groups": either(_COUNT, {"enum": [-1]})},
        "GroupQueryAttention": {
            "head_dim": _COUNT,
            "num_key_value_heads": _COUNT,
            "num_query_heads": _COUNT,
        },
        "LayerNormalization": {"axis": _AXES},
        "LeakyReLU": {"negative_slope": _NOT_NEGATIVE},
        "Masking": {"mask_value": number()},
        "MelSpectrogram": {
            "fft_length": _COUNT,
            "mag_exp": _POSITIVE,
            "max_freq": _POSITIVE,
            "min_freq": _NOT_NEGATIVE,
            "min_power": _POSITIVE,
            "num_mel_bins": _COUNT,
            "power_to_db": BOOLEAN,
            "ref_power": _POSITIVE,
            "sampling_rate": _COUNT,
            "sequence_length": _COUNT,
            "sequence_stride": _COUNT,
            "top_db": _POSITIVE,
            "window": choice("hann", "hamming", None),
        },
        "MultiHeadAttention": {
            "attention_axes": _AXES,
            "key_dim": _COUNT,
            "num_heads": _COUNT,
            "output_shape": either(_COUNT, array(_COUNT, minimum=1)),
            "value_dim": _COUNT,
        },
        "Normalization": {
            "axis": optional(_AXES),
            "invert": BOOLEAN,
            "mean": _NUMBERS,
            "variance": _NUMBERS,
        },
        "PReLU": {"shared_axes": either(_COUNT, array(_COUNT, minimum=1))},
        "Permute": {"dims": array(_COUNT, minimum=1)},
        "RMSNormalization": {"axis": _AXES},
        "RNN": {"zero_output_for_mask": BOOLEAN},
        "RandAugment": {"num_ops": _COUNT},
        "RandomBrightness": {"factor": _SHIFT},
        "RandomColorJitter": {
            "brightness_factor": _SHIFT,
            "contrast_factor": _STRENGTH,
            "hue_factor": _STRENGTH,
            "saturation_factor": _STRENGTH,
        },
        "RandomElasticTransform": {"scale": either(_NOT_NEGATIVE, array(_NOT_NEGATIVE, 2))},
        "RandomErasing": {
            "fill_value": either(number(), array(number(), 3)),
            "scale": array(number(0, 1), 2),
        },
        "RandomFlip": {"mode": choice("horizontal", "vertical", "horizontal_and_vertical")},
        "RandomGaussianBlur": {
            "kernel_size": sizes(2),
            "sigma": _STRENGTH,
        },
        "RandomGrayscale": {"factor": _FRACTION},
        "RandomPerspective": {"scale": _FRACTION},
        "RandomPosterization": {"factor": integer(1, 8)},
        "RandomRotation": {"factor": _SHIFT},
        "RandomShear": {"x_factor": _STRENGTH, "y_factor": _STRENGTH},
        "RandomTranslation": {"height_factor": _SHIFT, "width_factor": _SHIFT},
        "RandomZoom": {"height_factor": _SHIFT, "width_factor": _SHIFT},
        "ReLU": {
            "max_value": _NOT_NEGATIVE,
            "negative_slope": _NOT_NEGATIVE,
            "threshold": _NOT_NEGATIVE,
        },
        "RepeatVector": {"n": _COUNT},
        "Rescaling": {"offset": _NUMBERS, "scale": _NUMBERS},
        "Reshape": {"target_shape": array(integer(-1))},
        "Resizing": {
            "antialias": BOOLEAN,
            "crop_to_aspect_ratio": BOOLEAN,
            "fill_mode": choice("constant"),
            "interpolation": choice("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"),
            "pad_to_aspect_ratio": BOOLEAN,
        },
        "ReversibleEmbedding": {
            "logit_soft_cap": _POSITIVE,
            "reverse_dtype": choice("float16", "bfloat16", "float32", "float64"),
            "tie_weights": BOOLEAN,
        },
        "STFTSpectrogram": {
            "expand_dims": BOOLEAN,
            "fft_length": _COUNT,
            "frame_length": _COUNT,
            "frame_step": _COUNT,
            "mode": choice("log", "magnitude", "psd", "real", "imag", "angle", "stft"),
            "periodic": BOOLEAN,
            "scaling": choice("density", "spectrum", None),
            "window": optional(_WINDOW),
        },
        "Softmax": {"axis": _AXES},
        "Solarization": {"addition_factor": _STRENGTH, "threshold_factor": _STRENGTH},
        "SpectralNormalization": {"power_iterations": _COUNT},
        "StackedRNNCells": {"cells": array(ref("cell"), minimum=1)},
        "UnitNormalization": {"axis": _AXES},
        "UpSampling1D": {"size": _COUNT},
        "UpSampling2D": {
            "interpolation": choice("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
        },
        "ZeroPadding1D": {"padding": sizes(2, minimum=0)},
        "ZeroPadding2D": {"padding": _margins(2)},
        "ZeroPadding3D": {"padding": _margins(3)},
    },
    "optimizer": {
        "Adafactor": {
            "beta_2_decay": number(maximum=0),
            "clip_threshold": _POSITIVE,
            "epsilon_1": _NOT_NEGATIVE,
            "epsilon_2": _NOT_NEGATIVE,
            "relative_step": BOOLEAN,
        },
        "Ftrl": {
            "beta": _NOT_NEGATIVE,
            "l1_regularization_strength": _NOT_NEGATIVE,
            "l2_regularization_strength": _NOT_NEGATIVE,
            "l2_shrinkage_regularization_strength": _NOT_NEGATIVE,
            "learning_rate_power": number(maximum=0),
        },
        "Muon": {
            "adam_beta_1": number(0, below=1),
            "adam_beta_2": number(0, below=1),
            "adam_lr_ratio": _POSITIVE,
            "adam_weight_decay": optional(_NOT_NEGATIVE),
            "exclude_embeddings": BOOLEAN,
            "exclude_layers": array(STRING),
            "muon_a": number(),
            "muon_b": number(),
            "muon_c": number(),
            "ns_steps": _COUNT,
            "rms_rate": optional(_POSITIVE),
        },
        "RMSprop": {"centered": BOOLEAN},
        "ScheduleFreeAdamW": {"warmup_steps": integer(0)},
    },
    "schedule": {
        "PiecewiseConstantDecay": {
            "boundaries": array(integer(0), minimum=1),
            "values": array(_NOT_NEGATIVE, minimum=2),
        },
    },
    "loss": {
        "BinaryFocalCrossentropy": {"alpha": _FRACTION},
        "CategoricalFocalCrossentropy": {
            "alpha": either(_NOT_NEGATIVE, array(_NOT_NEGATIVE, minimum=1))
        },
        "CategoricalGeneralizedCrossEntropy": {"q": number(above=0, below=1)},
        "Circle": {"gamma": _POSITIVE, "margin": number(), "remove_diagonal": BOOLEAN},
        "Huber": {"delta": _POSITIVE},
        "Tversky": {"alpha": _NOT_NEGATIVE, "beta": _NOT_NEGATIVE},
    },
    "metric": {
        "AUC": {
            "curve": choice("ROC", "PR", "PRGAIN"),
            "label_weights": array(_NOT_NEGATIVE, minimum=1),
            "multi_label": BOOLEAN,
            "num_labels": _COUNT,
            "num_thresholds": integer(2),
            "summation_method": choice("interpolation", "majoring", "minoring"),
            "thresholds": array(_FRACTION, minimum=1),
        },
        "BinaryAccuracy": {"threshold": number()},  # 0 for logits
        "BinaryIoU": {"target_class_ids": array(integer(0, 1), minimum=1), "threshold": _FRACTION},
        "F1Score": {"threshold": number(above=0, maximum=1)},
        "FBetaScore": {"beta": _POSITIVE, "threshold": number(above=0, maximum=1)},
        "R2Score": {
            "class_aggregation": choice("uniform_average", "variance_weighted_average", None),
            "num_regressors": integer(0),
        },
        "SparseTopKCategoricalAccuracy": {"from_sorted_ids": BOOLEAN},
    },
    "initializer": {
        "Constant": {"value": number()},
        "RandomUniform": {"maxval": number(), "minval": number()},
        "STFT": {
            "periodic": BOOLEAN,
            "scaling": choice("density", "spectrum", None),
            "side": choice("real", "imag"),
            "window": optional(_WINDOW),
        },
        "VarianceScaling": {
            "distribution": choice("truncated_normal", "untruncated_normal", "uniform"),
            "mode": choice("fan_in", "fan_out", "fan_avg"),
            "scale": _POSITIVE,
        },
    },
    "activation": {
        "leaky_relu": {"negative_slope": _NOT_NEGATIVE},
        "relu": {
            "max_value": _NOT_NEGATIVE,
            "negative_slope": _NOT_NEGATIVE,
            "threshold": _NOT_NEGATIVE,
        },
        "softmax": {"axis": _AXES},
    },
    "callback": {
        "EarlyStopping": {"restore_best_weights": BOOLEAN, "start_from_epoch": integer(0)},
        "LearningRateScheduler": {"schedule": either(STRING, ref("rate_schedule"))},
        "ModelCheckpoint": {"initial_value_threshold": number(), "save_best_only": BOOLEAN},
        "ReduceLROnPlateau": {
            "cooldown": integer(0),
            "factor": number(above=0, below=1),
            "min_lr": _NOT_NEGATIVE,
        },
        "SwapEMAWeights": {"swap_on_epoch": BOOLEAN},
        "TensorBoard": {
            "embeddings_freq": integer(0),
            "histogram_freq": integer(0),
            "profile_batch": either(integer(0), array(integer(0), 2)),
            "update_freq": either(choice("batch", "epoch"), _COUNT),
            "write_graph": BOOLEAN,
            "write_images": BOOLEAN,
            "write_steps_per_second": BOOLEAN,
        },
        "TerminateOnNaN": {"raise_error": BOOLEAN},
    },
}
