"""A training for every name of the catalog that takes part in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from arithmetic.test_each_layer import ONE, SEVERAL
from components import Case

from cnnctl.catalog import load
from cnnctl.catalog.example_values import SHOWN, VALUES
from cnnctl.specs import Component

IMAGE = (9, 8, 3)
HEAD = [{"Flatten": {"name": "flat"}}, {"Dense": {"units": 3, "activation": "softmax"}}]
SMALL = [
    {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
    {"MaxPooling2D": {"pool_size": 2}},
    {"Flatten": {}},
]
WHOLE = ("compile.parts=1",)

ACROSS = {"BatchNormalization", "Masking", "MelSpectrogram", "SpectralNormalization",
          "AugMix", "RandAugment", "RandomCrop", "RandomElasticTransform",
          "RandomGaussianBlur"}  # fmt: skip
"""Layers whose batches are not cut: written out here, so that the product's list is compared."""

STILL: dict[str, dict[str, Any]] = {
    "AlphaDropout": {"rate": 0}, "Dropout": {"rate": 0}, "GaussianDropout": {"rate": 0},
    "SpatialDropout1D": {"rate": 0}, "SpatialDropout2D": {"rate": 0},
    "SpatialDropout3D": {"rate": 0}, "GaussianNoise": {"stddev": 0},
    "RandomBrightness": {"factor": [0.2, 0.2]},
    "RandomColorDegeneration": {"factor": [0.5, 0.5]},
    "RandomColorJitter": {"brightness_factor": [0.1, 0.1]},
    "RandomErasing": {"factor": 0}, "RandomGrayscale": {"factor": 1.0},
    "RandomHue": {"factor": 0}, "RandomInvert": {"factor": [1.0, 1.0]},
    "RandomPerspective": {"factor": 0}, "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": [0.1, 0.1]}, "RandomSaturation": {"factor": [0.7, 0.7]},
    "RandomSharpness": {"factor": [0.5, 0.5]}, "RandomShear": {"x_factor": 0},
    "RandomTranslation": {"height_factor": [0.2, 0.2], "width_factor": [0.1, 0.1]},
    "RandomZoom": {"height_factor": [0.2, 0.2]}, "RandomContrast": {"factor": 0},
}  # fmt: skip
"""Random layers with arguments by which they draw nothing that matters: trained by the default
plan. Parts of a batch draw other numbers than the whole, so with other arguments only a whole batch
gives the losses of `fit`; RandomFlip always draws."""

SHORT: dict[str, list[tuple[tuple[int, ...], dict[str, Any]]]] = {
    "MelSpectrogram": [
        ((600,), {"sampling_rate": 1000, "fft_length": 128, "num_mel_bins": 8, "top_db": 3.0}),
    ],
    "STFTSpectrogram": [((300, 1), {"frame_length": 64, "frame_step": 32, "fft_length": 64})],
    "Masking": [((5, 4), {"mask_value": 0.0})],
}  # fmt: skip
"""In place of long sequences; and where an image says nothing."""

STEPWISE = ("AugMix", "RandAugment")
"""Layers that cut values down to whole ones: from pixels that are not whole, the last bit of one
would make another step of it, so these see the bytes themselves."""


TOGETHER = 10
"""Layers that are trained side by side in one network, each in a branch of its own."""


def cases() -> dict[str, Case]:
    """Every case by its name, which begins with its kind."""
    found = {f"layers {number}": each for number, each in enumerate(layers())}
    for name, each in [*losses(), *metrics(), *optimizers(), *others()]:
        number = sum(key.rpartition(" ")[0] == name or key == name for key in found)
        found[f"{name} {number}" if number else name] = each
    return found


def layers() -> Iterator[Case]:
    """Networks of several layers; one whose batch is not cut has those that are the reason, or that
    draw."""
    kinds: dict[str, list[tuple[str, list[Any]]]] = {
        "cut": [], "across": [], "drawn": [], "bytes": []
    }  # fmt: skip
    for kind, name, layers in branches():
        kinds[kind].append((name, layers))
    for kind, some in kinds.items():
        for first in range(0, len(some), TOGETHER):
            chosen = some[first : first + TOGETHER]
            yield Case(
                side_by_side([layers for _, layers in chosen]),
                parts=2 if kind == "cut" else 1,
                overrides=WHOLE if kind == "drawn" else (),
                members=tuple(name for name, _ in chosen),
                pixels="none" if kind == "bytes" else "signed",
            )


