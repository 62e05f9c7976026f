"""Figures of whole networks: by hand, by Keras, and their formulas worked out again."""

import json
import math
import re

import pytest
from conftest import CONFIGS
from simpleeval import simple_eval

from cnnctl.errors import DataError, SpecError
from cnnctl.preflight import specs_in
from cnnctl.specs import load
from cnnctl.summary.summary import summarize

NO_FORMULA = """\
name: dots
model:
  input_shape: [8, 8, 3]
  layers:
    - Conv2D: {filters: 4, kernel_size: 3}
    - EinsumDense: {equation: "...c,cd->...d", output_shape: 5, bias_axes: d}
    - MaxPooling2D
    - Flatten
    - Dense: {units: 2}
"""
"""The arithmetic leaves an equation whose dots stand for several axes to Keras."""


def test_mnist_by_hand():
    summary = summarize(CONFIGS / "mnist.yaml")
    assert [row.parameters for row in summary.rows] == [
        5 * 5 * 1 * 32 + 32, 0, 5 * 5 * 32 * 64 + 64, 0, 0, 3136 * 1024 + 1024, 1024 * 10 + 10,
    ]  # fmt: skip
    assert (summary.total, summary.trainable, summary.non_trainable) == (3_274_634, 3_274_634, 0)
    assert summary.macs == 28 * 28 * 25 * 32 + 14 * 14 * 25 * 32 * 64 + 3136 * 1024 + 1024 * 10
    values = 28 * 28 * 32 + 14 * 14 * 32 + 14 * 14 * 64 + 2 * 7 * 7 * 64 + 1024 + 10
    assert summary.memory == 4 * values
    assert summary.parameter_memory == 4 * 3_274_634
    assert summary.output_shape == (10,)
    assert summary.is_sequential
    assert summary.seen
    assert summary.seen.name == "max_pooling2d_1"
    assert [field.size for field in summary.seen.receptive_field] == [16, 16]
    assert [row.sees_all for row in summary.rows] == [False] * 4 + [True] * 3


