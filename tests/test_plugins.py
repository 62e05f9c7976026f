"""Plug-ins from outside: `--plugin my_layers.py`, and failures that are theirs."""

import json

import pytest

PLUGIN = '''\
import cnnctl
import keras
import tensorflow as tf
from cnnctl.arithmetic.calls import Outcome


@cnnctl.register
class Scaled(keras.layers.Layer):
    """A multiple of its input.

    Args:
        factor: What it is multiplied by.
    """

    def __init__(self, factor: float = 2.0, fails: str = "never", **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.fails = fails
        if fails == "init":
            raise ValueError("no such mode")

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x, training=False):
        if self.fails == "call":
            raise ValueError("cannot be called")
        if self.fails == "training" and training:
            raise RuntimeError("not while training")
        if self.fails == "running":
            shape = x.shape
            x = tf.py_function(self.stumble, [x], tf.float32)
            x.set_shape(shape)
        return self.factor * self.scale * x

    def stumble(self, x):
        raise ZeroDivisionError("at the first batch")

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "fails": self.fails}


def same(call):
    return Outcome(call.shape)


@cnnctl.register(formula=same)
class Negated(keras.layers.Layer):
    """The negative of its input."""

    def call(self, x):
        return -x


@cnnctl.register
class Squared(keras.losses.Loss):
    """The square of the difference."""

    def call(self, y_true, y_pred):
        return tf.reduce_mean((tf.cast(y_true, y_pred.dtype) - y_pred) ** 2, -1)


@cnnctl.register
class Noted(keras.callbacks.Callback):
    """Notes that it was called.

    Args:
        path: Where.
    """

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        with open(self.path, "a") as file:
            file.write(f"{epoch}\\n")
'''

SPEC = """\
data:
  dataset: {xo: {count: 96, test_count: 32}}
model:
  input_shape: [9, 9, 1]
  layers:
    - Conv2D: {filters: 4, kernel_size: 3, activation: relu}
    - Scaled: {factor: 3}
    - Negated
    - Flatten
    - Dense: {units: 2, activation: softmax}
compile:
  optimizer: adam
  loss: sparse_categorical_crossentropy
fit:
  epochs: 1
"""


@pytest.fixture
def own(cnnctl, tmp_path):
    """Runs the command with the plug-in, beside the spec that uses it."""
    (tmp_path / "my_layers.py").write_text(PLUGIN)
    (tmp_path / "net.yaml").write_text(SPEC)
    return lambda *words: cnnctl(*words, "--plugin", "my_layers.py")


def test_without_the_flag_nothing_is_loaded(own, cnnctl):
    done = cnnctl("check", "net.yaml")
    assert done.returncode == 2
    assert "unknown layer `Scaled`" in done.stderr


def test_its_arguments_are_checked_like_keras_s(own, tmp_path):
    text = SPEC.replace("factor: 3", "factr: 3").replace("- Negated", "- Negated: {by: 2}")
    (tmp_path / "bad.yaml").write_text(text)
    done = own("check", "bad.yaml")
    assert done.returncode == 2, done.stdout
    assert "--> bad.yaml:7:16" in done.stderr
    assert "did you mean `factor`?" in done.stderr
    assert "unknown argument `by` of Negated" in done.stderr
    done = own("check", "net.yaml", "--set", "model.layers.Scaled.factor=much")
    assert "`factor` of Scaled takes a number, not the text `much`" in done.stderr


def test_it_trains_and_is_recorded(own, tmp_path):
    noted = tmp_path / "noted"
    done = own("train", "net.yaml", "--set", f"fit.callbacks=[Noted: {{path: {noted}}}]")
    assert done.returncode == 0, done.stderr
    assert noted.read_text() == "0\n"
    (plugin,) = json.loads((tmp_path / "runs/net/001/environment.json").read_text())["plugins"]
    assert plugin["path"] == str(tmp_path / "my_layers.py")
    assert plugin["names"] == ["Negated", "Noted", "Scaled", "Squared"]
    assert own("evaluate", "runs/net/001").returncode == 0


def test_a_run_says_which_plug_in_it_needs(own, cnnctl):
    assert own("train", "net.yaml").returncode == 0
    done = cnnctl("evaluate", "runs/net/001")
    assert done.returncode == 2
    assert "--plugin" in done.stderr
    assert "my_layers.py" in done.stderr


