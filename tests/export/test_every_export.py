"""Every layer and activation of the catalog in ONNX, LiteRT and SavedModel, against `predict`.

`make test` compares a selection of every kind; with CNNCTL_EVERY=1, as in `make soak`, everything.
"""

import os

import numpy as np
import pytest
from arithmetic import twin
from arithmetic.test_each_layer import ONE, OURS, SEVERAL, several
from arithmetic.twin import graph, layer
from test_inference_graph import FORMATS, exported

import cnnctl.network.build
from cnnctl.catalog import load
from cnnctl.errors import Location
from cnnctl.export import agreement
from cnnctl.specs.components import Component

EVERY = os.environ.get("CNNCTL_EVERY") == "1"
SELECTION = {
    "AdaptiveAveragePooling2D", "EinsumDense", "GroupNormalization", "LocallyConnected2D",
    "LpPooling2D", "MultiHeadAttention", "SpectralNormalization", "WeightedAveragePooling2D",
    "silu", "sparsemax",
}  # fmt: skip
"""Beside those of test_decomposition.py and test_inference_graph.py; one form of each."""

OWN = {
    "LocallyConnected2D": [((9, 8, 3), {"filters": 3, "kernel_size": 3})],
    "LpPooling2D": [((9, 8, 3), {"pool_size": 2, "p": 3})],
    "WeightedAveragePooling2D": [((9, 8, 3), {"pool_size": 3})],
}
ARGUMENTS = {"threshold": {"threshold": 0.1, "default_value": -0.2}}

LACKING = {("Conv1D", "channels_first", "litert")}
"""What a format cannot hold, with the argument that makes it so: named in the error."""

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
VARIANTS = {
    "gelu": [{"approximate": True}, {"approximate": False}],
    "Resizing": [{"height": 5, "width": 14, "interpolation": kind} for kind in INTERPOLATIONS],
    "UpSampling2D": [{"size": 2, "interpolation": kind} for kind in INTERPOLATIONS],
}


def networks(name):
    """Input shapes and networks around a layer."""
    if name in SEVERAL:
        return [((2,), several(name, shapes, given)) for shapes, given in SEVERAL[name]]
    forms = OWN.get(name) or ONE.get(name, [((9, 8, 3), {})])
    forms = [*forms, *(((9, 8, 6), given) for given in VARIANTS.get(name, ()))]
    return [(shape, [layer(name, **given)]) for shape, given in forms]


def cases():
    for name in load().names("layer"):
        if EVERY or name in SELECTION:
            for number, (shape, network) in enumerate(networks(name)[: None if EVERY else 1]):
                yield pytest.param(name, shape, network, id=f"{name}-{number}")
    for name in load().names("activation"):
        if EVERY or name in SELECTION:
            for number, given in enumerate(VARIANTS.get(name, [ARGUMENTS.get(name, {})])):
                made = Component("activation", name, given, Location("net.yaml"))
                network = [layer("Dense", units=4), layer("Activation", activation=made)]
                yield pytest.param(name, (6,), network, id=f"{name}-{number}")


@pytest.mark.parametrize(("name", "shape", "network"), cases())
def test_a_layer_in_every_format(name, shape, network, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(twin, "construct", cnnctl.network.build.construct)
    model, _ = twin.built(graph(*network), shape)
    random = np.random.default_rng(0)
    for weight in model.weights:  # also those that begin as the identity
        if weight.dtype == "float32":
            weight.assign(np.asarray(weight) + random.uniform(0, 0.1, weight.shape))
    inside = any(word in str(network) for word in ("Embedding", "input_dim"))
    x = random.integers(0, 10, (5, *shape)) if inside else random.uniform(-0.5, 1.5, (5, *shape))
    x = x.astype(np.float32)
    expected = model.predict(x, verbose=0)
    limit = agreement.TOLERANCE[None] * max(1, np.abs(expected).max())
    row = []
    for form in FORMATS:
        folder = tmp_path / form
        folder.mkdir()
        if any(name == n and word in str(network) and form == f for n, word, f in LACKING):
            with pytest.raises(Exception, match=name.lower()):
                exported(model, form, folder, x)
            row.append("-")
            continue
        found = exported(model, form, folder, x)
        np.testing.assert_allclose(found, expected, atol=limit, err_msg=form)
        row.append(f"{np.abs(found - expected).max():.1g}")
    if EVERY:
        print(f"| {name} | {' | '.join(row)} |")


def test_the_selection_is_in_the_catalog() -> None:
    assert set(load().names("layer")) | set(load().names("activation")) >= SELECTION
    assert set(OWN) == OURS
