"""The values in examples: what one would write where a generic value would say nothing."""

from __future__ import annotations

from typing import Any

VALUES: dict[str, Any] = {
    "activation": "relu",
    "axes": 1,
    "boundaries": [1000, 2000],
    "branches": [
        [{"Conv2D": {"filters": 8, "kernel_size": 1}}],
        [{"Conv2D": {"filters": 8, "kernel_size": 3, "padding": "same"}}],
    ],
    "cell": {"LSTMCell": {"units": 32}},
    "cells": [{"LSTMCell": {"units": 32}}, {"LSTMCell": {"units": 16}}],
    "decay_rate": 0.96,
    "decay_steps": 1000,
    "dims": [2, 1],
    "equation": "abc,cd->abd",
    "every": 3,
    "factor": 0.2,
    "filters": 32,
    "first_decay_steps": 1000,
    "head_dim": 16,
    "height": 24,
    "height_factor": 0.1,
    "initial_learning_rate": 0.001,
    "input_dim": 1000,
    "kernel_size": 3,
    "key_dim": 16,
    "layer": {"Dense": {"units": 10}},
    "layers": [{"Conv2D": {"filters": 32, "kernel_size": 3, "padding": "same"}}],
    "max_learning_rate": 0.01,
    "mean": 0.1307,
    "n": 4,
    "num_classes": 10,
    "num_heads": 4,
    "num_key_value_heads": 2,
    "num_query_heads": 4,
    "output_dim": 64,
    "output_shape": [64],
    "output_size": 4,
    "path": "pictures",
    "pool_size": 2,
    "precision": 0.9,
    "rate": 0.5,
    "recall": 0.9,
    "scale": 2.0,
    "schedule": "0.001 * 0.6 ** epoch",
    "sensitivity": 0.9,
    "specificity": 0.9,
    "stddev": 0.1,
    "target_class_ids": [1],
    "target_shape": [7, 7, 64],
    "threshold": 0.5,
    "times": 3,
    "units": 10,
    "value": 0.1,
    "values": [0.01, 0.001, 0.0001],
    "variance": 0.0949,
    "warm_up_epochs": 3,
    "width": 24,
    "width_factor": 0.1,
    "x_train": [[[0, 1], [1, 0]], [[1, 0], [0, 1]]],
    "y_train": [0, 1],
}
"""What a required argument is given, by its name."""

_RELU: dict[str, Any] = {"activation": "relu"}
_UPWARDS: dict[str, Any] = {"strides": 2, "padding": "same"}
_WINDOW: dict[str, Any] = {"pool_size": 2}
_SEQUENCES: dict[str, Any] = {"units": 32, "return_sequences": True}
_BEST: dict[str, Any] = {"monitor": "val_loss"}

