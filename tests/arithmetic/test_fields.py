"""Receptive fields: worked by hand, from the literature, and found by gradients in Keras."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from cnnctl.arithmetic import Field, LayerFacts
from cnnctl.specs.components import Component

from .twin import built, facts, graph, last, layer

NETWORKS = 30


def test_two_convolutions_by_hand() -> None:
    """3x3 on 3x3 sees 5x5; a stride of 2 between them makes it 7x7."""
    twice = last((9, 9, 1), *[layer("Conv2D", filters=1, kernel_size=3)] * 2)
    assert twice.receptive_field == (Field(0, 5, 1, 0), Field(1, 5, 1, 0))
    strided = last(
        (9, 9, 1),
        layer("Conv2D", filters=1, kernel_size=3, strides=2),
        layer("Conv2D", filters=1, kernel_size=3),
    )
    assert strided.receptive_field == (Field(0, 7, 2, 0), Field(1, 7, 2, 0))


def test_mnist_by_hand() -> None:
    """r: 5, 5 + 1, 6 + 4·2, 14 + 2; jump 1, 2, 2, 4; start −2, −2, −2 − 2·2, −6."""
    traced = facts(
        (28, 28, 1),
        layer("Conv2D", filters=2, kernel_size=5, padding="same"),
        layer("MaxPooling2D", pool_size=2),
        layer("Conv2D", filters=2, kernel_size=5, padding="same"),
        layer("MaxPooling2D", pool_size=2),
        layer("Flatten"),
        layer("Dense", units=3),
    )
    heights = [each.receptive_field and each.receptive_field[0] for each in traced.layers]
    assert heights[:4] == [
        Field(0, 5, 1, -2), Field(0, 6, 2, -2), Field(0, 14, 2, -6), Field(0, 16, 4, -6),
    ]  # fmt: skip
    assert heights[4:] == [None, None]


def test_adaptive_windows_are_held_by_the_smallest_field_of_its_form() -> None:
    """The bounds of every window, one by one, for all sizes from 2 (less is refused) to 12."""
    for size, count in itertools.product(range(2, 13), repeat=2):
        pooled = layer("AdaptiveAveragePooling1D", output_size=count)
        (field,) = last((size, 1), pooled).receptive_field or ()
        ratio = Fraction(size, count)
        starts = [math.floor(each * ratio) - each * ratio for each in range(count)]
        ends = [math.ceil((each + 1) * ratio) - each * ratio for each in range(count)]
        wanted = (max(ends) - min(starts), ratio, min(starts))
        assert (field.size, field.stride, field.start) == pytest.approx(wanted), (size, count)


def test_an_adaptive_pooling_to_a_huge_size_is_no_loop() -> None:
    huge = 10**12 + 39  # a prime: nothing of the fraction cancels
    pooled = layer("AdaptiveAveragePooling1D", output_size=huge)
    (field,) = last((9, 1), pooled).receptive_field or ()
    assert field.size == pytest.approx(2)


def test_alexnet_by_the_literature() -> None:
    """Araujo, Norris, Sim 2019, table 1: AlexNet v2 sees 195 pixels, 32 apart."""
    stack = [
        layer("Conv2D", filters=1, kernel_size=11, strides=4),
        layer("MaxPooling2D", pool_size=3, strides=2),
        layer("Conv2D", filters=1, kernel_size=5, padding="same"),
        layer("MaxPooling2D", pool_size=3, strides=2),
        *[layer("Conv2D", filters=1, kernel_size=3, padding="same")] * 3,
        layer("MaxPooling2D", pool_size=3, strides=2),
    ]
    (height, _) = last((224, 224, 3), *stack).receptive_field or (None, None)
    assert height is not None
    assert (height.size, height.stride) == (195, 32)


def test_vgg16_by_the_literature() -> None:
    """Araujo, Norris, Sim 2019, table 1: VGG-16 sees 212 pixels, 32 apart."""
    stack: list[Component] = []
    for count in (2, 2, 3, 3, 3):
        stack += [layer("Conv2D", filters=1, kernel_size=3, padding="same")] * count
        stack.append(layer("MaxPooling2D", pool_size=2))
    (height, _) = last((224, 224, 3), *stack).receptive_field or (None, None)
    assert height is not None
    assert (height.size, height.stride) == (212, 32)


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ([layer("Cropping2D", cropping=2)], (1, 1, 2)),
        ([layer("ZeroPadding2D", padding=3)], (1, 1, -3)),
        ([layer("GlobalMaxPooling2D", keepdims=True)], (12, 1, 0)),
        ([layer("AdaptiveMaxPooling2D", output_size=4)], (3, 3, 0)),
        ([layer("CenterCrop", height=6, width=6)], (1, 1, 3)),
        ([layer("UpSampling2D", size=2)], (1.5, 0.5, -0.5)),
        ([layer("Conv2DTranspose", filters=1, kernel_size=2, strides=2)], (1.5, 0.5, -0.5)),
        ([layer("Conv2DTranspose", filters=1, kernel_size=3)], (3, 1, -2)),
        ([layer("Conv2DTranspose", filters=1, kernel_size=2, padding="same")], (2, 1, -1)),
        ([layer("AdaptiveAveragePooling2D", output_size=5)], (4, 2.4, -0.8)),
        ([layer("Dense", units=3), layer("BatchNormalization")], (1, 1, 0)),
    ],
)
def test_other_layers_by_hand(stack: list[Component], expected: tuple[float, ...]) -> None:
    field = last((12, 12, 2), *stack).receptive_field
    assert field is not None
    assert field[0] == Field(0, *expected)


def test_axes_keep_their_origin() -> None:
    """Permute exchanges height and width; a grey picture without channels gets some."""
    field = last((6, 7, 2), layer("Permute", dims=[2, 1, 3])).receptive_field
    assert [each.axis for each in field or ()] == [1, 0]
    field = last((6, 7), layer("Reshape", target_shape=[6, 7, 1])).receptive_field
    assert [each.axis for each in field or ()] == [0, 1]
    first = last((2, 6, 7), layer("Conv2D", filters=1, kernel_size=3, data_format="channels_first"))
    assert [each.axis for each in first.receptive_field or ()] == [1, 2]


def test_channels_first_in_one_layer_alone() -> None:
    """ZeroPadding2D that takes the last axis for its width adds channels; rows and columns stay."""
    padded = last(
        (8, 8, 3),
        layer("Conv2D", filters=4, kernel_size=3),
        layer("ZeroPadding2D", padding=[[0, 0], [2, 2]], data_format="channels_first"),
    )
    assert padded.output_shape == (6, 6, 8)
    assert padded.receptive_field == (Field(0, 3, 1, 0), Field(1, 3, 1, 0))


def test_fields_come_with_their_recurrences() -> None:
    """The numbers of `test_mnist_by_hand`, and the recurrences of Araujo, Norris, Sim 2019."""
    traced = facts(
        (28, 28, 1),
        layer("Conv2D", filters=2, kernel_size=5, padding="same"),
        layer("MaxPooling2D", pool_size=2),
        layer("Conv2D", filters=2, kernel_size=[5, 3], padding="same"),
        layer("ReLU"),
        layer("Cropping2D", cropping=1),
    )
    assert [recurrences(each) for each in traced.layers] == [
        {"receptive_field": "1 + (5 − 1)·1 = 5", "receptive_start": "0 − 2·1 = −2"},
        {"receptive_field": "5 + (2 − 1)·1 = 6", "receptive_stride": "1·2 = 2"},
        {"receptive_field height": "6 + (5 − 1)·2 = 14", "receptive_field width":
         "6 + (3 − 1)·2 = 10", "receptive_start height": "−2 − 2·2 = −6",
         "receptive_start width": "−2 − 1·2 = −4"},
        {},
        {"receptive_start height": "−6 + 1·2 = −4", "receptive_start width": "−4 + 1·2 = −2"},
    ]  # fmt: skip


def recurrences(made: LayerFacts) -> dict[str, str]:
    return {each.quantity: each.text for each in made.formulas if "receptive" in each.quantity}


def test_branches_see_the_union() -> None:
    """3x3 beside dilated 3x3 (5 wide): the union is the larger; a global branch sees it all."""
    wide = facts(
        (9, 9, 1),
        layer("Conv2D", filters=2, kernel_size=3, padding="same", name="a", inputs=["input"]),
        layer("Conv2D", filters=2, kernel_size=3, dilation_rate=2, padding="same", name="b",
              inputs=["input"]),
        layer("Add", inputs=["a", "b"]),
    )  # fmt: skip
    assert wide.layers[-1].receptive_field == (Field(0, 5, 1, -2), Field(1, 5, 1, -2))
    assert recurrences(wide.layers[-1]) == {"receptive_field": "3 ∪ 5 = 5"}
    squeezed = facts(
        (9, 9, 1),
        layer("Conv2D", filters=2, kernel_size=3, padding="same", name="a"),
        layer("GlobalAveragePooling2D", keepdims=True, name="b"),
        layer("Multiply", inputs=["a", "b"]),
    )
    assert squeezed.layers[-1].receptive_field == (Field(0, 11, 0, -1), Field(1, 11, 0, -1))


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_fields_equal_those_probed_by_gradients(seed: int) -> None:
    shape, stack, enlarged = drawn(random.Random(seed))
    network = graph(*stack)
    fields = facts(shape, *stack).layers[-1].receptive_field
    assert fields is not None
    model, _ = built(network, shape)
    for weight in model.weights:
        weight.assign(np.full(weight.shape, 0.5))
    positions, seen = probe(model, shape, random.Random(seed))
    checked = 0
    for position, touched in zip(positions, seen, strict=True):
        lows = [each.start + at * each.stride for each, at in zip(fields, position, strict=True)]
        spans = [(low, low + each.size) for each, low in zip(fields, lows, strict=True)]
        if not touched.any():  # it sees nothing but padding
            assert any(
                low < 0 or high > size for (low, high), size in zip(spans, shape[:-1], strict=True)
            )
            continue
        for axis, (low, high) in enumerate(spans):
            others = tuple(each for each in range(len(shape)) if each != axis)
            rows = np.flatnonzero(touched.any(axis=others))
            assert low <= rows[0]
            assert rows[-1] < high
            if not enlarged and low >= 0 and high <= shape[axis]:
                assert (rows[0], rows[-1] + 1) == (low, high)
                checked += 1
    assert checked or enlarged


def probe(
    model: Any, shape: tuple[int, ...], draw: random.Random
) -> tuple[list[tuple[int, ...]], np.ndarray]:
    """Some positions of the output, the middle among them, and which inputs each depends on."""
    spatial = model.output_shape[1:-1]
    positions = [tuple(size // 2 for size in spatial)]
    positions += [tuple(draw.randrange(size) for size in spatial) for _ in range(5)]
    images = tf.ones((len(positions), *shape))
    with tf.GradientTape() as tape:
        tape.watch(images)
        out = model(images)
        total = sum(tf.reduce_sum(out[(each, *where)]) for each, where in enumerate(positions))
    return positions, tape.gradient(total, images).numpy() != 0


def drawn(draw: random.Random) -> tuple[tuple[int, ...], list[Component], bool]:
    """A stack of convolutions, poolings and branches without gaps between its windows."""
    rank = draw.choice((1, 2, 2, 3))
    shape = (*(draw.randrange(*{1: (60, 80), 2: (36, 48), 3: (18, 22)}[rank]) for _ in range(rank)),
             2)  # fmt: skip
    stack: list[Component] = []
    enlarged = draw.random() < 0.2
    for step in range(draw.randrange(1, 5 if rank < 3 else 3)):
        kind = draw.random()
        kernel = [draw.randrange(1, 4) for _ in range(rank)]
        padding = draw.choice(("valid", "same"))
        if kind < 0.5:
            stack.append(strided(draw, rank, kernel, padding))
        elif kind < 0.65:
            strides = [draw.randrange(1, each + 1) for each in kernel]
            stack.append(
                layer(f"AveragePooling{rank}D", pool_size=kernel, strides=strides, padding=padding)
            )
        elif kind < 0.75:
            stack.append(layer(f"ZeroPadding{rank}D", padding=draw.randrange(1, 3)))
        else:
            stack += branch(draw, rank, step)
    if enlarged:
        name = draw.choice((f"UpSampling{rank}D", f"Conv{rank}DTranspose"))
        size = {"size": 2} if "Up" in name else {"filters": 1, "kernel_size": 3, "strides": 2}
        stack += [layer(name, **size), layer(f"Conv{rank}D", filters=1, kernel_size=3)]
    return shape, stack or [layer("Identity")], enlarged


def strided(draw: random.Random, rank: int, kernel: list[int], padding: str) -> Component:
    if draw.random() < 0.3:
        gaps = [draw.randrange(1, 4) for _ in kernel]
        return layer(f"Conv{rank}D", filters=2, kernel_size=kernel, dilation_rate=gaps,
                     padding=padding)  # fmt: skip
    if draw.random() < 0.2:
        return layer(f"Conv{rank}DTranspose", filters=2, kernel_size=kernel, padding=padding)
    strides = [draw.randrange(1, each + 1) for each in kernel]
    if rank == 1 and draw.random() < 0.3:
        padding = "causal"
    return layer(f"Conv{rank}D", filters=2, kernel_size=kernel, strides=strides, padding=padding)


def branch(draw: random.Random, rank: int, step: int) -> list[Component]:
    start, ways = f"start_{step}", (f"left_{step}", f"right_{step}")
    found = [layer("Identity", name=start)]
    for way in ways:
        kernel = [draw.randrange(1, 5) for _ in range(rank)]
        found.append(
            layer(f"Conv{rank}D", [start], filters=2, kernel_size=kernel, padding="same", name=way)
        )
    return [*found, layer(draw.choice(("Add", "Concatenate")), ways)]