@pytest.mark.parametrize(
    ("moment", "message", "line"),
    [
        ("init", "no such mode", 20),
        ("call", "cannot be called", 27),
        ("training", "not while training", 29),
        ("running", "at the first batch", 37),
    ],
)
def test_a_failure_of_its_own_is_reported_at_the_line_of_the_spec(
    own, tmp_path, moment, message, line
):
    (tmp_path / "net.yaml").write_text(SPEC.replace("factor: 3", f"fails: {moment}"))
    done = own("train", "net.yaml")
    assert done.returncode in {1, 2}
    assert "--> net.yaml:7:7\n" in done.stderr
    assert message in done.stderr
    assert f"in my_layers.py, line {line}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failure_of_keras_s_own_layer_too(cnnctl, tmp_path):
    """An Embedding of numbers that it has no entry for builds, and fails at the first batch."""
    numbers = SPEC.replace("Scaled: {factor: 3}", "Rescaling: {scale: 1, offset: 99}")
    spec = numbers.replace("Negated", "Embedding: {input_dim: 3, output_dim: 2}")
    (tmp_path / "net.yaml").write_text(spec)
    done = cnnctl("train", "net.yaml")
    assert done.returncode == 1
    assert "--> net.yaml:8:7\n" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import cnnctl, keras\n1/0\n", "fails in line 2: ZeroDivisionError"),
        ("def f(:\n", "fails in line 1: SyntaxError"),
        ("x = 1\n", "registers nothing"),
        ("import cnnctl\n@cnnctl.register\nclass A: pass\n", "cannot be registered"),
        ("import cnnctl, keras\n@cnnctl.register\nclass Dense(keras.layers.Layer): pass\n",
         "defines the layer Dense, which there is already"),
        ("raise SystemExit(0)\n", "fails in line 1"),
    ],
)  # fmt: skip
def test_a_plug_in_that_fails(text, message, cnnctl, tmp_path, xo_spec):
    (tmp_path / "bad.py").write_text(text)
    done = cnnctl("check", xo_spec, "--plugin", "bad.py")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    done = cnnctl("check", xo_spec, "--plugin", "nowhere.py")
    assert "no such plug-in: nowhere.py" in done.stderr


@pytest.mark.parametrize(("text", "words", "told", "code"), [
    ("""import sys
import cnnctl, keras
@cnnctl.register
class Leaves(keras.callbacks.Callback):
    \"\"\"Ends the process, so it thinks.\"\"\"
    def on_epoch_end(self, epoch, logs=None):
        sys.exit(0)
""", ["fit.callbacks=[Leaves]"], "in bad.py, line 7", 1),
    ("""import cnnctl, keras
@cnnctl.register
class Far(keras.losses.Loss):
    \"\"\"Asks for a shape that is not there.\"\"\"
    def call(self, y_true, y_pred):
        return keras.ops.mean(y_pred - keras.ops.ones((7, 7)), axis=-1)
""", ["compile.loss=Far"], "in bad.py, line 6", 1),
    ("""import cnnctl, keras
@cnnctl.register
class Asks(keras.metrics.Metric):
    \"\"\"Asks for what is not there.\"\"\"
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.nowhere.assign(1)
    def result(self):
        return 0.0
""", ["compile.metrics=[Asks]"], "in bad.py, line 6", 1),
    ("""import cnnctl, keras
@cnnctl.register
class Stuck(keras.optimizers.Optimizer):
    \"\"\"Has no step.\"\"\"
    def __init__(self, learning_rate: float = 0.1, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
    def update_step(self, gradient, variable, learning_rate):
        raise RuntimeError("no step")
""", ["compile.optimizer=Stuck"], "in bad.py, line 8", 1),
    ("""import cnnctl, keras
@cnnctl.register
class Empty(keras.optimizers.Optimizer):
    \"\"\"Forgets its base class.\"\"\"
    def __init__(self, learning_rate: float = 0.1):
        pass
""", ["compile.optimizer=Empty"], "forgot to call", 2),
])  # fmt: skip
def test_a_plug_in_that_misbehaves_is_a_failure(text, words, told, code, cnnctl, xo_spec, tmp_path):
    (tmp_path / "bad.py").write_text(text)
    sets = [each for word in words for each in ("--set", word)]
    done = cnnctl("train", xo_spec, "--plugin", "bad.py", *sets)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert code == 2 or "the training failed: " in done.stderr


def test_compare_and_report_say_which_plug_in_is_missing(cnnctl, xo_spec, tmp_path):
    (tmp_path / "halved.py").write_text("""import cnnctl, keras
@cnnctl.register
class Halved(keras.layers.Layer):
    \"\"\"Half its input.\"\"\"
    def call(self, x):
        return x / 2
""")
    xo_spec.write_text(xo_spec.read_text().replace("    - Flatten", "    - Halved\n    - Flatten"))
    done = cnnctl("train", xo_spec, "--plugin", "halved.py", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    for command in ("compare", "report"):
        done = cnnctl(command, "runs/tiny/001")
        assert done.returncode == 2
        assert "the plug-in halved.py, which is not loaded" in done.stderr


def test_a_run_is_not_resumed_by_train_without_the_plug_in_that_it_was_made_with(
    cnnctl, xo_spec, tmp_path
):
    (tmp_path / "p.py").write_text(
        "import cnnctl\n\n@cnnctl.register\ndef halved(epoch, lr):\n    return lr / 2\n"
    )
    first = ("train", "tiny.yaml", "--device", "cpu", "--epochs")
    assert cnnctl(*first, "1", "--plugin", "p.py").returncode == 0
    done = cnnctl(*first, "2", "--resume")
    assert done.returncode == 2
    assert "the plug-in p.py, which is not loaded" in done.stderr