def case_of(names: Iterable[str], kind: str = "across") -> Case:
    """A network of the last form of some layers."""
    chosen = {name: layers for found, name, layers in branches() if found == kind and name in names}
    return Case(
        side_by_side(list(chosen.values())),
        parts=2 if kind == "cut" else 1,
        overrides=WHOLE if kind == "drawn" else (),
        members=tuple(chosen),
    )


def branches() -> Iterator[tuple[str, str, list[Any]]]:
    """(kind, name, layers) of each layer in each of its forms."""
    for name in load().names("layer"):
        if name in SEVERAL:
            for shapes, arguments in SEVERAL[name]:
                yield "cut", name, _several(name, shapes, arguments)
            continue
        kind = "across" if name in ACROSS else "cut"
        if name in STEPWISE:
            yield "bytes", name, [{name: {}}, {"Rescaling": {"scale": 1 / 127.5, "offset": -1.0}}]
            continue
        for shape, arguments in SHORT.get(name) or ONE.get(name) or [(IMAGE, _shown(name))]:
            given = {key: _plain(value) for key, value in arguments.items()}
            if not _can_be_written(name, given):
                continue
            drawn = name in STILL or name == "RandomFlip"
            yield "drawn" if drawn else kind, name, _one(name, shape, given)
        if name in STILL:
            shape = (ONE.get(name) or [(IMAGE, {})])[0][0]
            yield "cut", name, _one(name, shape, STILL[name])


def _can_be_written(name: str, arguments: dict[str, Any]) -> bool:
    """Whether a spec can have these arguments: small letters, one cell, a mean that is known."""
    return (
        arguments.get("padding") != "SAME"
        and not isinstance(arguments.get("cell"), list)
        and (name != "Normalization" or "mean" in arguments)
    )


def side_by_side(some: list[list[Any]]) -> list[Any]:
    """One network of several branches, each from the image to two numbers.

    The layers of the third branch are called `b2_…`; other names are those of the branch alone.
    """
    made: list[Any] = []
    for number, branch in enumerate(some):
        end = [{"Flatten": {}}, {"Dense": {"units": 2, "activation": "tanh"}}]
        for index, layer in enumerate([*branch, *end]):
            ((name, given),) = layer.items()
            given = dict(given, name=f"b{number}_{given.get('name', index)}")
            if "inputs" in given:
                given["inputs"] = [f"b{number}_{each}" for each in given["inputs"]]
            elif index == 0:
                given["inputs"] = ["input"]
            made.append({name: given})
    ends = [f"b{number}_{len(branch) + 1}" for number, branch in enumerate(some)]
    joined = [{"Concatenate": {"inputs": ends}}] if len(some) > 1 else []
    return [*made, *joined, {"Dense": {"units": 3, "activation": "softmax"}}]


def _shown(name: str) -> dict[str, Any]:
    entry = load().find("layer", name)
    assert entry is not None
    required = {
        each.name: VALUES[each.name]
        for each in entry.arguments
        if each.required and each.name in VALUES
    }
    return {**required, **SHOWN["layer"].get(name, {})}


def _one(name: str, shape: tuple[int, ...], arguments: dict[str, Any]) -> list[Any]:
    if shape == IMAGE:
        before: list[Any] = []
    elif "Embedding" in name:  # whole numbers from 0 to 10
        before = [{"Rescaling": {"scale": 5.0, "offset": 5.0}}, {"Flatten": {}},
                  {"Reshape": {"target_shape": [216]}}]  # fmt: skip
    else:
        before = [{"Flatten": {}}, {"Dense": {"units": _size(shape)}},
                  {"Reshape": {"target_shape": list(shape)}}]  # fmt: skip
    return [*before, {name: arguments}]


