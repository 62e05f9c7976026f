"""A model with cnnctl's layers is saved and loaded like any other."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from cnnctl.layers import LocallyConnected2D, LpPooling2D, WeightedAveragePooling2D

IMAGES = np.random.default_rng(0).normal(size=(2, 9, 8, 3)).astype("float32")


def _layers():
    return [
        LocallyConnected2D(
            4,
            (3, 2),
            (2, 1),
            "same",
            activation="tanh",
            kernel_regularizer=keras.regularizers.L2(1e-3),
            kernel_constraint=keras.constraints.MaxNorm(3.0),
            name="local",
        ),
        LpPooling2D((2, 1), p=3, padding="same"),
        WeightedAveragePooling2D(2, 1, sigma=(0.5, 2.0)),
    ]


def _model():
    return keras.Sequential([keras.Input((9, 8, 3)), *_layers(), keras.layers.Flatten()])


def test_a_model_survives_saving(tmp_path):
    model = _model()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        model.predict(IMAGES, verbose=0), again.predict(IMAGES, verbose=0)
    )
    assert again.get_layer("local").kernel_constraint.max_value == 3.0


def test_another_process_loads_it_after_importing_the_layers(tmp_path):
    model = _model()
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, json, keras, cnnctl.layers;"
        "model = keras.models.load_model(sys.argv[1]);"
        "print(json.dumps(model.count_params()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.keras")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == model.count_params()


@pytest.mark.parametrize("layer", _layers(), ids=lambda layer: type(layer).__name__)
def test_the_config_rebuilds_the_layer(layer):
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config()


def test_a_step_of_training_changes_the_weights():
    model = _model()
    model.compile("sgd", "mse")
    before = np.array(model.get_layer("local").kernel)
    loss = model.train_on_batch(IMAGES, np.ones((2, *model.output_shape[1:])))
    assert np.isfinite(loss)
    assert not np.array_equal(before, model.get_layer("local").kernel)


@pytest.mark.parametrize("layer_class", [LpPooling2D, WeightedAveragePooling2D])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pooling_takes_pictures_of_unknown_size(layer_class, padding):
    pooled = layer_class(2, padding=padding)
    model = keras.Sequential([keras.Input((None, None, 3)), pooled])
    assert model.output_shape == (None, None, None, 3)
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0), layer_class(2, padding=padding)(IMAGES), atol=1e-6
    )


@pytest.mark.parametrize("layer_class", [LpPooling2D, WeightedAveragePooling2D])
def test_pooling_channels_first_is_the_same_transposed(layer_class):
    expected = layer_class(3, 2, "same")(IMAGES)
    first = layer_class(3, 2, "same", data_format="channels_first")
    outputs = np.array(first(IMAGES.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(outputs.transpose(0, 2, 3, 1), expected, atol=1e-6)
    assert first.compute_output_shape((None, 3, 9, 8)) == (None, 3, 5, 4)
