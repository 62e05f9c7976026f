"""Networks that do not fit: what is said, where, and that Keras refuses them too."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnctl.errors import Diagnostic, Location, SpecError
from cnnctl.specs.components import Component

from .twin import built, cell, construct, facts, graph, layer

IMAGE = (8, 8, 4)


def error(shape: tuple[int, ...], *layers: Component) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        facts(shape, *layers)
    (found,) = caught.value.diagnostics
    return found


def conv(**arguments: Any) -> Component:
    return layer("Conv2D", **{"filters": 4, "kernel_size": 3, **arguments})


OPEN = layer("EinsumDense", equation="abc,cd->abd", output_shape=[None, 5])
"""Of Keras's documentation: what it gives is (None, None, 5), whatever its input."""

ERRORS: dict[str, tuple[tuple[int, ...], list[Component], str, str]] = {
    "window too large": (
        (2, 2, 1),
        [layer("MaxPooling2D"), layer("MaxPooling2D")],
        "shape-mismatch",
        "MaxPooling2D does not fit its input: a 2x2 window on 1x1",
    ),
    "kernel too large": (
        (4, 9, 1),
        [conv(kernel_size=5)],
        "shape-mismatch",
        "Conv2D does not fit its input: a 5x5 kernel on 4x9",
    ),
    "dilated kernel too large": (
        (4, 9, 1),
        [conv(kernel_size=3, dilation_rate=2)],
        "shape-mismatch",
        "Conv2D does not fit its input: a 3x3 kernel with `dilation_rate` 2x2 on 4x9",
    ),
    **{
        f"an axis that Keras leaves open: {behind[-1].name}": (
            (36, 10),
            [OPEN, *behind],
            "shape-mismatch",
            f"{what}, which Keras does not know: a null in the `output_shape` of an EinsumDense "
            "leaves it open",
        )
        for behind, what in (
            (
                [layer("MaxPooling1D"), layer("Flatten"), layer("Dense", units=3)],
                "the kernel of Dense needs the size 90",
            ),
            (
                [layer("BatchNormalization", axis=1)],
                "the gamma of BatchNormalization needs the size 36",
            ),
            ([layer("PReLU")], "the alpha of PReLU needs the size 36"),
            (
                [layer("Reshape", target_shape=[2, -1, 5]),
                 layer("ConvLSTM1D", filters=2, kernel_size=3)],
                "ConvLSTM1D needs the size 18",
            ),
            (
                [layer("EinsumDense", equation="abc,cd->abd", output_shape=[36, 5])],
                "axis `b` of abc,cd->abd needs the size 36",
            ),
        )
    },
    "sequence too short": (
        (4, 1),
        [layer("Conv1D", filters=2, kernel_size=5)],
        "shape-mismatch",
        "Conv1D does not fit its input: a kernel of 5 on 4",
    ),
    "picture wanted": (
        (8, 8, 16),
        [layer("Flatten"), conv()],
        "shape-mismatch",
        "Conv2D takes a picture (height, width, channels) and gets 1024",
    ),
    "picture without channels": (
        (28, 28),
        [conv()],
        "shape-mismatch",
        "Conv2D takes a picture (height, width, channels) and gets 28x28",
    ),
    "pooling of a vector": (
        (9,),
        [layer("MaxPooling2D")],
        "shape-mismatch",
        "MaxPooling2D takes a picture (height, width, channels) and gets 9",
    ),
    "global pooling of a vector": (
        (9,),
        [layer("GlobalMaxPooling2D")],
        "shape-mismatch",
        "GlobalMaxPooling2D takes a picture (height, width, channels) and gets 9",
    ),
    "volume wanted": (
        IMAGE,
        [layer("Conv3D", filters=2, kernel_size=2)],
        "shape-mismatch",
        "Conv3D takes a volume (depth, height, width, channels) and gets 8x8x4",
    ),
    "transposed convolution of a vector": (
        (9,),
        [layer("Conv2DTranspose", filters=2, kernel_size=2)],
        "shape-mismatch",
        "Conv2DTranspose takes a picture (height, width, channels) and gets 9",
    ),
    "channels first": (
        IMAGE,
        [conv(data_format="channels_first"), layer("Flatten"), conv(data_format="channels_first")],
        "shape-mismatch",
        "Conv2D takes a picture (channels, height, width) and gets 48",
    ),
    "strides and dilation": (
        IMAGE,
        [conv(strides=2, dilation_rate=[1, 2])],
        "contradictory-arguments",
        "Conv2D takes `strides` or `dilation_rate` above 1, not both: 2x2 and 1x2",
    ),
    "strides and dilation of a recurrent convolution": (
        (3, *IMAGE),
        [layer("ConvLSTM2D", filters=2, kernel_size=2, strides=2, dilation_rate=2)],
        "contradictory-arguments",
        "ConvLSTM2D takes `strides` or `dilation_rate` above 1, not both: 2x2 and 2x2",
    ),
    "groups and channels": (
        IMAGE,
        [conv(groups=3, filters=6)],
        "uneven-groups",
        "3 groups of Conv2D do not divide the 4 channels of its input",
    ),
    "groups and filters": (
        IMAGE,
        [conv(groups=2, filters=5)],
        "uneven-groups",
        "2 groups of Conv2D do not divide its 5 filters",
    ),
    "causal in two dimensions": (
        IMAGE,
        [conv(padding="causal")],
        "wrong-value",
        "`padding` of Conv2D takes valid or same, not causal; only Conv1D takes `causal`",
    ),
    "three numbers for two axes": (
        IMAGE,
        [conv(kernel_size=[3, 3, 3])],
        "wrong-value",
        "`kernel_size` of Conv2D takes one integer or 2, not [3, 3, 3]",
    ),
    "a stride of 0": (
        IMAGE,
        [conv(strides=0)],
        "wrong-value",
        "`strides` of Conv2D takes integers of at least 1, not 0",
    ),
    "output padding": (
        IMAGE,
        [layer("Conv2DTranspose", filters=2, kernel_size=2, strides=2, output_padding=2)],
        "contradictory-arguments",
        "`output_padding` of Conv2DTranspose is smaller than `strides`, not 2 with strides of 2",
    ),
    "reshape": (
        IMAGE,
        [layer("Reshape", target_shape=[10, 10])],
        "shape-mismatch",
        "Reshape does not fit its input: 8x8x4 is 256 values, 10x10 is 100",
    ),
    "reshape with a remainder": (
        IMAGE,
        [layer("Reshape", target_shape=[-1, 10])],
        "shape-mismatch",
        "Reshape does not fit its input: 8x8x4 is 256 values, ?x10 a multiple of 10",
    ),
    "reshape of two unknowns": (
        IMAGE,
        [layer("Reshape", target_shape=[-1, -1])],
        "wrong-value",
        "`target_shape` of Reshape takes sizes and at most one -1, not [-1, -1]",
    ),
    "permute": (
        IMAGE,
        [layer("Permute", dims=[2, 1])],
        "shape-mismatch",
        "Permute takes 2 axes by its `dims` and gets 8x8x4",
    ),
    "permute from 0": (
        IMAGE,
        [layer("Permute", dims=[0, 1, 2])],
        "wrong-value",
        "`dims` of Permute takes each of 1 to 3 once, not [0, 1, 2]",
    ),
    "repeat of a picture": (
        IMAGE,
        [layer("RepeatVector", n=2)],
        "shape-mismatch",
        "RepeatVector takes 1 axis and gets 8x8x4",
    ),
    "cropping": (
        IMAGE,
        [layer("Cropping2D", cropping=[[4, 4], [0, 0]])],
        "shape-mismatch",
        "Cropping2D does not fit its input: it crops 4+4x0+0 off 8x8",
    ),
    "an axis that is not there": (
        IMAGE,
        [layer("BatchNormalization", axis=4)],
        "shape-mismatch",
        "`axis: 4` of BatchNormalization does not exist in its input of 8x8x4",
    ),
    "the batch as axis": (
        IMAGE,
        [layer("LayerNormalization", axis=[0, -1])],
        "shape-mismatch",
        "`axis: 0` of LayerNormalization is the batch in its input of 8x8x4",
    ),
    "group normalization": (
        IMAGE,
        [layer("GroupNormalization", groups=3)],
        "uneven-groups",
        "3 groups of GroupNormalization do not divide 4 channels",
    ),
    "group normalization of too few channels": (
        IMAGE,
        [layer("GroupNormalization")],
        "uneven-groups",
        "32 groups of GroupNormalization do not divide 4 channels",
    ),
    "spectral normalization": (
        IMAGE,
        [layer("SpectralNormalization", layer=layer("MaxPooling2D"))],
        "wrong-value",
        "SpectralNormalization takes a layer with a kernel of its own, and MaxPooling2D has none",
    ),
    "mean without variance": (
        IMAGE,
        [layer("Normalization", mean=0.5)],
        "contradictory-arguments",
        "Normalization takes `mean` and `variance` together",
    ),
    "too many means": (
        IMAGE,
        [layer("Normalization", mean=[0.1, 0.2, 0.3], variance=[1.0, 1.0, 1.0])],
        "shape-mismatch",
        "`mean` of Normalization has 3 values where its input has 4 along `axis`",
    ),
    "shared axes": (
        IMAGE,
        [layer("PReLU", shared_axes=[4])],
        "shape-mismatch",
        "`shared_axes` of PReLU names axis 4 of an input of 3 axes",
    ),
    "a picture for an LSTM": (
        IMAGE,
        [layer("LSTM", units=3)],
        "shape-mismatch",
        "LSTM takes a sequence (length, features) and gets 8x8x4",
    ),
    "stateful": (
        (5, 4),
        [layer("GRU", units=3, stateful=True)],
        "wrong-value",
        "`stateful` of GRU needs a fixed batch size, which a spec does not give",
    ),
    "a vector for a cell": (
        (4,),
        [layer("RNN", cell=cell("LSTMCell", units=3))],
        "shape-mismatch",
        "RNN takes a sequence (length, features) and gets 4",
    ),
    "bidirectional, both ways the same": (
        (5, 4),
        [layer("Bidirectional", layer=layer("LSTM", units=3), backward_layer=layer("LSTM",
                                                                                   units=3))],
        "contradictory-arguments",
        "the layers of Bidirectional run the same way",
    ),
    "inside a wrapper": (
        (5, 2, 2, 1),
        [layer("TimeDistributed", layer=conv())],
        "shape-mismatch",
        "Conv2D does not fit its input: a 3x3 kernel on 2x2",
    ),
    "einsum": (
        (5, 4),
        [layer("EinsumDense", equation="abc,cd->abd", output_shape=[6, 3])],
        "shape-mismatch",
        "axis `b` of abc,cd->abd is 5 in the input of EinsumDense and 6 in its `output_shape`",
    ),
    "an einsum that is none": (
        (5, 4),
        [layer("EinsumDense", equation="abc->ac", output_shape=3)],
        "wrong-value",
        "`equation` of EinsumDense cannot be read: abc->ac",
    ),
    "an einsum that moves the batch": (
        (5, 4),
        [layer("EinsumDense", equation="abc,cd->bad", output_shape=[5, 3])],
        "wrong-value",
        "the output of abc,cd->bad does not start with the batch, `a`",
    ),
    "a bias of an axis without a size": (
        (5, 4),
        [layer("EinsumDense", equation="abc,cd->abd", output_shape=[None, 3], bias_axes="bd")],
        "wrong-value",
        "axis `b` of abc,cd->abd is the bias's too, so that `output_shape` has to say its size",
    ),
    "a sequence longer than the transform": (
        (900,),
        [layer("MelSpectrogram", fft_length=256, sequence_length=512)],
        "contradictory-arguments",
        "MelSpectrogram takes `sequence_length` of at most `fft_length`, not 512 with 256",
    ),
    "bidirectional, not recurrent": (
        (5, 4),
        [layer("Bidirectional", layer=layer("Dense", units=3))],
        "wrong-value",
        "Bidirectional takes a recurrent layer, and Dense is none",
    ),
    "addition": (
        IMAGE,
        [conv(name="a"), layer("Identity", ["input"], name="b"), layer("Add", ["a", "b"])],
        "shape-mismatch",
        "Add does not fit its inputs: they are 6x6x4 and 8x8x4",
    ),
    "concatenation": (
        IMAGE,
        [conv(name="a"), layer("Identity", ["input"], name="b"), layer("Concatenate", ["a", "b"])],
        "shape-mismatch",
        "Concatenate does not fit its inputs: they are 6x6x4 and 8x8x4",
    ),
    "subtraction of three": (
        IMAGE,
        [layer("Subtract", ["input"] * 3)],
        "wrong-inputs",
        "Subtract takes 2 inputs and gets 3",
    ),
    "a dot of different axes": (
        (3, 4),
        [layer("Dot", ["input", "input"], axes=[1, 2])],
        "shape-mismatch",
        "Dot does not fit its inputs: axis 1 of 3x4 is 3, axis 2 of 3x4 is 4",
    ),
    "attention to nothing": (
        (3, 4),
        [layer("Attention", ["input"])],
        "wrong-inputs",
        "Attention takes 2 or 3 inputs (query, value, key) and gets 1",
    ),
    "query heads": (
        (3, 4),
        [layer("GroupQueryAttention", ["input", "input"], head_dim=2, num_query_heads=3,
               num_key_value_heads=2)],
        "uneven-groups",
        "2 key and value heads do not divide 3 query heads",
    ),
}  # fmt: skip