def _several(name: str, shapes: Any, arguments: dict[str, Any]) -> list[Any]:
    made: list[Any] = [{"Flatten": {"name": "all"}}]
    for number, shape in enumerate(shapes):
        made.append({"Dense": {"units": _size(shape), "inputs": ["all"]}})
        made.append({"Reshape": {"target_shape": list(shape), "name": f"way_{number}"}})
    given = {key: _plain(value) for key, value in arguments.items()}
    return [*made, {name: {**given, "inputs": [f"way_{n}" for n in range(len(shapes))]}}]


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for each in shape:
        size *= each
    return size


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return {value.name: {key: _plain(each) for key, each in value.arguments.items()}}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


SOFTMAX = {"Dense": {"units": 3, "activation": "softmax"}}
SIGMOIDS = {"Dense": {"units": 3, "activation": "sigmoid"}}
SIGMOID = {"Dense": {"units": 1, "activation": "sigmoid"}}
POSITIVE = {"Dense": {"units": 3, "activation": "softplus"}}
LINEAR = {"Dense": {"units": 3}}

LOSSES: dict[str, tuple[dict[str, Any], str, str]] = {
    "SparseCategoricalCrossentropy": (SOFTMAX, "labels", "int"),
    "CategoricalCrossentropy": (SOFTMAX, "labels", "categorical"),
    "CategoricalFocalCrossentropy": (SOFTMAX, "labels", "categorical"),
    "CategoricalGeneralizedCrossEntropy": (SOFTMAX, "labels", "int"),
    "CategoricalHinge": (LINEAR, "labels", "categorical"),
    "Dice": (SOFTMAX, "labels", "categorical"),
    "Tversky": (SOFTMAX, "labels", "categorical"),
    "KLDivergence": (SOFTMAX, "labels", "categorical"),
    "Circle": ({"Dense": {"units": 8}}, "labels", "int"),
    "BinaryCrossentropy": (SIGMOIDS, "multi", "float"),
    "BinaryFocalCrossentropy": (SIGMOIDS, "multi", "float"),
    "Hinge": (LINEAR, "signs", "float"),
    "SquaredHinge": (LINEAR, "signs", "float"),
    "CosineSimilarity": (LINEAR, "numbers", "float"),
    "Huber": (LINEAR, "numbers", "float"),
    "LogCosh": (LINEAR, "numbers", "float"),
    "MeanAbsoluteError": (LINEAR, "numbers", "float"),
    "MeanSquaredError": (LINEAR, "numbers", "float"),
    "MeanAbsolutePercentageError": (POSITIVE, "positive", "float"),
    "MeanSquaredLogarithmicError": (POSITIVE, "positive", "float"),
    "Poisson": (POSITIVE, "positive", "float"),
}

LOSSES_WHOLE = {"Circle", "Dice", "Tversky", "Hinge", "SquaredHinge", "CategoricalHinge"}
"""Those of which a batch is not cut (of hinges only where labels are numbers)."""

VARIANTS: list[tuple[str, dict[str, Any], dict[str, Any], str, str, int]] = [
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LINEAR, "labels", "int", 2),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0}, SOFTMAX, "labels", "int", 1),
    ("SparseCategoricalCrossentropy", {"reduction": "sum"}, SOFTMAX, "labels", "int", 1),
    ("SparseCategoricalCrossentropy", {"reduction": "mean"}, SOFTMAX, "labels", "int", 2),
    ("MeanSquaredError", {"reduction": "mean_with_sample_weight"}, LINEAR, "numbers", "float", 2),
    ("MeanSquaredError", {"dtype": "float64"}, LINEAR, "numbers", "float", 2),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, SOFTMAX, "labels", "categorical", 2),
    ("BinaryCrossentropy", {"from_logits": True}, LINEAR, "multi", "float", 2),
    ("BinaryCrossentropy", {}, SIGMOID, "two", "int", 2),
    ("Hinge", {}, {"Dense": {"units": 1}}, "two", "int", 2),
    ("CosineSimilarity", {"axis": 0}, LINEAR, "numbers", "float", 1),
]  # fmt: skip


def losses() -> Iterator[tuple[str, Case]]:
    for name, (last, data, mode) in LOSSES.items():
        whole = name in LOSSES_WHOLE and (mode == "float" or name in {"Circle", "Dice", "Tversky"})
        end = [last, {"UnitNormalization": {}}] if name == "Circle" else [last]
        yield (
            f"loss {name}",
            Case([*SMALL, *end], loss=name, data=data, mode=mode, parts=1 if whole else 2),
        )
    for name, arguments, last, data, mode, parts in VARIANTS:
        loss = {name: arguments} if arguments else name
        yield f"loss {name}", Case([*SMALL, last], loss=loss, data=data, mode=mode, parts=parts)


