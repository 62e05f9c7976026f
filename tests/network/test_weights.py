"""Weights from outside: what is not this network's, or could reach out of its file, is refused."""

import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from conftest import HELD_BELOW_BFLOAT16

from cnnctl.errors import CheckpointError
from cnnctl.network.weights import load_weights, to_bytes
from cnnctl.runs import checkpoint
from cnnctl.runs.checkpoint import STATE, WEIGHTS


def network(units=3):
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5), keras.layers.Dense(units)], name="net"
    )


@pytest.fixture
def saved(tmp_path):
    """A `.weights.h5` file as Keras writes it, and its values."""
    model = network()
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    return path, model.get_weights()


def refused(path, message, model=None):
    model = model or network()
    before = model.get_weights()
    with pytest.raises(CheckpointError, match=message):
        load_weights(model, path)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_weights_and_models_of_plain_keras_are_read(saved, tmp_path):
    path, values = saved
    model = network()
    load_weights(model, path)
    assert all(np.array_equal(a, b) for a, b in zip(values, model.get_weights(), strict=True))
    trained = network()
    trained.compile("adam", "mse")
    trained.fit(np.ones((2, 4)), np.ones((2, 3)), verbose=0)
    trained.save(tmp_path / "whole.keras")
    load_weights(model, tmp_path / "whole.keras")
    pairs = zip(trained.get_weights(), model.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_another_network(saved):
    refused(saved[0], r"another network: layers/dense_1/vars/0 is float32 \(5, 3\)", network(2))


def test_a_layer_too_many(saved):
    with h5py.File(saved[0], "a") as file:
        file["layers/dense_2/vars/0"] = np.zeros(3, np.float32)
    refused(saved[0], "the spec has no layers/dense_2/vars/0")


def test_a_layer_too_few(saved):
    with h5py.File(saved[0], "a") as file:
        del file["layers/dense_1"]
    refused(saved[0], "it has no layers/dense_1/vars/0")


def test_another_type(saved):
    with h5py.File(saved[0], "a") as file:
        del file["layers/dense/vars/1"]
        file["layers/dense/vars/1"] = np.zeros(5, np.float64)
    refused(saved[0], "layers/dense/vars/1 is float64")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(saved, value):
    with h5py.File(saved[0], "a") as file:
        file["layers/dense/vars/1"][2] = value
    refused(saved[0], "not finite, in layers/dense/vars/1")


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (h5py.SoftLink("/layers/dense/vars/0"), "vars/1 links to another place"),
        (h5py.ExternalLink("/etc/passwd", "/x"), "in a form that Keras never writes"),
    ],
)
def test_links(saved, link, message):
    with h5py.File(saved[0], "a") as file:
        del file["layers/dense/vars/1"]
        file["layers/dense/vars/1"] = link
    refused(saved[0], message)


def test_external_storage(saved, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(np.ones(5, np.float32).tobytes())
    with h5py.File(saved[0], "a") as file:
        del file["layers/dense/vars/1"]
        file.create_dataset("layers/dense/vars/1", (5,), "f4", external=[(str(secret), 0, 20)])
    refused(saved[0], "in a form that Keras never writes")


def test_virtual_datasets(saved, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.ones(5, np.float32)
    layout = h5py.VirtualLayout((5,), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (5,))
    with h5py.File(saved[0], "a") as file:
        del file["layers/dense/vars/1"]
        file.create_virtual_dataset("layers/dense/vars/1", layout)
    refused(saved[0], "in a form that Keras never writes")


def test_a_dataset_that_unpacks_to_gigabytes(saved):
    with h5py.File(saved[0], "a") as file:
        del file["layers/dense/vars/1"]
        file.create_dataset(
            "layers/dense/vars/1", (1 << 31,), "f4", chunks=(1 << 20,), compression="gzip"
        )
    refused(saved[0], "in a form that Keras never writes")


def test_a_group_that_contains_itself(saved):
    with h5py.File(saved[0], "a") as file:
        file["layers/dense/loop"] = file["layers"]
    refused(saved[0], "layers/dense/loop links to another place")


def archive(path, **entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return path


def test_an_archive_that_unpacks_to_gigabytes(tmp_path):
    path = archive(tmp_path / "bomb.keras", model_dot_weights_dot_h5=bytes(300 << 20))
    assert path.stat().st_size < 1 << 20
    refused(path, "unpacks to more than 200 times its size")


def test_an_archive_with_a_strange_entry(tmp_path):
    path = archive(tmp_path / "odd.keras", model_dot_weights_dot_h5=b"", assets__run_dot_py=b"")
    refused(path, "which no Keras model does")


def test_bits_that_flipped_in_a_checkpoint(tmp_path):
    """The manifest sees what HDF5 does not."""
    folder = tmp_path / "epoch-0001"
    checkpoint.write(folder, {WEIGHTS: to_bytes(network()), STATE: b'{"epoch": 1}'})
    load_weights(network(), folder)
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    refused(folder, "damaged: its SHA-256")


def everything():
    """Types that HDF5 has and has not, a layer without weights, a branch, an optimizer."""
    layers = keras.layers
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(3, 2, dtype="float16")(image)
    x = layers.BatchNormalization()(layers.Dropout(0.5)(x))
    y = layers.Conv2D(3, 2, dtype="bfloat16")(image)
    x = layers.Flatten()(layers.Add()([layers.Activation("relu", dtype="float32")(y), x]))
    model = keras.Model(image, layers.Dense(2, dtype="mixed_bfloat16")(x))
    model.compile(keras.optimizers.Adam(amsgrad=True, use_ema=True), "mse")
    return model


@HELD_BELOW_BFLOAT16
def test_every_type_and_the_optimizer_go_on_from_a_checkpoint(tmp_path):
    trained = everything()
    trained.fit(np.ones((4, 6, 6, 2)), np.ones((4, 2)), verbose=0)
    folder = tmp_path / "epoch-0001"
    checkpoint.write(folder, {WEIGHTS: to_bytes(trained), STATE: b'{"epoch": 1}'})
    again = everything()
    again.optimizer.build(again.trainable_variables)
    load_weights(again, folder)
    variables = [model.variables + model.optimizer.variables for model in (trained, again)]
    assert len(variables[0]) == len(variables[1]) > 30
    for one, other in zip(*variables, strict=True):
        if "seed_generator" in one.path:
            continue  # which Keras does not save
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes(), one.path
    only_weights = everything()
    load_weights(only_weights, folder)
    assert int(only_weights.optimizer.iterations) == 0


def test_bfloat16_that_is_not_finite(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, dtype="bfloat16")])
    model.layers[0].bias.assign([1.0, np.inf])
    model.save_weights(tmp_path / "model.weights.h5")
    model.layers[0].bias.assign([1.0, 2.0])
    refused(tmp_path / "model.weights.h5", "not finite, in layers/dense/vars/1", model)


def test_a_reading_that_fails_half_way_leaves_the_model_as_it_was(saved, monkeypatch):
    model = network()
    load = model.load_weights

    def fail(path):
        monkeypatch.setattr(model, "load_weights", load)
        model.layers[0].kernel.assign(np.zeros((4, 5)))
        raise RuntimeError("half way")

    monkeypatch.setattr(model, "load_weights", fail)
    refused(saved[0], "half way", model)


def test_keras_never_opens_the_file_itself(saved, monkeypatch):
    opened = []
    real = h5py.File

    def note(name, *arguments, **options):
        opened.append(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr("h5py.File", note)
    model = network()
    load_weights(model, saved[0])
    assert opened
    assert saved[0] not in map(Path, (name for name in opened if isinstance(name, str | Path)))