LSTM = layer("LSTM", units=3)
AT_RUN_TIME: dict[str, tuple[tuple[int, ...], list[Component], str, str]] = {
    "no output padding and an even reach": (
        IMAGE,
        [layer("Conv2DTranspose", filters=2, kernel_size=[3, 2], strides=2, padding="same",
               output_padding=[0, 0])],
        "contradictory-arguments",
        "TensorFlow cannot compute Conv2DTranspose with `padding: same`, an even reach of 2 and "
        "`output_padding` of 0",
    ),
    "no output padding and an even reach by dilation": (
        (8, 4),
        [layer("Conv1DTranspose", filters=2, kernel_size=2, dilation_rate=3, padding="same",
               output_padding=0)],
        "contradictory-arguments",
        "TensorFlow cannot compute Conv1DTranspose with `padding: same`, an even reach of 4 and "
        "`output_padding` of 0",
    ),
    **{
        f"{name} of four channels": (
            IMAGE,
            [layer(name, factor=0.5)],
            "shape-mismatch",
            f"{name} takes {takes} channels and gets 4",
        )
        for name, takes in {"RandomHue": "3", "RandomSaturation": "3",
                            "RandomColorDegeneration": "3", "RandomGrayscale": "1 or 3",
                            "RandAugment": "1 or 3"}.items()
    },
    "channels in front": (
        (4, 8, 3),
        [layer("RandomHue", factor=0.5, data_format="channels_first")],
        "shape-mismatch",
        "RandomHue takes 3 channels and gets 4",
    ),
    **{
        f"{factor} of a grey picture": (
            (8, 8, 1),
            [layer("RandomColorJitter", **{factor: 0.5})],
            "shape-mismatch",
            "RandomColorJitter takes 3 channels and gets 1",
        )
        for factor in ("hue_factor", "saturation_factor")
    },
    "padded and cropped": (
        IMAGE,
        [layer("Resizing", height=4, width=3, pad_to_aspect_ratio=True,
               crop_to_aspect_ratio=True)],
        "contradictory-arguments",
        "Resizing takes `crop_to_aspect_ratio` or `pad_to_aspect_ratio`, not both",
    ),
    **{
        f"RMSNormalization along {axis}": (
            (8, 7, 4),
            [layer("RMSNormalization", axis=axis)],
            "wrong-value",
            "RMSNormalization takes the last axes of its input alone, in their order, not "
            f"{axis}",
        )
        for axis in (1, [1, 2], [1, 3], [2, -1])
    },
    **{
        f"{name} along an axis twice": (
            IMAGE,
            [layer(name, axis=[-1, 3])],
            "wrong-value",
            f"`axis` of {name} names an axis twice: [-1, 3]",
        )
        for name in ("LayerNormalization", "RMSNormalization", "UnitNormalization", "Softmax")
    },
    **{
        f"spectral normalization of {inner.name}": (
            (5, 4),
            [layer("SpectralNormalization", layer=inner)],
            "wrong-value",
            "SpectralNormalization takes a layer with a kernel of its own, and "
            f"{inner.name} has none",
        )
        for inner in (LSTM, layer("Bidirectional", layer=LSTM),
                      layer("TimeDistributed", layer=layer("Dense", units=3)))
    },
    **{
        f"{name} with a noise shape of {noise}": (
            IMAGE,
            [layer(name, rate=0.5, noise_shape=noise)],
            "wrong-value",
            f"`noise_shape` of {name} has one entry for each axis, the batch first, which is "
            "null, 1 or the size: they are [null, 8, 8, 4]",
        )
        for name in ("Dropout", "AlphaDropout")
        for noise in ([None, 2, 1, 1], [3, 1, 4], [None, 1, 1, 4, 4])
    },
    **{
        f"{argument} of the wrong length": (
            IMAGE,
            [layer("Rescaling", **{"scale": 1.0, argument: [0.5, 0.25]})],
            "shape-mismatch",
            f"`{argument}` of Rescaling has 2 numbers, and the last axis of its input 4",
        )
        for argument in ("scale", "offset")
    },
    "an einsum with a letter twice in its output": (
        (5, 4),
        [layer("EinsumDense", equation="abc,cd->abdd", output_shape=[5, 3, 3])],
        "wrong-value",
        "the output of abc,cd->abdd names an axis twice",
    ),
    "a signal too short to be mirrored": (
        (255,),
        [layer("MelSpectrogram", fft_length=511, sequence_length=200)],
        "shape-mismatch",
        "MelSpectrogram mirrors 255 samples at each end, and its signal has 255",
    ),
}  # fmt: skip
"""What Keras builds, but fails to compute."""