METRICS: dict[str, tuple[dict[str, Any], Any, str, str, list[Any]]] = {
    "class numbers": (SOFTMAX, "sparse_categorical_crossentropy", "labels", "int", [
        "accuracy", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
        {"SparseTopKCategoricalAccuracy": {"k": 2}},
    ]),
    "one-hot labels": (SOFTMAX, "categorical_crossentropy", "labels", "categorical", [
        "accuracy", "CategoricalAccuracy", "CategoricalCrossentropy", "CategoricalHinge",
        {"TopKCategoricalAccuracy": {"k": 2}}, "F1Score", {"FBetaScore": {"beta": 2.0}},
        {"F1Score": {"average": "macro", "name": "macro"}}, "KLDivergence", "CosineSimilarity",
        {"OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]}},
        {"OneHotMeanIoU": {"num_classes": 3}},
        {"AUC": {"multi_label": True, "num_labels": 3}}, {"Precision": {"class_id": 1}},
        {"Recall": {"top_k": 2}}, {"R2Score": {"class_aggregation": None}},
    ]),
    "one output": (SIGMOID, "binary_crossentropy", "two", "int", [
        "accuracy", "BinaryAccuracy", "BinaryCrossentropy", "AUC", "Precision", "Recall",
        "TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives",
        {"PrecisionAtRecall": {"recall": 0.5}}, {"RecallAtPrecision": {"precision": 0.5}},
        {"SensitivityAtSpecificity": {"specificity": 0.5}},
        {"SpecificityAtSensitivity": {"sensitivity": 0.5}},
        {"BinaryIoU": {"target_class_ids": [0, 1], "threshold": 0.5}},
    ]),
    "numbers": (LINEAR, "mean_squared_error", "numbers", "float", [
        "MeanSquaredError", "MeanAbsoluteError", "RootMeanSquaredError", "R2Score",
        "LogCoshError", "CosineSimilarity", "ConcordanceCorrelation", "PearsonCorrelation",
    ]),
    "positive numbers": (POSITIVE, "poisson", "positive", "float", [
        "Poisson", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError",
    ]),
    "signs": (LINEAR, "hinge", "signs", "float", ["Hinge", "SquaredHinge"]),
}  # fmt: skip


def metrics() -> Iterator[tuple[str, Case]]:
    for name, (last, loss, data, mode, some) in METRICS.items():
        yield (
            f"metrics of {name}",
            Case([*SMALL, last], loss=loss, data=data, mode=mode, metrics=tuple(some), parts=None),
        )


OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in load().names("optimizer") if name != "Muon"),
    ("Muon", {"weight_decay": 0.01}),
    ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"loss_scale_factor": 128.0}), ("SGD", {"clipnorm": 0.1}),
    ("Adam", {"amsgrad": True}), ("Adam", {"gradient_accumulation_steps": 2}),
    ("Adam", {"use_ema": True, "ema_overwrite_frequency": 2}), ("Adam", {"global_clipnorm": 0.1}),
    ("Adam", {"clipvalue": 0.01}), ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("AdamW", {"weight_decay": 0.1}),
]  # fmt: skip


def optimizers() -> Iterator[tuple[str, Case]]:
    for name, arguments in OPTIMIZERS:
        yield (
            f"optimizer {name}",
            Case([*SMALL, SOFTMAX], optimizer={name: arguments} if arguments else name),
        )
    for name in load().names("schedule"):
        entry = load().find("schedule", name)
        assert entry is not None
        given = {each.name: VALUES[each.name] for each in entry.arguments if each.required}
        steps = {"decay_steps": 2, "first_decay_steps": 2, "boundaries": [1, 2]}
        given |= {key: steps[key] for key in given if key in steps}
        optimizer = {"SGD": {"learning_rate": {name: given}}}
        yield f"schedule {name}", Case([*SMALL, SOFTMAX], optimizer=optimizer)


