"""Operations that converters lack: each format computes what Keras does, with operations it has.

A decomposition is also compared with the operation itself, in TensorFlow.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_inference_graph import exported

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnctl.export import export_errors, writers  # noqa: E402
from cnnctl.export.decomposition import DECOMPOSITIONS  # noqa: E402
from cnnctl.export.inference_graph import Graph  # noqa: E402
from cnnctl.network.build import build  # noqa: E402
from cnnctl.specs import load  # noqa: E402

layers = keras.layers
IMAGE, VOLUME = (9, 8, 6), (6, 5, 6, 4)

CASES = {
    "ResizeBicubic": (IMAGE, lambda: layers.Resizing(13, 5, interpolation="bicubic")),
    "ResizeBicubic padded": (
        IMAGE, lambda: layers.Resizing(5, 14, interpolation="bicubic", pad_to_aspect_ratio=True),
    ),
    "ScaleAndTranslate": (IMAGE, lambda: layers.Resizing(5, 13, interpolation="lanczos3")),
    "ScaleAndTranslate antialias": (IMAGE, lambda: layers.Resizing(4, 5, antialias=True)),
    "ScaleAndTranslate up": (IMAGE, lambda: layers.UpSampling2D((2, 3), interpolation="lanczos5")),
    "Conv3D": (VOLUME, lambda: layers.Conv3D(4, 2, groups=2, padding="same", strides=2)),
    "Conv3D first": (VOLUME, lambda: layers.Conv3D(4, 2, data_format="channels_first")),
    "MaxPool3D": (VOLUME, lambda: layers.MaxPooling3D(3, strides=2, padding="same")),
    "AvgPool3D": (VOLUME, lambda: layers.AveragePooling3D(3, strides=2, padding="same")),
    "AvgPool3D first": (VOLUME, lambda: layers.AveragePooling3D(2, data_format="channels_first")),
    "Conv2DBackpropInput": (IMAGE, lambda: layers.Conv2DTranspose(4, 2, strides=3)),
    "Conv2DBackpropInput same": (
        IMAGE, lambda: layers.Conv2DTranspose(4, 2, strides=3, padding="same"),
    ),
    "Conv2DBackpropInput more": (
        IMAGE, lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=(0, 1)),
    ),
    "Conv2DBackpropInput dilated": (IMAGE, lambda: layers.Conv2DTranspose(4, 3, dilation_rate=2)),
    "Conv3DBackpropInputV2": (VOLUME, lambda: layers.Conv3DTranspose(3, 2, strides=3)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_decomposition_computes_what_the_operation_does(case: str) -> None:
    shape, made = CASES[case]
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input(shape), made()])
    kind = case.partition(" ")[0]
    assert kind in {node.op for node in Graph(model).definition.node}
    graph = Graph(model, DECOMPOSITIONS)
    x = np.random.default_rng(5).normal(size=(3, *shape)).astype(np.float32)
    compute = graph._function(graph.definition)
    np.testing.assert_allclose(compute(tf.constant(x)), model.predict(x, verbose=0), atol=1e-5)
    left = {node.op for node in graph.definition.node}
    assert kind not in left or kind.startswith("Conv")  # which may be left in other form


NETWORKS = {
    "gelu": (IMAGE, lambda: [layers.Conv2D(4, 3, activation="gelu")], "onnx"),
    "gelu, approximate": (
        (5,), lambda: [layers.Lambda(lambda x: keras.ops.gelu(x, approximate=True))], "onnx",
    ),
    "gelu in a loop": ((5, 4), lambda: [layers.LSTM(3, activation="gelu")], "onnx"),
    "celu": (IMAGE, lambda: [layers.Conv2D(4, 3, activation="celu")], "onnx"),
    "1 group": (IMAGE, lambda: [layers.Conv2D(6, 3, groups=3, strides=2)], "onnx"),
    "1 group, dilated": ((12, 6), lambda: [layers.Conv1D(6, 3, groups=2, dilation_rate=2)], "onnx"),
    "3D groups": (VOLUME, lambda: [layers.Conv3D(4, 2, groups=2, activation="gelu")], "both"),
    "wrapped": (
        (2, *IMAGE),
        lambda: [layers.TimeDistributed(layers.Conv2D(6, 2, groups=2, activation="gelu"))],
        "onnx",
    ),
    "bicubic": (IMAGE, lambda: [layers.Resizing(5, 14, interpolation="bicubic")], "both"),
    "lanczos": (IMAGE, lambda: [layers.UpSampling2D(2, interpolation="lanczos3")], "both"),
    "transposed": (IMAGE, lambda: [layers.Conv2DTranspose(4, 2, strides=3)], "onnx"),
    "transposed, dilated": (
        IMAGE, lambda: [layers.Conv2DTranspose(4, 3, dilation_rate=2)], "litert",
    ),
    "normalization": (
        (4, 4, 3), lambda: [layers.Normalization(mean=[1, 2, 3], variance=[4, 5, 6])], "both",
    ),
    "spectrogram": (
        (600,),
        lambda: [layers.MelSpectrogram(fft_length=128, sequence_stride=64, num_mel_bins=8)],
        "onnx",
    ),
    "3D pooling": (VOLUME, lambda: [layers.MaxPooling3D(), layers.AveragePooling3D(2)], "litert"),
    "recurrent": (
        (5, 4),
        lambda: [layers.Bidirectional(layers.GRU(3))],
        "litert",
    ),
}  # fmt: skip
"""Networks that the converter named could not hold, or turned into other numbers."""


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_in_a_format_that_lacks_its_operations(network: str, tmp_path: Path) -> None:
    shape, made, formats = NETWORKS[network]
    keras.utils.set_random_seed(6)
    model = keras.Sequential([keras.Input(shape), *made()])
    config = model.get_config()
    x = np.random.default_rng(7).normal(size=(5, *shape)).astype(np.float32)
    expected = model.predict(x, verbose=0)
    for name in ("onnx", "litert") if formats == "both" else (formats,):
        found = exported(model, name, tmp_path, x)
        np.testing.assert_allclose(found, expected, atol=1e-4 * max(1, np.abs(expected).max()))
    assert model.get_config() == config


@pytest.mark.parametrize("kernel", [(8, 8), (8, 3), (3, 8)])
def test_squares_on_maps_of_size_1(kernel: tuple[int, int], tmp_path: Path) -> None:
    """tf2onnx multiplied the batch by the channels, or mixed channels with columns."""
    keras.utils.set_random_seed(9)
    x = given = keras.Input((8, 8, 3))
    for made in (layers.Conv2D(4, kernel), layers.UnitNormalization(), layers.Flatten()):
        x = made(x)
    maps = layers.AveragePooling2D(kernel)(given)
    squared = layers.Flatten()(layers.LayerNormalization()(layers.Multiply()([maps, maps])))
    model = keras.Model(given, layers.Concatenate()([x, squared]))
    images = np.random.default_rng(10).normal(size=(5, 8, 8, 3)).astype(np.float32)
    expected = model.predict(images, verbose=0)
    np.testing.assert_allclose(exported(model, "onnx", tmp_path, images), expected, atol=1e-4)


SPEC = """
model:
  input_shape: [6, 6, 6, 2]
  layers:
    - Conv3D: {filters: 2, kernel_size: 2, dilation_rate: 2, name: wide}
    - Flatten
    - Dense: {units: 3}