@pytest.mark.parametrize("name", AT_RUN_TIME)
def test_what_fails_on_the_first_batch_is_said(name: str) -> None:
    shape, layers, rule, message = AT_RUN_TIME[name]
    found = error(shape, *layers)
    assert (found.rule, found.message) == (rule, message)
    batch = np.random.default_rng(0).random((2, *shape), dtype="float32")
    with pytest.raises(Exception):  # noqa: B017, PT011 - of whatever kind TensorFlow raises
        tf.function(built(graph(*layers), shape)[0])(batch, training=True)


@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize(("size", "hint"), [
    (1, "use `Global{}Pooling2D: {{keepdims: true}}`"), ([3, 1], "use sizes of at least 2"),
])  # fmt: skip
def test_adaptive_pooling_to_one_value_is_refused(size: Any, hint: str, kind: str) -> None:
    """TensorFlow does not only fail: a size of 1 may end the process."""
    found = error(IMAGE, layer(f"Adaptive{kind}Pooling2D", output_size=size))
    assert (found.rule, found.hint) == ("wrong-value", hint.format(kind))


@pytest.mark.parametrize("kind", ["Average", "Max"])
def test_adaptive_pooling_of_one_value_is_refused(kind: str) -> None:
    pooling = layer(f"Adaptive{kind}Pooling1D", output_size=2)
    assert "with a side of 1" in error((1, 3), pooling).message
    with pytest.raises(Exception):  # noqa: B017, PT011 - of whatever kind TensorFlow raises
        built(graph(pooling), (1, 3))[0].predict(np.zeros((2, 1, 3)), verbose=0)


