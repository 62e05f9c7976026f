import pytest

from cnnctl.errors import SpecError
from cnnctl.specs import load


def graph(tmp_path, layers):
    path = tmp_path / "g.yaml"
    path.write_text(f"model:\n  input_shape: [8, 8, 4]\n  layers:\n{layers}")
    return load(path).graph


def edges(tmp_path, layers):
    return [(layer.name, layer.inputs) for layer in graph(tmp_path, layers).layers]


def test_a_chain_with_keras_names(tmp_path):
    text = "    - Flatten\n    - Dense: {units: 4}\n    - Dense: {units: 2}\n"
    assert edges(tmp_path, text) == [
        ("flatten", ("input",)),
        ("dense", ("flatten",)),
        ("dense_1", ("dense",)),
    ]
    assert graph(tmp_path, text).is_sequential


def test_automatic_names_avoid_given_ones(tmp_path):
    text = "    - Dense: {units: 4}\n    - Dense: {units: 2, name: dense}\n"
    assert [name for name, _ in edges(tmp_path, text)] == ["dense_1", "dense"]


def test_inputs_make_any_graph(tmp_path):
    text = """\
    - Conv2D: {filters: 4, kernel_size: 1, name: a}
    - Conv2D: {filters: 4, kernel_size: 1, name: b, inputs: [input]}
    - Add: {inputs: [a, b, input]}
"""
    assert edges(tmp_path, text) == [
        ("a", ("input",)),
        ("b", ("input",)),
        ("add", ("a", "b", "input")),
    ]
    assert not graph(tmp_path, text).is_sequential


def test_residual_is_written_out(tmp_path):
    text = """\
    - Residual:
        activation: relu
        layers: [{Conv2D: {filters: 4, kernel_size: 3, padding: same}}, BatchNormalization]
"""
    assert edges(tmp_path, text) == [
        ("conv2d", ("input",)),
        ("batch_normalization", ("conv2d",)),
        ("add", ("batch_normalization", "input")),
        ("activation", ("add",)),
    ]


def test_residual_with_a_shortcut(tmp_path):
    text = """\
    - Residual:
        layers: [{Conv2D: {filters: 8, kernel_size: 1, name: main}}]
        shortcut: [{Conv2D: {filters: 8, kernel_size: 1, name: side}}]
"""
    assert edges(tmp_path, text) == [
        ("main", ("input",)),
        ("side", ("input",)),
        ("add", ("main", "side")),
    ]


def test_repeat_tells_its_copies_apart_by_name(tmp_path):
    text = """\
    - Repeat:
        times: 2
        layers:
          - Conv2D: {filters: 4, kernel_size: 1, name: c}
          - Add: {inputs: [c, c]}
"""
    assert edges(tmp_path, text) == [
        ("c_1", ("input",)),
        ("add", ("c_1", "c_1")),
        ("c_2", ("add",)),
        ("add_1", ("c_2", "c_2")),
    ]


def test_parallel_branches_are_merged(tmp_path):
    text = """\
    - Parallel:
        branches:
          - [{Conv2D: {filters: 2, kernel_size: 1}}]
          - [{Conv2D: {filters: 3, kernel_size: 1}}]
    - Parallel:
        branches: [[Identity], [ReLU]]
        merge: Average
"""
    assert edges(tmp_path, text) == [
        ("conv2d", ("input",)),
        ("conv2d_1", ("input",)),
        ("concatenate", ("conv2d", "conv2d_1")),
        ("identity", ("concatenate",)),
        ("re_lu", ("concatenate",)),
        ("average", ("identity", "re_lu")),
    ]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("    - Flatten: {name: a}\n    - Dense: {units: 1, name: a}\n", "repeated-name"),
        ("    - Flatten: {name: input}\n", "bad-name"),
        ("    - Flatten: {name: a/b}\n", "bad-name"),
        ("    - Repeat: {times: 2, layers: [{Dense: {units: 1, name: d}}]}\n"
         "    - Dense: {units: 1, name: d_1}\n", "bad-name"),
        ("    - Dense: {units: 1, name: d_2}\n"
         "    - Repeat: {times: 2, layers: [{Dense: {units: 1, name: d}}]}\n", "bad-name"),
        ("    - Flatten: {inputs: [later]}\n    - Dense: {units: 1, name: later}\n",
         "unknown-input"),
        ("    - Flatten: {name: a}\n    - Dense: {units: 1, inputs: [input]}\n", "unused-layer"),
    ],
)  # fmt: skip
def test_faults(tmp_path, text, rule):
    with pytest.raises(SpecError) as caught:
        graph(tmp_path, text)
    assert [each.rule for each in caught.value.diagnostics] == [rule]