def test_resnet_by_hand():
    """He et al. 2015, section 4.2: 6 convolutions each of 16, 32 and 64 filters, 19 in all."""
    summary = summarize(CONFIGS / "cifar10_resnet.yaml")
    inner = 32 * 32 * 9 * 16 * 16  # the same in each stage: half the size, twice the filters
    first = 32 * 32 * 9 * 3 * 16
    assert summary.macs == first + 16 * inner + 2 * (inner // 2) + 64 * 10
    # 3x3: 2 more each; six at stride 1, then one and five at 2, then one and five at 4.
    assert [field.size for field in summary.seen.receptive_field] == [
        1 + 2 + 6 * 2 + 2 + 5 * 4 + 4 + 5 * 8
    ] * 2
    assert not summary.is_sequential
    assert summary.non_trainable == 2 * (7 * 16 + 6 * 32 + 6 * 64)


@pytest.mark.parametrize("path", specs_in(CONFIGS), ids=lambda path: path.stem)
def test_each_formula_gives_its_figure(path):
    """What stands left of the sign of equality is worked out again."""
    summary = summarize(path)
    for row in summary.rows:
        found = {}
        for formula in row.formulas:
            left, _, right = formula.text.rpartition(" = ")
            value = float(right.replace(",", "").replace("−", "-"))
            if left and left not in {"units", "height", "width"} and "∪" not in left:
                assert worked_out(left) == value, formula
            found[formula.quantity] = value
        assert found["memory"] == row.memory
        assert found.get("macs", 0) == row.macs
        assert found.get("parameters", 0) == row.trainable
        assert found.get("non_trainable", 0) == row.non_trainable
        if "receptive_field" in found:
            assert found["receptive_field"] == row.receptive_field[0].size
        if "receptive_stride" in found:
            assert found["receptive_stride"] == row.receptive_field[0].stride
        if "receptive_start" in found:
            assert found["receptive_start"] == row.receptive_field[0].start


def worked_out(text):
    text = text.replace("·", "*").replace("−", "-").replace(",", "")
    text = re.sub("[⌊⌈]", lambda sign: {"⌊": "floor(", "⌈": "ceil("}[sign[0]], text)
    text = re.sub("[⌋⌉]", ")", text)
    return simple_eval(text, functions={"floor": math.floor, "ceil": math.ceil})


@pytest.mark.parametrize("name", ["mnist", "cifar10_resnet"])
def test_rows_are_those_of_keras(name):
    from cnnctl.startup import quiet

    quiet()
    from cnnctl.network.build import build

    path = CONFIGS / f"{name}.yaml"
    summary = summarize(path)
    model = build(load(path), summary.input_shape)
    for row in summary.rows:
        layer = model.get_layer(row.name)
        assert (row.layer, row.output_shape) == (
            type(layer).__name__,
            tuple(layer.output.shape[1:]),
        )
        assert row.parameters == layer.count_params()
        assert row.non_trainable == sum(math.prod(w.shape) for w in layer.non_trainable_weights)
    assert summary.total == model.count_params()


def test_plain_values():
    """Everything is in the document, as JSON has it."""
    document = json.loads(json.dumps(summarize(CONFIGS / "mnist.yaml").to_dict()))
    assert document["spec"] == str(CONFIGS / "mnist.yaml")
    assert (document["name"], document["input_shape"], document["output_shape"]) == (
        "mnist", [28, 28, 1], [10],
    )  # fmt: skip
    assert (document["total"], document["macs"], document["memory"]) == (
        3_274_634, 13_883_904, 204_840,
    )  # fmt: skip
    third = document["rows"][2]
    assert (third["inputs"], third["input_shapes"]) == (["max_pooling2d"], [[14, 14, 32]])
    assert third["receptive_field"][1] == {"axis": 1, "size": 14, "stride": 2, "start": -6}
    assert {"name": "kernel", "shape": [5, 5, 32, 64], "trainable": True} in third["weights"]
    assert {"quantity": "parameters", "text": "5·5·32·64 + 64 = 51,264"} in third["formulas"]
    assert document["receptive_field"][0]["size"] == 16


def test_overrides_change_it():
    changed = summarize(CONFIGS / "mnist.yaml", ["model.layers.0.Conv2D.filters=8"])
    assert changed.rows[0].parameters == 5 * 5 * 8 + 8
    assert changed.rows[2].parameters == 5 * 5 * 8 * 64 + 64


def test_a_layer_without_a_formula_is_counted_by_keras(tmp_path):
    path = tmp_path / "dots.yaml"
    path.write_text(NO_FORMULA)
    summary = summarize(path)
    assert [(row.output_shape, row.parameters) for row in summary.rows] == [
        ((6, 6, 4), 3 * 3 * 3 * 4 + 4),
        ((6, 6, 5), 4 * 5 + 5),
        ((3, 3, 5), 0),
        ((45,), 0),
        ((2,), 45 * 2 + 2),
    ]
    unknown = summary.rows[1]
    assert (unknown.macs, unknown.receptive_field, unknown.formulas) == (None, None, ())
    assert unknown.memory == 6 * 6 * 5 * 4
    assert unknown.inputs == ("conv2d",)
    assert {weight.shape for weight in unknown.weights} == {(4, 5), (5,)}
    # Before and behind it the arithmetic goes on; what needs the unknown is unknown.
    assert [row.macs for row in summary.rows] == [6 * 6 * 9 * 3 * 4, None, 0, 0, 90]
    assert "⌊(6 − 2)/2⌋ + 1 = 3" in [each.text for each in summary.rows[2].formulas]
    assert summary.rows[2].receptive_field is None
    assert summary.macs is None
    assert summary.seen.name == "conv2d"
    assert len(summary.notes) == 1
    assert "no formula for einsum_dense (EinsumDense)" in summary.notes[0]


def test_a_shape_that_only_pictures_tell(tmp_path, xo_spec):
    text = xo_spec.read_text().replace("  input_shape: [9, 9, 1]\n", "")
    text = text.replace("{xo: {count: 120, test_count: 40, translate: 1}}", "{npz: {path: a.npz}}")
    xo_spec.write_text(text.replace("normalize: signed", "normalize: none"))
    with pytest.raises(DataError, match="only from its pictures"):
        summarize(xo_spec)


def test_faults_are_raised(xo_spec):
    with pytest.raises(SpecError):
        summarize(xo_spec, ["model.layers.0.Conv2D.kernel_size=30"])


@pytest.mark.parametrize(
    "wrapped",
    [
        "{Bidirectional: {layer: {LSTM: {units: 3}}, trainable: false}}",
        "{RNN: {cell: {LSTMCell: {units: 3}}, trainable: false}}",
        "{TimeDistributed: {layer: {Dense: {units: 3}}, trainable: false}}",
        "{SpectralNormalization: {layer: {Dense: {units: 3}}, trainable: false}}",
        "{MultiHeadAttention: {num_heads: 1, key_dim: 3, trainable: false, "
        "inputs: [input, input]}}",
    ],
)
def test_a_frozen_wrapper_keeps_all_its_weights(wrapped, tmp_path):
    """Keras freezes those alone that are there when it is told so; a step of SGD moves the rest."""
    from cnnctl.startup import quiet

    quiet()
    import keras
    import numpy as np

    from cnnctl.network.build import build

    path = tmp_path / "frozen.yaml"
    path.write_text(
        f"model:\n  input_shape: [5, 4]\n  layers: [{wrapped}, Flatten, Dense: {{units: 2}}]\n"
    )
    model = build(load(path), (5, 4))
    frozen = [np.array(each) for each in model.layers[-3].weights]
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(np.ones((4, 5, 4)), np.ones((4, 2)), verbose=0)
    counted = sum(math.prod(each.shape) for each in model.trainable_weights)
    assert summarize(path).trainable == counted == math.prod(model.layers[-1].kernel.shape) + 2
    kept = zip(model.layers[-3].weights, frozen, strict=True)
    if "Spectral" not in wrapped:  # it scales its kernel itself, whatever is trained
        assert all(np.array_equal(now, before) for now, before in kept)