def test_an_einsum_of_a_diagonal_is_refused() -> None:
    diagonal = layer("EinsumDense", equation="abb,bc->ac", output_shape=3)
    assert error((5, 5), diagonal).message == "the input of abb,bc->ac names an axis twice"


def test_an_open_axis_is_closed_by_its_size() -> None:
    behind = [layer("Flatten"), layer("Dense", units=3)]
    found = error((36, 10), OPEN, *behind)
    assert found.hint == "write `output_shape: [36, 5]` in the EinsumDense of `abc,cd->abd`"
    closed = [layer("EinsumDense", equation="abc,cd->abd", output_shape=[36, 5]), *behind]
    assert facts((36, 10), *closed).total == built(graph(*closed), (36, 10))[0].count_params()


@pytest.mark.parametrize("behind", [
    [layer("GlobalAveragePooling1D"), layer("Dense", units=3)],
    [layer("Conv1D", filters=3, kernel_size=2), layer("LayerNormalization"), layer("GRU", units=2)],
    [layer("Reshape", target_shape=[180]), layer("Dense", units=3)],
    [OPEN, layer("MaxPooling1D"), layer("Dense", units=3)],
], ids=lambda behind: behind[0].name)  # fmt: skip
def test_an_open_axis_on_which_no_weight_depends_is_taken(behind: list[Component]) -> None:
    found = facts((36, 10), OPEN, *behind)
    assert found.total == built(graph(OPEN, *behind), (36, 10))[0].count_params()
    assert {type(size) for each in found.layers for size in each.output_shape} == {int}


