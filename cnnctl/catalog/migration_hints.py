"""What other tools call the arguments, keys and values of a spec; see `foreign_names`."""

from __future__ import annotations

from typing import NamedTuple

from cnnctl.catalog.suggest import loosen
from cnnctl.catalog.synonyms import table

ARGUMENTS = table("""
    activation = act function nonlinearity
    beta_1 = beta1
    beta_2 = beta2
    bias_initializer = bias_init
    epsilon = eps
    filters = channels n_filters nb_filter nb_filters num_filters out_channels
    image_size = target_size
    kernel_initializer = init kernel_init
    kernel_regularizer = reg regularizer
    kernel_size = filter_size kernel
    pool_size = kernel_size pool window window_size ksize
    kernel_size = window window_size ksize
    learning_rate = eta lr
    initial_learning_rate = lr
    max_learning_rate = lr
    decay_steps = steps T_max
    dilation_rate = dilation
    negative_slope = alpha
    padding = border_mode
    path = dir directory file filename folder root
    rate = dropout dropout_rate p prob probability
    size = scale_factor
    strides = stride subsample
    times = count n num repeat
    units = hidden hidden_size neurons nodes num_units out_features output_dim size
    use_bias = bias
""")
"""Another tool's name for an argument → ours, those that come first first."""

_FROM_INPUT = "remove it: a layer takes that from its input"

ADVICE = {
    loosen(there): advice
    for there, advice in {
        "betas": "write `beta_1` and `beta_2`",
        "decay": "write a schedule for it: `learning_rate: {InverseTimeDecay: {…}}`",
        "in_channels": _FROM_INPUT,
        "in_features": _FROM_INPUT,
        "in_planes": _FROM_INPUT,
        "input_dim": _FROM_INPUT,
        "input_size": _FROM_INPUT,
        "inplace": "remove it: nothing depends on it",
        "keep_prob": "write `rate`, the share that is dropped: 1 - keep_prob",
        "num_features": _FROM_INPUT,
    }.items()
}
"""Another tool's argument that has no counterpart → what to do about it."""


class Advice(NamedTuple):
    """What to do about a key that a section does not have.

    Args:
        hint: The mend.
        meant: The dotted key that was probably meant, if it is one.
    """

    hint: str
    meant: str | None = None


_CLASSES = Advice("remove it: the data set tells its classes, and the last `Dense` has `units`")
_DEVICE = Advice("remove it: `cnnctl train --device` chooses")
_IMAGES = Advice("write it as layers at the start of `model.layers`, such as `RandomFlip`")
_RATE = Advice("write it at the optimizer: `optimizer: {Adam: {learning_rate: …}}`")
_VALIDATION = Advice("write `validation: 0.1` in `data`", "data.validation")
_WORKERS = Advice("remove it: cnnctl reads the pictures as fast as it can")


def _keys(section: str, words_of: dict[str, str | Advice]) -> dict[str, Advice]:
    """Words that mean the same, in one text, each with its advice; a text is a key of ours."""
    found: dict[str, Advice] = {}
    for words, advice in words_of.items():
        if isinstance(advice, str):
            advice = Advice(f"did you mean `{advice}`?", f"{section}{advice}")
        found |= {loosen(word): advice for word in words.split()}
    return found


KEYS = {
    "Document": _keys(
        "",
        {
            "base parent inherit inherits": "extends",
            "device gpu gpus": _DEVICE,
            "learning_rate lr": _RATE,
            "network net architecture arch": "model",
            "random_seed random_state": "seed",
            "title experiment": "name",
            "train training trainer": "fit",
            "validation_split val_split": _VALIDATION,
        },
    ),
    "Data": _keys(
        "data.",
        {
            "augment augmentation data_augmentation": _IMAGES,
            "horizontal_flip vertical_flip rotation_range zoom_range shear_range": _IMAGES,
            "image_size target_size": Advice(
                "write it at the data set: `{image_folder: {path: …, image_size: …}}`"
            ),
            "name source type": "dataset",
            "num_classes classes n_classes": _CLASSES,
            "num_workers workers": _WORKERS,
            "class_mode labels": "label_mode",
            "one_hot to_categorical": Advice("write `label_mode: categorical`", "data.label_mode"),
            "path dir directory root folder": Advice(
                "write `dataset: {image_folder: {path: …}}`", "data.dataset"
            ),
            "rescale scale normalization preprocessing": "normalize",
            "validation_split val_split val": "validation",
        },
    ),
    "Model": _keys(
        "model.",
        {
            "input input_size shape input_dim": "input_shape",
            "net network blocks": "layers",
            "num_classes classes n_classes": _CLASSES,
            "type class class_name kind": Advice("remove it: the `layers` are all of the model"),
        },
    ),
    "Compile": _keys(
        "compile.",
        {"criterion objective": "loss", "learning_rate lr": _RATE, "metric": "metrics"},
    ),
    "Fit": _keys(
        "fit.",
        {
            "device gpu gpus": _DEVICE,
            "early_stopping": Advice("write `callbacks: [{EarlyStopping: {patience: …}}]`"),
            "learning_rate lr": _RATE,
            "max_epochs nb_epoch": "epochs",
            "num_workers workers": _WORKERS,
            "steps_per_epoch": Advice("remove it: an epoch takes every picture once"),
            "validation_split validation_data val_split": _VALIDATION,
            "verbose": Advice("remove it: cnnctl shows the progress itself"),
        },
    ),
}
"""By section: a word that it does not know → what to do about it."""

VALUES = table("""
    categorical = onehot
    channels_first = first NCHW
    channels_last = last NHWC
    end = last
    grayscale = bw gray grey
    int = binary class integer sparse
    max = maximize maximum
    min = minimize minimum
    none = false
    rgb = color
    same = full half zero zeros
    standard = meanstd zscore
    start = first
    unit = 0-1 minmax true
""")
"""Another tool's word for one of several choices → ours, those that come first first."""