"""


def test_a_layer_that_a_format_cannot_hold(tmp_path: Path) -> None:
    """LiteRT lacks what TensorFlow dilates a convolution over a volume with."""
    (tmp_path / "net.yaml").write_text(SPEC)
    spec = load(tmp_path / "net.yaml")
    model = build(spec, (6, 6, 6, 2))
    trained = SimpleNamespace(source="runs/net/001", spec=spec)
    with pytest.raises(Exception, match="SpaceToBatchND") as raised, writers.silent():
        writers.WRITERS["litert"](model, tmp_path / "net.tflite", None, None, False)
    error = export_errors.conversion_error(raised.value, "litert", model, trained)
    (found,) = error.diagnostics
    assert found.message == (
        "Conv3D `wide` cannot be exported as litert: "
        "there is no equivalent of BatchToSpaceND, SpaceToBatchND"
    )
    assert (found.location.line, found.notes) == (5, ())
    assert "--format saved_model" in found.hint
    x = np.random.default_rng(8).normal(size=(5, 6, 6, 6, 2)).astype(np.float32)
    for name in ("onnx", "saved_model"):
        np.testing.assert_allclose(
            exported(model, name, tmp_path, x), model.predict(x, verbose=0), atol=1e-4
        )


@keras.saving.register_keras_serializable("test_decomposition")
class Bessel(keras.layers.Layer):
    """A layer of somebody's own with an operation that neither ONNX nor LiteRT has."""

    def call(self, x):
        return tf.math.bessel_i0e(x)


@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_an_operation_without_an_equivalent_in_a_layer_of_its_own(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "net.yaml").write_text(
        "model: {input_shape: [4], layers: [Dense: {units: 3, name: own}, Dense: {units: 2}]}"
    )
    spec = load(tmp_path / "net.yaml")
    model = keras.Sequential([keras.Input((4,)), Bessel(name="own"), layers.Dense(2)], name="net")
    trained = SimpleNamespace(source="runs/net/001", spec=spec)
    with pytest.raises(Exception) as raised, writers.silent():  # noqa: PT011
        writers.WRITERS[name](model, tmp_path / "net", None, None, False)
    error = export_errors.conversion_error(raised.value, name, model, trained)
    assert error.message == (
        f"Dense `own` cannot be exported as {name}: there is no equivalent of BesselI0e"
    )


def test_a_failure_of_which_no_layer_is_known() -> None:
    spec = SimpleNamespace(graph=SimpleNamespace(layers=()))
    trained = SimpleNamespace(source="runs/net/001", spec=spec)
    failed = ValueError("no luck\nand much more")
    error = export_errors.conversion_error(failed, "onnx", SimpleNamespace(name="net"), trained)
    assert error.message == "runs/net/001 cannot be exported as onnx: no luck"
    assert "saved_model" in error.hint