def test_entries_for_axes_that_fit_are_taken() -> None:
    facts(IMAGE, layer("Dropout", rate=0.5, noise_shape=[3, 1, None, 4]))
    facts(IMAGE, layer("Rescaling", scale=[0.5], offset=[0.1, 0.2, 0.3, 0.4]))
    facts((256,), layer("MelSpectrogram", fft_length=511, sequence_length=200))


def test_colors_are_taken_where_they_are() -> None:
    facts((3, 8, 5), layer("RandomHue", factor=0.5, data_format="channels_first"))
    facts((8, 8, 1), layer("RandomColorJitter", brightness_factor=0.5), layer("RandomGrayscale"))
    facts((8, 8, 4), layer("AugMix", all_ops=False))
    mixed = error((8, 8, 4), layer("AugMix"))  # fails only where it draws the colors
    assert mixed.message == "AugMix takes 1 or 3 channels and gets 4"


@pytest.mark.parametrize("name", ERRORS)
def test_what_does_not_fit_is_said(name: str) -> None:
    shape, layers, rule, message = ERRORS[name]
    found = error(shape, *layers)
    assert (found.rule, found.message) == (rule, message)
    assert found.location == layers[-1].location


@pytest.mark.parametrize("name", ERRORS)
def test_keras_refuses_it_too(name: str) -> None:
    shape, layers, _, _ = ERRORS[name]
    with pytest.raises(Exception):  # noqa: B017, PT011 - of whatever kind Keras raises
        built(graph(*layers), shape)


