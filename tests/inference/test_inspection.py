"""The worked examples against their printed results, and any sum against Keras's output."""

import json
import re

import numpy as np
import pytest
from conftest import CONFIGS, examples
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.errors import SpecError  # noqa: E402
from cnnctl.inference.explain import View  # noqa: E402
from cnnctl.inference.inspection import inspect  # noqa: E402
from cnnctl.preflight import check  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.summary.summary import summarize  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

EXAMPLES = CONFIGS / "examples"
layers = keras.layers


def shown(name, **options):
    return inspect(check(EXAMPLES / f"{name}.yaml").spec, **options)


@pytest.mark.parametrize(("name", "expected"), [
    ("convolution", [[12, 12, 17], [10, 17, 19], [9, 6, 14]]),
    ("cross_correlation", [[19, 25], [37, 43]]),
    ("max_pooling", [[6, 8], [3, 4]]),
    ("edge", [[0, 1, 0, 0, 0, -1, 0]] * 6),
])  # fmt: skip
def test_printed_results(name, expected):
    (view,) = shown(name).views
    np.testing.assert_array_equal(view.output[..., 0], expected)
    header = (EXAMPLES / f"{name}.yaml").read_text()
    if name != "edge":
        assert f"# Gives: {json.dumps(expected)}" in header
    totals = np.array([each.total for each in view.sums()]).reshape(view.output.shape)
    np.testing.assert_array_equal(totals[..., 0], expected)


@pytest.mark.parametrize(("name", "shape"), [
    ("size_32_5", (28, 28, 1)),
    ("size_5_3", (3, 3, 1)),
    ("size_5_3_padded", (5, 5, 1)),
    ("size_5_3_strided", (2, 2, 1)),
    ("size_7_3_strided", (3, 3, 2)),
])  # fmt: skip
def test_sizes(name, shape):
    assert summarize(EXAMPLES / f"{name}.yaml").output_shape == shape
    assert f"# Gives: {'x'.join(map(str, shape))}" in (EXAMPLES / f"{name}.yaml").read_text()
    image = np.zeros(summarize(EXAMPLES / f"{name}.yaml").input_shape)
    assert shown(name, given=image).views[-1].output.shape == shape


def test_the_lectures_x_under_its_filters():
    found = shown("xo_filters")
    convolved, rectified, pooled = (view.output for view in found.views)
    first = convolved[..., 0] * 9
    np.testing.assert_allclose(np.diag(first), [7, 9, 9, 5, 9, 9, 7], atol=1e-5)
    np.testing.assert_allclose(np.diag(first)[[0, -1]], [7, 7], atol=1e-5)  # in the corners
    assert rectified.min() == 0
    np.testing.assert_allclose(
        pooled[..., 0] * 9, [[9, 3, 5, 3], [3, 9, 3, 5], [5, 3, 9, 1], [3, 5, 1, 7]], atol=1e-5
    )
    # the slides print the numbers cut to two digits
    cut = np.floor(pooled[..., 0] * 100 + 1e-4) / 100
    assert cut[3, 3] == 0.77
    assert cut[0, 2] == 0.55
    # the third filter is the first one mirrored, and so is the X
    np.testing.assert_allclose(convolved[..., 2], convolved[:, ::-1, 0], atol=1e-6)


def test_the_lectures_way_back():
    """E = h11 + h12 + h21 + h22: every dE/dw is the sum of the inputs that it met."""
    found = shown("backward", gradients=True, rate=0.1)
    x, back = found.image[..., 0], found.backward
    (view,) = found.views
    assert back.error == view.output.sum()
    np.testing.assert_array_equal(back.outputs["conv2d"], np.ones((2, 2, 1)))
    slope = back.weights["conv2d"]["kernel"][..., 0, 0]
    by_hand = [[x[a : a + 2, b : b + 2].sum() for b in (0, 1)] for a in (0, 1)]
    np.testing.assert_array_equal(slope, by_hand)
    np.testing.assert_array_equal(slope, [[12, 16], [24, 28]])
    kernel = np.array([[1, -2], [3, 2]])
    new = back.updated(view, "kernel")[..., 0, 0]
    np.testing.assert_allclose(new, kernel - 0.1 * np.array(by_hand), rtol=1e-6)
    np.testing.assert_allclose(new, [[-0.2, -3.6], [0.6, -0.8]], rtol=1e-6)
    for row in range(3):  # each pixel meets the weights of the windows that it is in
        for column in range(3):
            met = sum(kernel[row - a, column - b] for a in (0, 1) for b in (0, 1)
                      if 0 <= row - a < 2 and 0 <= column - b < 2)  # fmt: skip
            assert back.inputs[row, column, 0] == met


