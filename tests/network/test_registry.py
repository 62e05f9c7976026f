"""Everything in the catalog is constructed, each argument with values that its schema allows."""

import inspect

import keras
import numpy as np
import pytest
from catalog.samples import alternatives, kind_of, sample

from cnnctl.catalog import load
from cnnctl.catalog.allowed import MODULES
from cnnctl.errors import Location, UsageError
from cnnctl.network import registry
from cnnctl.network.build import construct as build
from cnnctl.network.registry import construct
from cnnctl.specs.components import Component

EVERY_ENTRY = [(kind, name) for kind in MODULES for name in load().names(kind)]

TOGETHER = {
    # Arguments that Keras wants in company.
    "AUC": {"multi_label": True},
    "Conv1DTranspose": {"strides": 2},
    "Conv2DTranspose": {"strides": 2},
    "Conv3DTranspose": {"strides": 2},
    "STFTSpectrogram": {"frame_length": 1, "window": None},
}
FITTING = {
    # Values that text alone does not give.
    ("Bidirectional", "layer"): lambda: construct("layer", "LSTM", {"units": 2}),
    ("Bidirectional", "backward_layer"): lambda: construct(
        "layer", "LSTM", {"units": 2, "go_backwards": True}
    ),
    ("CosineDecay", "warmup_target"): lambda: 1.0,
    ("EinsumDense", "bias_axes"): lambda: "c",
    ("EinsumDense", "equation"): lambda: "ab,bc->ac",
    ("GroupNormalization", "groups"): lambda: 1,
    ("GroupQueryAttention", "num_key_value_heads"): lambda: 1,
    ("LearningRateScheduler", "schedule"): lambda: lambda epoch: 0.1 / (epoch + 1),
    ("IoU", "num_classes"): lambda: 2,
    ("OneHotIoU", "num_classes"): lambda: 2,
    ("MelSpectrogram", "window"): lambda: "hann",
    ("PiecewiseConstantDecay", "boundaries"): lambda: [10],
    ("PiecewiseConstantDecay", "values"): lambda: [0.1, 0.01],
    ("RandomGaussianBlur", "kernel_size"): lambda: 3,
    ("STFT", "window"): lambda: "hann",
    ("STFTSpectrogram", "window"): lambda: "hann",
    ("StackedRNNCells", "cells"): lambda: [construct("cell", "LSTMCell", {"units": 2})],
    ("CSVLogger", "filename"): lambda: "history.csv",
    ("ModelCheckpoint", "filepath"): lambda: "model.keras",
}


def _required(entry):
    given = {
        argument.name: FITTING[entry.name, argument.name]()
        if (entry.name, argument.name) in FITTING
        else sample(alternatives(argument.schema)[0], construct)
        for argument in entry.arguments
        if argument.required
    }
    # What the run folder will give.
    given |= {
        name: make() for (owner, name), make in FITTING.items()
        if owner == entry.name and name in entry.managed
    }  # fmt: skip
    return given


def _values(entry, argument):
    fitting = FITTING.get((entry.name, argument.name))
    for schema in alternatives(argument.schema):
        if schema == {"type": "string"} and fitting:
            yield fitting()
        elif "enum" in schema:
            yield from schema["enum"]
        elif kind_of(schema) and fitting:
            yield fitting()
        else:
            yield sample(schema, construct)


@pytest.mark.parametrize(("kind", "name"), EVERY_ENTRY)
def test_required_arguments_are_enough(kind, name):
    entry = load().find(kind, name)
    made = construct(kind, name, _required(entry))
    if name not in ("accuracy", "crossentropy"):
        assert callable(made) or type(made).__name__ == registry.find_class(entry).__name__