THRESHOLD = {"threshold": 0.1, "default_value": 0.0}


def others() -> Iterator[tuple[str, Case]]:
    """Small components side by side in one network: each kind is one training."""
    yield "activations", Case(_side_by_side(
        {"activation": {name: THRESHOLD} if name == "threshold" else name}
        for name in load().names("activation")
    ))  # fmt: skip
    yield "initializers", Case(_side_by_side(
        {"kernel_initializer": _with(name, "initializer")}
        for name in load().names("initializer") if name not in {"STFT", "Values"}
    ))  # fmt: skip
    yield "constraints", Case(_side_by_side(
        {"kernel_constraint": _with(name, "constraint")} for name in load().names("constraint")
    ))  # fmt: skip
    yield "regularizers", Case(_side_by_side(
        {"kernel_regularizer": _with(name, "regularizer")} for name in load().names("regularizer")
    ))  # fmt: skip
    yield "regularizers of outputs", Case(_side_by_side(
        {"activity_regularizer": name} for name in ("L1", "L2", "L1L2")
    ))  # fmt: skip
    cells = ({"RNN": {"cell": {name: {"units": 3}}}}
             for name in load().names("cell") if name != "StackedRNNCells")  # fmt: skip
    yield "cells", Case([
        {"Reshape": {"target_shape": [9, 24], "name": "steps"}},
        *({name: {**layer[name], "inputs": ["steps"], "name": f"cell_{number}"}}
          for number, layer in enumerate(cells) for name in layer),
        {"Concatenate": {"inputs": ["cell_0", "cell_1", "cell_2"]}}, *HEAD,
    ])  # fmt: skip
    frozen = {"Dense": {"units": 3, "activation": "softmax", "trainable": False}}
    yield "no trainable weight", Case([{"Flatten": {}}, frozen])
    yield "weights without gradient", Case(
        [{"ContrastLimitedAdaptiveHistogramEqualization": {}},
         {"Conv2D": {"filters": 3, "kernel_size": 3}}, {"Flatten": {}},
         {"Activation": {"activation": "relu"}}, SOFTMAX],
    )  # fmt: skip
    for kind in ("float64", "float16"):
        layer = {"Dense": {"units": 5, "dtype": kind}}
        last = {"Dense": {"units": 3, "activation": "softmax", "dtype": "float32"}}
        yield (
            f"a layer in {kind}",
            Case(
                [*SMALL, layer, last],
                optimizer="adam",
                tolerance=1e-2 if kind == "float16" else 1e-4,
            ),
        )
    along = {"Dense": {"units": 4, "activation": {"softmax": {"axis": 0}}}}
    yield "softmax along the batch", Case([*SMALL, along, SOFTMAX], parts=1)
    for name in ("EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"):
        callback = {name: {"monitor": "loss"}}
        yield f"callback {name}", Case([*SMALL, SOFTMAX], callbacks=(callback,), epochs=2)
    schedule = {"LearningRateScheduler": {"schedule": "0.05 * 0.5 ** epoch"}}
    for callback in (schedule, "CSVLogger", "TensorBoard", "TerminateOnNaN"):
        name = next(iter(callback)) if isinstance(callback, dict) else callback
        yield f"callback {name}", Case([*SMALL, SOFTMAX], callbacks=(callback,), epochs=2)
    averaged = {"Adam": {"use_ema": True}}
    yield (
        "callback SwapEMAWeights",
        Case([*SMALL, SOFTMAX], optimizer=averaged, callbacks=("SwapEMAWeights",)),
    )


def _with(name: str, kind: str) -> Any:
    arguments = SHOWN[kind].get(name)
    return {name: arguments} if arguments else name


def _side_by_side(arguments: Any) -> list[Any]:
    """A dense layer with each of some arguments, all of the same input."""
    made: list[Any] = [{"Flatten": {}}, {"Dense": {"units": 6, "name": "all"}}]
    names = []
    for number, each in enumerate(arguments):
        names.append(f"side_{number}")
        made.append({"Dense": {"units": 6, **each, "inputs": ["all"], "name": names[-1]}})
    joined = [{"Concatenate": {"inputs": names}}] if len(names) > 1 else []
    return [*made, *joined, SOFTMAX]