@pytest.mark.parametrize(
    "name", ["Add", "Average", "Maximum", "Minimum", "Multiply", "Concatenate"]
)
def test_a_layer_that_merges_takes_several_inputs(name: str) -> None:
    """Keras refuses it in a chain, which is what a layer without `inputs` belongs to."""
    found = error(IMAGE, layer(name))
    assert found.message == f"{name} takes at least 2 inputs and gets 1"
    assert (found.rule, found.hint) == ("wrong-inputs", "name them in `inputs`")
    with pytest.raises(ValueError, match="called on a list"):
        keras.Sequential([keras.Input(IMAGE), construct(layer(name))])


HUGE = 10**300
TOO_LARGE: dict[str, tuple[list[Component], str]] = {
    "output": ([layer("Flatten"), layer("RepeatVector", n=2**55)], "the values of its output"),
    "units": ([layer("Dense", units=HUGE)], "the values of its output"),
    "weights": (
        [layer("Flatten"), layer("Dense", units=2**40), layer("Dense", units=2**40)],
        "its weights",
    ),
    "multiply-adds": ([conv(filters=2**52, padding="same")], "its multiply-adds"),
    "field": (
        [conv(kernel_size=1, strides=2**40, padding="same"), *[layer("MaxPooling2D",
                                                                     pool_size=2**40,
                                                                     padding="same")] * 2],
        "the positions that it sees",
    ),
    "field of one": ([conv(dilation_rate=HUGE, padding="same")], "the positions that it sees"),
    "field beyond floats": (
        [layer("MaxPooling2D", pool_size=HUGE, padding="same")] * 2,
        "the positions that it sees",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_LARGE)
def test_figures_that_no_tensor_has_are_refused(name: str) -> None:
    layers, what = TOO_LARGE[name]
    found = error(IMAGE, *layers)
    assert found.rule == "too-large"
    assert found.message.endswith(f" is too large: {what} are more than 2**63 - 1")
    assert found.location == layers[-1].location


def test_the_largest_figures_are_none_too_large() -> None:
    """As many outputs, weights and multiply-adds, each: one input, and no bias."""
    (made,) = facts((1,), layer("Dense", units=2**63 - 1, use_bias=False)).layers
    assert made.trainable == made.macs == 2**63 - 1


def test_endless_doubling_is_refused_once() -> None:
    """4 channels, 16, 64, …: 4**31 are the last that 63 bits hold."""
    doubled = [layer("Concatenate", ["input"] * 4, axis=-1, name="c0")]
    doubled += [
        layer("Concatenate", [f"c{each}"] * 4, axis=-1, name=f"c{each + 1}") for each in range(40)
    ]
    assert error((1, 1, 4), *doubled).notes[0].endswith(f"1x1x{4**31} → Concatenate")


def test_endless_numbers_are_cut_in_messages() -> None:
    found = error(IMAGE, conv(dilation_rate=HUGE))
    assert found.message.startswith("Conv2D does not fit its input")
    assert len(found.message) < 150
    assert len(error(IMAGE, layer("BatchNormalization", axis=-HUGE)).message) < 150


def test_the_chain_of_shapes_leads_to_the_fault() -> None:
    found = error((32, 32, 3), conv(filters=32), layer("MaxPooling2D"), conv(kernel_size=20))
    assert found.notes == (
        "shapes: 32x32x3 → Conv2D 30x30x32 → MaxPooling2D 15x15x32 → Conv2D",
    )  # fmt: skip


def test_a_long_chain_is_shortened_in_the_middle() -> None:
    found = error((32, 32, 3), *[conv(filters=32), layer("MaxPooling2D")] * 4)
    assert found.message == "Conv2D does not fit its input: a 3x3 kernel on 2x2"
    assert found.notes == (
        "shapes: 32x32x3 → Conv2D 30x30x32 → MaxPooling2D 15x15x32 → … → "
        "Conv2D 4x4x32 → MaxPooling2D 2x2x32 → Conv2D",
    )


def test_the_hint_names_what_would_mend_it() -> None:
    pooled = error((2, 2, 1), layer("MaxPooling2D"), layer("MaxPooling2D"))
    assert pooled.hint == "use `padding: same`, or remove a pooling layer above"
    plain = error((2, 2, 1), conv())
    assert plain.hint == "use `padding: same`, or make it smaller"
    flat = error(IMAGE, layer("Flatten"), layer("Dense", units=9), conv())
    assert flat.hint == "put Conv2D above Flatten, or a Reshape before it"
    grey = error((28, 28), conv())
    assert grey.hint == (
        "write `input_shape: [28, 28, 1]` in `model`, or put "
        "`Reshape: {target_shape: [28, 28, 1]}` before it"
    )
    uneven = error(IMAGE, conv(groups=3, filters=6))
    assert uneven.hint == "use `groups` that divide 4: 1, 2, 4"


def test_an_argument_at_fault_is_pointed_at() -> None:
    place = Location("net.yaml", 7, 30)
    made = Component("layer", "Conv2D", {"filters": 6, "kernel_size": 3, "groups": 3},
                     Location("net.yaml", 7, 5), {"groups": place})  # fmt: skip
    assert error(IMAGE, made).location == place


def test_faults_of_separate_branches_are_all_found() -> None:
    with pytest.raises(SpecError) as caught:
        facts(
            IMAGE,
            conv(name="a", kernel_size=9),
            layer("Conv2D", ["input"], filters=4, kernel_size=3, groups=3, name="b"),
            layer("Add", ["a", "b"]),
        )
    assert [each.rule for each in caught.value.diagnostics] == ["shape-mismatch", "uneven-groups"]


def test_what_keras_accepts_and_its_backend_does_not_is_refused() -> None:
    """Keras's symbolic shapes let these through; the first batch would fail."""
    assert error((3, 4), layer("Concatenate", ["input", "input"], axis=0)).rule == "shape-mismatch"
    assert error((28, 28), layer("RandomFlip")).rule == "shape-mismatch"
    assert error((9,), layer("AdaptiveMaxPooling2D", output_size=2)).rule == "shape-mismatch"
    assert error((9,), layer("Softmax", axis=2)).rule == "shape-mismatch"
    einsum = layer("EinsumDense", equation="ab,bc->ac", output_shape=3)
    assert error((5, 4), einsum).rule == "shape-mismatch"