@pytest.mark.parametrize(("kind", "name"), EVERY_ENTRY)
def test_keras_takes_every_kind_of_value_that_the_schema_allows(kind, name):
    entry = load().find(kind, name)
    for argument in entry.arguments:
        if argument.required and (name, argument.name) in FITTING:
            continue
        for value in _values(entry, argument):
            together = TOGETHER.get(name, {})
            if name == "AUC" and argument.name == "multi_label":
                together = {}
            if name == "Normalization" and argument.name in ("mean", "variance"):
                together = {"mean": value, "variance": value}
            if name == "FBetaScore":
                together = {}
            construct(kind, name, {**_required(entry), **together, argument.name: value})


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [(kind, each) for kind in MODULES for each in load().identifiers(kind)],
)
def test_keras_means_the_same_by_an_identifier(kind, identifier):
    module = getattr(keras, MODULES[kind].split(".")[0])
    if inspect.isclass(getattr(module, identifier, None)):  # an alias: MaxPool2D, he_normal
        entry = load().find(kind, identifier)
        assert registry.find_class(entry) is getattr(module, identifier)
        return
    ours = construct(kind, identifier)
    if identifier in ("acc", "ce"):
        assert ours == identifier
        return
    theirs = module.get(identifier)
    if kind == "activation":
        assert ours is theirs
    elif not inspect.isfunction(theirs):
        assert type(ours) is type(theirs)
    elif identifier in ("circle", "ctc"):  # these need sequences and embeddings
        assert type(ours).__name__.lower() == identifier
    else:
        y_true, y_pred = np.array([[0.0, 1.0, 0.0]]), np.array([[0.2, 0.7, 0.1]])
        if "sparse" in identifier:
            y_true = np.array([1])
        expected = np.mean(theirs(y_true, y_pred))
        np.testing.assert_allclose(float(ours(y_true, y_pred)), expected, rtol=1e-6)


def test_an_activation_without_arguments_is_keras_own_function():
    assert construct("activation", "swish") is keras.activations.silu


@pytest.mark.parametrize(
    ("name", "arguments", "x", "expected"),
    [
        ("leaky_relu", {"negative_slope": 0.1}, [-2.0, 3.0], [-0.2, 3.0]),
        ("relu", {"max_value": 6}, [-2.0, 7.0], [0.0, 6.0]),
        ("elu", {"alpha": 2}, [-1.0, 3.0], [2 * (np.exp(-1) - 1), 3.0]),
        ("threshold", {"threshold": 1, "default_value": -5}, [0.5, 2.0], [-5.0, 2.0]),
        ("hard_shrink", {"threshold": 1}, [0.5, 2.0], [0.0, 2.0]),
    ],
)
def test_an_activation_with_arguments(tmp_path, name, arguments, x, expected):
    activation = construct("activation", name, arguments)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation(activation)])
    batch = np.array([x], "float32")
    np.testing.assert_allclose(model(batch)[0], expected, rtol=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(batch)[0], expected, rtol=1e-6)


@pytest.mark.parametrize("name", [n for n in load().names("activation") if n != "threshold"])
def test_an_activation_keeps_the_shape(name):
    shape = (2, 4, 4, 6)
    assert construct("activation", name)(keras.ops.ones(shape)).shape == shape


def test_whole_numbers_become_floats_where_keras_insists():
    assert float(construct("optimizer", "SGD", {"learning_rate": 1}).learning_rate) == 1.0
    assert construct("metric", "FBetaScore", {"beta": 2}).beta == 2.0
    assert construct("layer", "Dense", {"units": 3}).units == 3

    rate = construct("schedule", "PiecewiseConstantDecay",
                     {"boundaries": [2, 4], "values": [1, 0.5, 0]})  # fmt: skip
    assert [float(rate(step)) for step in (0, 3, 5)] == [1.0, 0.5, 0.0]
    assert construct("layer", "Conv2D", {"filters": 1, "kernel_size": [3, 2]}).kernel_size == (3, 2)


def _lists(schema):
    return [each for each in alternatives(schema) if each.get("type") == "array"
            and all("type" in item for item in alternatives(each.get("items", {})))]  # fmt: skip


TAKING_LISTS = [
    (kind, name, argument.name)
    for kind, name in EVERY_ENTRY
    for argument in load().find(kind, name).arguments
    if _lists(argument.schema)
]


@pytest.mark.parametrize(("kind", "name", "key"), TAKING_LISTS)
def test_a_list_reaches_keras_as_a_list(kind, name, key, monkeypatch):
    """As Keras itself passes it where it loads a model; `Recall` fails with a tuple."""
    entry = load().find(kind, name)
    given = {}
    monkeypatch.setattr(registry, "find_class", lambda entry: lambda **found: given.update(found))
    monkeypatch.setattr(registry, "_activation", lambda name, found: given.update(found))
    schema = _lists(entry.argument(key).schema)[0]
    value = sample({**schema, "minItems": max(2, schema.get("minItems", 0))}, construct)
    location = Location("a.yaml")
    arguments = {**_required(entry), key: value}
    build(Component(kind, name, arguments, location, written=name))
    assert given[key] == value
    assert type(given[key]) is list