def test_the_kernel_of_edges_is_learned(tmp_path):
    spec = check(EXAMPLES / "edge_learning.yaml").spec
    result = train(spec, runs_dir=tmp_path, device="cpu")
    view = inspect(result.run.path).views[0]
    np.testing.assert_allclose(view.weights["kernel"].reshape(-1), [1, -1], atol=0.05)


@examples(60)
@given(st.data())
def test_sums_are_keras_outputs(data):
    draw = data.draw
    random = np.random.default_rng(draw(st.integers(0, 99)))
    x = random.normal(size=(draw(st.integers(4, 7)), draw(st.integers(4, 7)),
                            draw(st.integers(1, 3)))).astype(np.float32)  # fmt: skip
    padding = draw(st.sampled_from(["valid", "same"]))
    strides = draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["conv", "dilated", "max", "average", "dense", "one"]))
    size = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    match kind:
        case "conv":
            layer = layers.Conv2D(3, size, strides=strides, padding=padding, activation="relu",
                                  bias_initializer="normal")  # fmt: skip
        case "dilated":
            layer = layers.Conv2D(2, 2, dilation_rate=2, padding=padding, use_bias=False)
        case "max":
            layer = layers.MaxPooling2D(size, strides=strides, padding=padding)
        case "average":
            layer = layers.AveragePooling2D(size, strides=strides, padding=padding)
        case "dense":
            x = x.reshape(-1)
            layer = layers.Dense(4, activation="tanh", bias_initializer="normal")
        case "one":
            x = x[0]
            layer = layers.Conv1D(2, size[0], strides=strides, padding=padding)
    output = np.asarray(layer(x[None]))[0]
    weights = {each.name: np.asarray(each) for each in layer.weights}
    view = View(layer.name, type(layer).__name__, x, output, weights, layer)
    found = list(view.sums())
    assert [each.place for each in found] == list(np.ndindex(output.shape))
    activation = getattr(layer, "activation", None) or (lambda value: value)
    totals = np.asarray(activation(np.array([each.total for each in found], np.float32)))
    np.testing.assert_allclose(totals, output.reshape(-1), rtol=1e-4, atol=1e-5)
    for each in found:
        if each.weights:
            own = sum((v or 0) * w for v, w in zip(each.values, each.weights, strict=True))
            assert own + (each.bias or 0) == pytest.approx(each.total, abs=1e-9)


def test_the_gradients_are_those_of_a_training_step(xo_spec):
    """One step of plain SGD by Keras moves the weights to the updated ones."""
    overrides = ["compile.optimizer={SGD: {learning_rate: 0.5}}", "fit.batch_size=1"]
    spec = check(xo_spec, overrides).spec
    image = np.random.default_rng(0).normal(size=(9, 9, 1)).astype(np.float32)
    found = inspect(spec, image, gradients=True, label=1)
    from cnnctl.network.build import build, compile_model

    keras.utils.set_random_seed(spec.seed)
    model = build(spec, (9, 9, 1))
    for view in found.views:
        model.get_layer(view.name).set_weights(list(view.weights.values()))
        model.get_layer(view.name).rate = 0.0  # inspection looks at no dropout
    compile_model(model, spec)
    model.train_on_batch(image[None], np.array([1]))
    for view in found.views:
        for weight in model.get_layer(view.name).weights:
            np.testing.assert_allclose(
                found.backward.updated(view, weight.name), np.asarray(weight), rtol=1e-4, atol=1e-6
            )


