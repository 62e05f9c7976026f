"""The network as it predicts, in every format: what augments is the identity there.

The expectation is Keras's `predict`, and for a layer that is the identity the network without it.
"""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from arithmetic.test_each_layer import ONE, SEVERAL

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnctl.catalog import load as load_catalog  # noqa: E402
from cnnctl.export import runtimes, writers  # noqa: E402
from cnnctl.network.build import build  # noqa: E402
from cnnctl.specs import load  # noqa: E402

FORMATS = ["saved_model", "onnx", "litert"]
IMAGE = (9, 8, 3)
ALWAYS = {"AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization"}
"""What is not random, and what Keras applies at inference as in training."""


def augmenting() -> list[str]:
    """The layers of the catalog that Keras itself counts among augmentation, and those that behave
    otherwise in training without learning anything."""
    found = []
    for name in load_catalog().names("layer"):
        kind = getattr(keras.layers, name, None)
        module = kind.__module__ if kind else ""
        fixed = ("resizing", "center_crop", "rescaling")
        if ".image_preprocessing." in module and not module.endswith(fixed):
            found.append(name)
        if ".regularization." in module:
            found.append(name)
    return sorted(found)


AUGMENTING = augmenting()


def arguments(name: str, shape: tuple[int, ...] = IMAGE) -> tuple[tuple[int, ...], dict]:
    if name == "Solarization":
        return IMAGE, {"addition_factor": 0.3, "threshold_factor": 0.5}
    if name in ("SpatialDropout1D", "SpatialDropout3D", "RandomCrop"):
        return ONE[name][0]
    return IMAGE, dict(ONE.get(name, [(IMAGE, {})])[0][1])


def needs(name: str) -> None:
    for package in writers._NEEDS.get(name, ()):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


def exported(model: keras.Model, name: str, folder: Path, x: np.ndarray) -> np.ndarray:
    """What an export of a model computes, in two calls of different sizes."""
    needs(name)
    path = folder / f"net{writers.SUFFIXES[name]}"
    with writers.silent():
        writers.WRITERS[name](model, path, None, None, False)
        compute = runtimes.read_export(name, path)
        return np.concatenate([compute(x[:3]), compute(x[3:])])


def operations(name: str, path: Path) -> set[str]:
    """The types of the operations in an export."""
    if name == "onnx":
        import onnx

        return {node.op_type for node in onnx.load(path).graph.node}
    if name == "saved_model":
        graph = tf.saved_model.load(str(path)).signatures["serving_default"].graph
        inner = (n.op for f in graph.as_graph_def().library.function for n in f.node_def)
        return {each.type for each in graph.get_operations()} | set(inner)
    return set()  # LiteRT has no operations that draw numbers


def test_augmentation_is_known() -> None:
    assert len(AUGMENTING) > 25
    assert {"RandomFlip", "AugMix", "RandomGrayscale", "Dropout", "GaussianNoise"} <= {*AUGMENTING}


def together() -> list[list[str]]:
    """The layers in networks of several, since most of an export's time is that of the export: of
    those for other inputs, and of those that are no identity, each is in one of its own."""
    alone = [[name] for name in AUGMENTING if name in ALWAYS or arguments(name)[0] != IMAGE]
    others = [name for name in AUGMENTING if [name] not in alone]
    size = 1 if os.environ.get("CNNCTL_EVERY") == "1" else 8
    return [*alone, *(others[first : first + size] for first in range(0, len(others), size))]


def test_every_layer_is_in_a_network() -> None:
    assert sorted(name for names in together() for name in names) == AUGMENTING


@pytest.mark.parametrize("names", together(), ids=" ".join)
def test_augmentation_is_the_identity_in_every_format(names: list[str], tmp_path: Path) -> None:
    shape = arguments(names[0])[0]
    keras.utils.set_random_seed(3)
    augment = [getattr(keras.layers, name)(**arguments(name)[1]) for name in names]
    after = [keras.layers.Flatten(), keras.layers.Dense(4)]
    model = keras.Sequential([keras.Input(shape), *augment, *after])
    x = np.random.default_rng(0).uniform(0, 255, (5, *shape)).astype(np.float32)
    expected = model.predict(x, verbose=0)
    limit = 1e-4 * np.abs(expected).max()
    if not ALWAYS & {*names}:  # the network without them, by hand
        by_hand = x.reshape(5, -1) @ np.asarray(after[1].kernel)
        np.testing.assert_allclose(expected, by_hand, atol=limit)
    before = [np.asarray(each) for each in model.variables]
    for name in FORMATS:
        (tmp_path / name).mkdir()
        found = exported(model, name, tmp_path / name, x)
        np.testing.assert_allclose(found, expected, atol=limit, err_msg=name)
        kinds = operations(name, tmp_path / name / f"net{writers.SUFFIXES[name]}")
        assert not {kind for kind in kinds if "Random" in kind or "Assign" in kind}
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert model.layers[: len(augment)] == augment


def test_every_layer_that_draws_numbers_is_among_them() -> None:
    """Whatever gives other outputs in training than it does else, and has no weights."""
    x = np.random.default_rng(1).random((4, *IMAGE), np.float32)
    for name in load_catalog().names("layer"):
        kind = getattr(keras.layers, name, None)
        shape, given = ONE.get(name, [(IMAGE, {})])[0]
        if kind is None or name in SEVERAL or shape[:-1] != x.shape[1:3]:
            continue
        try:
            layer = kind(**given)
            trained, used = (np.asarray(layer(x, training=each)) for each in (True, False))
        except (TypeError, ValueError):  # it takes no `training`, or other inputs
            continue
        if np.abs(trained - used).max() > 1e-6 and not layer.weights:
            assert name in AUGMENTING, name


def test_a_shipped_network_that_augments(tmp_path: Path) -> None:
    spec = load(Path("configs/cifar10_resnet.yaml"))
    model = build(spec, (32, 32, 3))
    random = np.random.default_rng(2)
    for weight in model.weights:  # statistics of a batch as well, which begin as the identity
        weight.assign(np.asarray(weight) + random.uniform(0, 0.1, weight.shape))
    x = random.random((5, 32, 32, 3), np.float32)
    expected = model.predict(x, verbose=0)
    for name in FORMATS:
        np.testing.assert_allclose(exported(model, name, tmp_path, x), expected, atol=1e-4)
