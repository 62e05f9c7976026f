"""The arithmetic of plug-ins' layers: held against Keras, and not believed."""

import keras
import pytest

from cnnctl import Link, Outcome, Refusal, Weight, same
from cnnctl.errors import SpecError
from cnnctl.preflight import check
from cnnctl.specs import load
from cnnctl.startup import quiet
from cnnctl.summary.summary import summarize

SPEC = """\
model:
  input_shape: [5, 5, 2]
  layers:
    - Conv2D: {filters: 3, kernel_size: 2}
    - Scaled
    - Flatten
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "net.yaml").write_text(SPEC)
    return tmp_path / "net.yaml"


class Scaled(keras.layers.Layer):
    """Scaled, with a number for each channel that is trained, and one that is not."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), name="factor")
        self.fixed = self.add_weight(shape=(), trainable=False, name="fixed")

    def call(self, x):
        return self.factor * x


def right(call):
    fixed = Weight("fixed", (), trainable=False)
    return Outcome(call.shape, (Weight("factor", (call.shape[-1],)), fixed), (call.shape,))


def build(path):
    quiet()
    from cnnctl.network.build import build

    return build(load(path), (5, 5, 2))


def test_one_that_is_right(register, path):
    register(formula=right)(Scaled)
    model = build(path)
    row = summarize(path).rows[1]
    layer = model.get_layer("scaled")
    assert row.output_shape == tuple(layer.output.shape[1:]) == (4, 4, 3)
    assert (row.trainable, row.non_trainable) == (3, 1)
    assert row.parameters == layer.count_params()
    assert row.macs == 4 * 4 * 3


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (lambda call: right(call)._replace(shape=(4, 4, 9)), "4×4×9, and Keras 4×4×3"),
        (lambda call: right(call)._replace(shape=(48,)), "48, and Keras 4×4×3"),
        (lambda call: right(call)._replace(weights=()), "0 trainable parameters, and Keras 3"),
        (lambda call: right(call)._replace(weights=right(call).weights[:1]),
         "0 non-trainable parameters, and Keras 1"),
    ],
)  # fmt: skip
def test_one_that_is_wrong_is_noticed_where_the_network_is_built(outcome, told, register, path):
    register(formula=outcome)(Scaled)
    check(path)
    with pytest.raises(SpecError) as raised:
        build(path)
    (found,) = raised.value.diagnostics
    assert (found.rule, found.location.line, found.location.column) == ("other-formula", 5, 7)
    assert told in found.message


def refuses(call):
    raise Refusal("the channels are not even", "add one")


@pytest.mark.parametrize(
    ("formula", "rule", "message"),
    [
        (lambda call: call["nothing"] + 1, "bad-formula", "the formula of Scaled fails: TypeError"),
        (lambda call: call.shape, "bad-formula", "gives no sound Outcome"),
        (lambda call: Outcome((2.5, 1)), "bad-formula", "gives no sound Outcome"),
        (lambda call: Outcome(None), "bad-formula", "gives no sound Outcome"),
        (lambda call: Outcome((2,), macs=3), "bad-formula", "gives no sound Outcome"),
        (lambda call: Outcome((2,), macs=(3,)), "bad-formula", "gives no sound Outcome"),
        (lambda call: Outcome(call.shape, links=same(call.shape)), "bad-formula", "no sound"),
        (lambda call: Outcome((4,), links=((Link(5),),)), "bad-formula", "gives no sound Outcome"),
        (refuses, "shape-mismatch", "the channels are not even"),
    ],
)
def test_one_that_fails(formula, rule, message, register, path):
    register(formula=formula)(Scaled)
    with pytest.raises(SpecError) as raised:
        check(path)
    (found,) = raised.value.diagnostics
    assert (found.rule, found.location.line) == (rule, 5)
    assert message in found.message


def test_in_a_network_with_branches(register, path):
    register(formula=lambda call: right(call)._replace(weights=()))(Scaled)
    text = SPEC.replace("- Scaled", "- Residual: {layers: [Scaled]}")
    path.write_text(text)
    with pytest.raises(SpecError, match="0 trainable parameters, and Keras 3"):
        build(path)