def test_thresholds_in_a_list():
    """By hand: of the images of class 1, those with an output above 0.3 and above 0.6."""
    component = Component("metric", "Recall", {"thresholds": [0.3, 0.6]}, Location("a.yaml"),
                          written="Recall")  # fmt: skip
    metric = build(component)
    metric.update_state([1, 1, 1, 0], [0.2, 0.5, 0.9, 0.7])
    np.testing.assert_allclose(metric.result(), [2 / 3, 1 / 3])


def test_a_metric_is_listed_as_it_was_written():
    assert construct("metric", "mae").name == "mae"
    assert construct("metric", "MeanAbsoluteError").name == "mean_absolute_error"
    assert construct("metric", "mae", {"name": "off"}).name == "off"


def test_accuracy_is_left_to_compile():
    assert construct("metric", "accuracy") == "accuracy"
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "softmax")])
    model.compile(loss=construct("loss", "crossentropy"), metrics=[construct("metric", "acc")])
    logs = model.evaluate(np.ones((2, 2)), np.array([1, 1]), return_dict=True, verbose=0)
    assert set(logs) == {"loss", "acc"}


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("layer", "Lambda", "runs code"),
        ("layer", "os.system", "unknown layer"),
        ("activation", "deserialize", "unknown activation"),
        ("callback", "RemoteMonitor", "URL"),
    ],
)
def test_only_the_catalog_s_names_are_constructed(kind, name, message):
    with pytest.raises(UsageError, match=message):
        construct(kind, name)


def test_an_unknown_name_comes_with_a_suggestion():
    with pytest.raises(UsageError) as caught:
        construct("layer", "Conv2d", {"filters": 1})
    assert caught.value.hint == "did you mean Conv2D?"


def test_data_sets_are_not_keras():
    with pytest.raises(ValueError, match="Received: kind=dataset"):
        construct("dataset", "mnist")


IMAGE_LAYERS = [
    name
    for name in load().names("layer")
    if name.startswith(("Random", "Rand", "Aug")) or "Contrast" in name
    or name in ("Solarization", "CenterCrop", "Resizing", "Rescaling")
]  # fmt: skip


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_picture_layers_work_inside_a_model(name):
    entry = load().find("layer", name)
    layer = construct("layer", name, {**_required(entry)})
    model = keras.Sequential([keras.Input((16, 16, 3)), layer, keras.layers.Flatten()])
    model.compile(loss="mse")
    outputs = model.train_on_batch(
        np.full((2, 16, 16, 3), 9.0), np.zeros((2, *model.output_shape[1:]))
    )
    assert np.isfinite(outputs)


def test_swap_ema_weights_validates_with_the_averaged_weights():
    """At the end of a training Keras leaves the averaged weights in the model: to compare with."""

    def losses(callbacks):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(construct("optimizer", "SGD", {"use_ema": True}), "mse")
        x, y = np.ones((4, 2)), np.ones((4, 1)) * 9
        history = model.fit(
            x, y, batch_size=1, validation_data=(x, y), callbacks=callbacks, verbose=0
        )
        return history.history["val_loss"][0], model.evaluate(x, y, verbose=0)

    validated, final = losses([construct("callback", "SwapEMAWeights")])
    assert validated == pytest.approx(final)
    validated, final = losses([])
    assert validated < 0.9 * final


def test_importing_the_registry_registers_our_layers():
    registered = keras.saving.get_registered_object("cnnctl>LpPooling2D")
    assert registered is registry.find_class(load().find("layer", "LpPooling2D"))


def test_a_second_metric_in_the_process_has_the_same_name():
    """Keras numbers them: the second `AUC()` is `auc_1`, and `monitor: auc` would find nothing."""
    written = ("AUC", "AUC", "FBetaScore", "mse")
    names = [registry.construct("metric", each).name for each in written]
    assert names == ["auc", "auc", "fbeta_score", "mse"]