def spec_with(tmp_path, values, **options):
    extra = "".join(f", {key}: {value}" for key, value in options.items())
    (tmp_path / "s.yaml").write_text(
        "model:\n  input_shape: [4, 4, 1]\n  layers:\n"
        f"    - Conv2D: {{filters: 2, kernel_size: 2, kernel_initializer: "
        f"{{Values: {{values: {values}{extra}}}}}}}\n"
    )
    return tmp_path / "s.yaml"


def test_values_in_both_orders(tmp_path):
    filters = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    first = check(spec_with(tmp_path, filters, filters_first="true")).spec
    image = np.zeros((4, 4, 1), np.float32)
    kernel = inspect(first, image).views[0].weights["kernel"]
    np.testing.assert_array_equal(kernel[..., 0, 0], filters[0])
    np.testing.assert_array_equal(kernel[..., 0, 1], filters[1])
    keras_order = np.moveaxis(filters, 0, -1).tolist()
    again = inspect(check(spec_with(tmp_path, keras_order)).spec, image)
    np.testing.assert_array_equal(again.views[0].weights["kernel"], kernel)


@pytest.mark.parametrize(("values", "words"), [
    ([[1, 2], [3, 4]], "the kernel of Conv2D is 2×2×1×2, and the values are 2×2"),
    ([[[1, 2], [3, 4]], [[5, 6]]], "ragged lists"),
])  # fmt: skip
def test_values_of_another_shape_are_a_fault_of_their_line(tmp_path, values, words):
    path = spec_with(tmp_path, values)
    with pytest.raises(SpecError) as raised:
        check(path)
    (error,) = raised.value.diagnostics
    assert words in error.message
    assert error.location.line == 4
    with pytest.raises(SpecError, match="Keras refuses"):
        inspect(load(path), np.zeros((4, 4, 1)))


@pytest.mark.parametrize(("arguments", "words"), [
    (["configs/mnist.yaml"], "--input is missing"),
    (["configs/mnist.yaml", "--input", "[[1, 2], [3]]"], "no nested lists of numbers"),
    (["configs/mnist.yaml", "--input", "[[1, 2], [3, 4]]"], "the input is 2×2"),
    (["configs/mnist.yaml", "--input", "none.png"], "there is no file none.png"),
    (["configs/examples/edge.yaml", "--layer", "x"], "no layer `x`"),
    (["configs/examples/edge.yaml", "--rate", "1"], "for --gradients"),
    (["configs/examples/edge.yaml", "--gradients", "--label", "0"], "no `compile.loss`"),
    (["configs/examples/edge.yaml", "--checkpoint", "last"], "belongs to a run"),
    (["configs/examples/edge.yaml", "--input", "7"], "no picture 7"),
])  # fmt: skip
def test_wrong_arguments(cnnctl, arguments, words):
    done = cnnctl("inspect", *arguments, cwd=CONFIGS.parent)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_readme_shows_what_is_printed(cnnctl):
    readme = (CONFIGS.parent / "README.md").read_text()
    done = cnnctl("inspect", "configs/examples/cross_correlation.yaml", cwd=CONFIGS.parent)
    block = re.search(r"```\n(conv2d \(Conv2D\): 3×3×1.*?)```", readme, re.DOTALL).group(1)
    assert block.strip() in done.stdout
    stepped = cnnctl("inspect", "configs/examples/cross_correlation.yaml", "--step",
                     cwd=CONFIGS.parent).stdout  # fmt: skip
    assert "    [0][1] 2\n    [3][4] 5\n     6  7  8\n\n  H[0,0] = " in stepped
    found = json.loads(cnnctl("inspect", "configs/examples/backward.yaml", "--gradients", "--json",
                              cwd=CONFIGS.parent).stdout)  # fmt: skip
    assert found["backward"]["error"] == 108