SHOWN: dict[str, dict[str, dict[str, Any]]] = {
    "layer": {
        "ActivityRegularization": {"l2": 0.001},
        "Bidirectional": {"layer": {"LSTM": {"units": 32}}},
        **{name: _RELU for name in ("Conv1D", "Conv2D", "Conv3D")},
        **{name: _UPWARDS for name in ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")},
        **{name: {"cropping": 1} for name in ("Cropping1D", "Cropping2D", "Cropping3D")},
        "Dense": _RELU,
        "ELU": {"alpha": 0.5},
        **{name: _SEQUENCES for name in ("GRU", "LSTM", "SimpleRNN")},
        "GroupNormalization": {"groups": 8},
        "LeakyReLU": {"negative_slope": 0.2},
        "LocallyConnected2D": _RELU,
        "LpPooling2D": {**_WINDOW, "p": 2},
        **{name: _WINDOW for name in ("MaxPooling1D", "MaxPooling2D", "MaxPooling3D")},
        "PReLU": {"shared_axes": [1, 2]},
        "RandomFlip": {"mode": "horizontal"},
        "RandomPosterization": {"factor": 4},
        "RandomRotation": {"factor": 0.05},
        "RandomShear": {"x_factor": 0.2},
        "ReLU": {"max_value": 6},
        "Rescaling": {"offset": -1.0},
        **{name: _RELU for name in ("SeparableConv1D", "SeparableConv2D")},
        "SpectralNormalization": {"layer": {"Conv2D": {"filters": 32, "kernel_size": 3}}},
        **{name: {"size": 2} for name in ("UpSampling1D", "UpSampling2D", "UpSampling3D")},
        "WeightedAveragePooling2D": {"pool_size": 3, "sigma": 1.0},
        **{name: {"padding": 1} for name in ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")},
    },
    "block": {
        "Residual": {**_RELU},
        "Parallel": {"merge": "Concatenate"},
    },
    "cell": {name: {"units": 32} for name in ("GRUCell", "LSTMCell", "SimpleRNNCell")},
    "activation": {
        "leaky_relu": {"negative_slope": 0.1},
        "threshold": {"default_value": 0.0},
    },
    "initializer": {
        "Constant": {"value": 0.1},
        "RandomNormal": {"stddev": 0.01},
        "RandomUniform": {"minval": -0.1, "maxval": 0.1},
        "TruncatedNormal": {"stddev": 0.01},
        "VarianceScaling": {"scale": 2.0, "mode": "fan_out"},
    },
    "regularizer": {
        "L1": {"l1": 0.0001},
        "L1L2": {"l1": 0.0001, "l2": 0.001},
        "L2": {"l2": 0.001},
        "OrthogonalRegularizer": {"factor": 0.01},
    },
    "constraint": {
        "MaxNorm": {"max_value": 3},
        "MinMaxNorm": {"min_value": 0.5, "max_value": 2.0},
    },
    "optimizer": {
        "AdamW": {"weight_decay": 0.01},
        "Muon": {"weight_decay": 0.01},
        "RMSprop": {"rho": 0.95},
        "SGD": {"momentum": 0.9},
    },
    "loss": {
        "CategoricalFocalCrossentropy": {"gamma": 3.0},
        "Huber": {"delta": 0.5},
        "Tversky": {"alpha": 0.3, "beta": 0.7},
    },
    "metric": {
        "SparseTopKCategoricalAccuracy": {"k": 3},
        "TopKCategoricalAccuracy": {"k": 3},
    },
    "callback": {
        "EarlyStopping": {**_BEST, "patience": 3},
        "ModelCheckpoint": {**_BEST, "save_best_only": True},
        "ReduceLROnPlateau": {**_BEST, "factor": 0.5, "patience": 2},
    },
    "rate_schedule": {
        "exponential": {"decay_rate": 0.6},
        "warm_up": {"after": {"cosine": {"initial_learning_rate": 0.001}}},
    },
    "dataset": {
        "cifar100": {"label": "coarse"},
        "npz": {"path": "pictures.npz"},
        "xo": {"count": 2000, "rotate": 15},
    },
}
"""Arguments worth showing although they have a default, and values that suit one class only."""

NESTED: dict[str, Any] = {
    "layer": VALUES["layer"],
    "block": {"Residual": {"layers": VALUES["layers"]}},
    "cell": VALUES["cell"],
    "activation": "relu",
    "initializer": "he_normal",
    "regularizer": "l2",
    "constraint": "max_norm",
    "optimizer": "adam",
    "schedule": {"CosineDecay": {"initial_learning_rate": 0.001, "decay_steps": 1000}},
    "loss": "mean_squared_error",
    "metric": "accuracy",
    "callback": "EarlyStopping",
    "rate_schedule": {"cosine": {"initial_learning_rate": 0.001}},
    "dataset": "mnist",
}
"""A component where an argument of a plug-in's asks for one."""

PLACES = {
    "cell": "- RNN: {{cell: {}}}",
    "activation": "- Dense: {{units: 10, activation: {}}}",
    "initializer": "- Dense: {{units: 10, kernel_initializer: {}}}",
    "regularizer": "- Dense: {{units: 10, kernel_regularizer: {}}}",
    "constraint": "- Dense: {{units: 10, kernel_constraint: {}}}",
    "optimizer": "optimizer: {}",
    "schedule": "optimizer: {{Adam: {{learning_rate: {}}}}}",
    "loss": "loss: {}",
    "metric": "metrics: [{}]",
    "callback": "callbacks: [{}]",
    "rate_schedule": "callbacks: [{{LearningRateScheduler: {{schedule: {}}}}}]",
    "dataset": "dataset: {}",
}
"""Where in a spec a component of a kind stands; a layer or a block is an item of `layers`."""

PLACES_BY_NAME = {
    # It makes kernels of this form only: a window of 256 samples to 129 frequencies.
    "STFT": "- Conv1D: {{filters: 129, kernel_size: 256, kernel_initializer: {}}}",
}
"""Names that stand elsewhere than the others of their kind."""
