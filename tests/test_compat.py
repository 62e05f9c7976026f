"""Private names of Keras, TensorFlow and tf2onnx: what breaks when one is gone or means another
thing, and that they are used in one file only.

Each is held against what Keras and TensorFlow do in public.
"""

import ast
import io
import os
import re
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import h5py
import numpy as np
import pytest

import cnnctl
from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnctl import compat  # noqa: E402

layers = keras.layers
PACKAGE = Path(cnnctl.__file__).parent


@contextmanager
def without(name, consequence):
    """Say what follows where a private name is gone, or does something else than it did."""
    try:
        yield
    except (ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, TypeError,
            ValueError) as error:  # fmt: skip
        pytest.fail(f"without `{name}` {consequence}: {type(error).__name__}: {error}")


def network(*between):
    keras.utils.set_random_seed(4)
    return keras.Sequential([
        keras.Input((6, 6, 1)), *between, layers.Flatten(), layers.Dense(3, name="dense")
    ])  # fmt: skip


# Layers and their variables


@pytest.mark.filterwarnings("ignore:.*seed.*")
def test_the_generators_are_those_whose_states_are_among_the_variables():
    inner = keras.Sequential([keras.Input((6, 6, 1)), layers.RandomFlip(), layers.GaussianNoise(1)])
    model = network(layers.RandomRotation(0.1), inner, layers.SpatialDropout2D(0.5))
    with without("_flatten_layers` or `_seed_generators", "an epoch draws other numbers each time"):
        found = [id(each.state) for each in compat.seed_generators(model)]
        states = [id(each) for each in model.variables if each.path.endswith("generator_state")]
        assert len(states) == 4
        assert sorted(found) == sorted(states)


def test_the_one_layer_that_takes_an_output():
    inputs = keras.Input((8, 8, 1))
    one, two, shared = (layers.Conv2D(2, 3, name=name) for name in ("one", "two", "shared"))
    pool = layers.MaxPooling2D()
    a, b = one(inputs), two(inputs)
    pool(a), layers.MaxPooling2D()(b), layers.Flatten()(b)
    layers.MaxPooling2D()(shared(inputs)), shared(inputs)
    consequence = "a ReLU that others read would be moved behind the pooling, or none at all"
    with without("_inbound_nodes` or `_outbound_nodes", consequence):
        assert compat.sole_consumer(one) is pool
        assert compat.sole_consumer(two) is None  # read twice
        assert compat.sole_consumer(shared) is None  # called twice
        assert compat.sole_consumer(pool) is None  # the network's output
        three, four = layers.Conv2D(2, 3), layers.Conv2D(2, 3)
        pool = layers.MaxPooling2D()
        pool(three(inputs)), pool(four(inputs))
        assert compat.sole_consumer(three) is None  # its consumer is called for another one, too


@pytest.mark.parametrize("traced", [False, True])
def test_layers_read_the_values_that_stand_in(traced):
    model = network()
    x = np.arange(36.0, dtype="float32").reshape(1, 6, 6, 1)
    dense = model.get_layer("dense")
    before = dense.get_weights()
    kernel, bias = tf.ones((36, 3)), tf.constant([1.0, 2.0, 3.0])

    def call(x):
        with compat.values_replaced(dense.variables, [kernel, bias]):
            return model(x)

    with without("_value", "the weights are read anew for each part of a batch, or not replaced"):
        replaced = tf.function(call)(x) if traced else call(x)
        np.testing.assert_allclose(replaced, x.sum() + np.array([[1, 2, 3]]))
        with pytest.raises(KeyError), compat.values_replaced(dense.variables, [kernel, bias]):
            raise KeyError
        np.testing.assert_allclose(model(x), x.reshape(1, 36) @ before[0] + before[1], rtol=1e-5)
        dense.set_weights([kernel, bias])
        np.testing.assert_allclose(model(x), replaced)


# Optimizers and the training step


def test_a_model_forgets_the_strategy_it_was_built_in():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        model = network()
    assert model.distribute_strategy is strategy
    with without("_distribute_strategy", "Keras distributes the step that the replicas distribute"):
        compat.forget_strategy(model)
        assert model.distribute_strategy is tf.distribute.get_strategy()
        assert model.distribute_strategy is not strategy


def test_gradients_are_applied_without_being_reduced(monkeypatch):
    reduced = []
    context = type(tf.distribute.get_replica_context())
    reduce = context.all_reduce

    def spy(self, operation, gradients, *arguments):
        reduced.append(len(gradients))
        return reduce(self, operation, gradients, *arguments)

    monkeypatch.setattr(context, "all_reduce", spy)
    weights = [keras.Variable([1.0, 2.0]), keras.Variable([3.0])]
    gradients = [tf.constant([1.0, 2.0]), tf.constant([4.0])]
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.build(weights)

    def reductions():
        reduced.clear()
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return reduced

    with without("_all_reduce_sum_gradients", "the replicas' gradients are summed twice"):
        assert reductions() == [2]
        compat.skip_reduction(optimizer)
        assert not reductions()
        compat.restore_reduction(optimizer)
        assert reductions() == [2]
        # Three steps of half the gradient, reduced or not.
        np.testing.assert_allclose(weights[0], [1 - 1.5, 2 - 3.0])
        np.testing.assert_allclose(weights[1], [3 - 6.0])


GRADIENTS = {(2,): [0.5, -2.0], (3,): [1.0, 3.0, -4.0]}


@pytest.mark.parametrize("make", [
    lambda: keras.optimizers.Adam(0.1, beta_1=0.9, beta_2=0.99),
    lambda: keras.optimizers.RMSprop(0.1, rho=0.99, momentum=0.8),
], ids=["Adam", "RMSprop"])  # fmt: skip
def test_the_slots_of_each_variable(make):
    """By the formulas of Kingma and Ba, and of Hinton, for the first step from zero."""
    optimizer = make()
    variables = [keras.Variable(np.zeros(shape)) for shape in GRADIENTS]
    optimizer.build(variables)
    consequence = "the fused update of Adam and RMSprop does not find the slots that it updates"
    with without("_momentums`, `_velocities` or `_get_variable_index", consequence):
        gradients = [tf.constant(each) for each in GRADIENTS.values()]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        for variable in reversed(variables):
            gradient = np.array(GRADIENTS[tuple(variable.shape)])
            for given in (variable, variable.value):  # Keras's and TensorFlow's
                place = compat.slot_number(optimizer, given)
                velocity = compat.velocities(optimizer)[place]
                np.testing.assert_allclose(velocity, 0.01 * gradient**2, rtol=1e-5)
                first = 0.1 * gradient  # the average; RMSprop's is of the steps
                if isinstance(optimizer, keras.optimizers.RMSprop):
                    first = first / np.sqrt(0.01 * gradient**2 + 1e-7)
                momentum = compat.momentums(optimizer)[place]
                np.testing.assert_allclose(momentum, first, rtol=1e-5)


# Metrics and callbacks


@pytest.mark.parametrize(("make", "expected"), [
    (keras.metrics.SparseCategoricalAccuracy, "up"),
    (keras.metrics.MeanSquaredError, "down"),
    (keras.metrics.SparseCategoricalCrossentropy, "down"),
])  # fmt: skip
def test_the_direction_is_that_of_early_stopping(make, expected):
    """With `mode: auto`, the best of two values tells it."""
    metric = make(name="figure")
    model = network()
    model.compile("sgd", "mse", metrics=[metric])
    model.train_on_batch(np.zeros((1, 6, 6, 1)), np.zeros((1, 1 if "Sparse" in str(make) else 3)))
    stopping = keras.callbacks.EarlyStopping(monitor="val_figure", mode="auto")
    stopping.set_model(model)
    stopping.on_train_begin()
    for epoch, value in enumerate((0.25, 0.75)):
        stopping.on_epoch_end(epoch, {"val_figure": value})
    assert stopping.best == {"up": 0.75, "down": 0.25}[expected]
    with without("_direction", "`mode: auto` is not what Keras takes, and the best epoch another"):
        assert compat.direction_of(metric) == expected
        assert compat.declared_direction(make) == expected
        assert compat.direction_of(keras.metrics.Mean()) is None
        assert compat.declared_direction(keras.metrics.Mean) is None


def test_the_state_of_callbacks_is_what_they_count(tmp_path):
    """Three batches of training and two of validation per epoch; a loss that never falls."""
    make = {
        "EarlyStopping": lambda: keras.callbacks.EarlyStopping("loss", patience=2),
        "ReduceLROnPlateau": lambda: keras.callbacks.ReduceLROnPlateau(
            "val_loss", patience=1, cooldown=4
        ),
        "SwapEMAWeights": lambda: keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        "TensorBoard": lambda: keras.callbacks.TensorBoard(tmp_path),
    }
    callbacks = {name: each() for name, each in make.items()}
    assert set(callbacks) == set(compat.CALLBACK_STATE)
    averaging = callbacks["SwapEMAWeights"]
    model = network()
    model.compile(keras.optimizers.SGD(1e-30, use_ema=True), "mse")
    x, y = np.ones((6, 6, 6, 1)), np.full((6, 3), 100.0)
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: seen.append(getattr(averaging, compat.SWAPPED)),
        on_epoch_end=lambda *_: seen.append(getattr(averaging, compat.SWAPPED)),
    )
    consequence = "a training that was interrupted goes on with callbacks that start afresh"
    with without("CALLBACK_STATE", consequence):
        model.fit(x, y, batch_size=2, epochs=5, verbose=0, validation_data=(x[:2], y[:2]),
                  validation_batch_size=1, callbacks=[*callbacks.values(), watch])  # fmt: skip
        loss = model.evaluate(x, y, verbose=0)
        state = {
            name: {key: getattr(callbacks[name], key) for key in kinds}
            for name, kinds in compat.CALLBACK_STATE.items()
        }
        best = pytest.approx(loss, rel=1e-6)
        assert state == {
            "EarlyStopping": {"wait": 2, "stopped_epoch": 2, "best": best, "best_epoch": 0},
            "ReduceLROnPlateau": {"wait": 0, "cooldown_counter": 3, "best": best},
            "SwapEMAWeights": {"_ema_weights_in_model": True},
            "TensorBoard": {"_global_train_batch": 9, "_global_test_batch": 6},
        }
        assert seen == [False, True, False, True, False, True]


# Saving


def trained():
    model = network(layers.Conv2D(2, 3), layers.BatchNormalization())
    model.compile("adam", "mse")
    model.fit(np.ones((4, 6, 6, 1)), np.ones((4, 3)), verbose=0)
    return model


def arrays(file):
    found = {}
    h5py.File(file).visititems(
        lambda name, each: found.update({name: np.asarray(each)} if hasattr(each, "shape") else {})
    )
    return found


def test_weights_saved_in_memory_are_those_that_keras_saves(tmp_path):
    model = trained()
    model.save_weights(tmp_path / "keras.weights.h5")
    consequence = "no checkpoint can be written without a file that HDF5 fills"
    with without("H5IOStore` or `_save_state", consequence):
        data = compat.saved_weights(model)
        ours, theirs = arrays(io.BytesIO(data)), arrays(tmp_path / "keras.weights.h5")
        assert sorted(ours) == sorted(theirs)
        assert len(ours) == len(model.weights) + len(model.optimizer.variables)
        for name, array in theirs.items():
            np.testing.assert_array_equal(ours[name], array)
        other = trained()
        other.load_weights(tmp_path / "keras.weights.h5")
        (tmp_path / "ours.weights.h5").write_bytes(data)
        model.set_weights([np.zeros_like(each) for each in model.get_weights()])
        model.load_weights(tmp_path / "ours.weights.h5")
        for mine, its in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, its)


def test_saving_again_makes_no_layers_to_look_at(monkeypatch):
    keras.utils.clear_session()  # whatever an earlier test saved
    model = trained()
    made = []
    construct = keras.layers.Layer.__init__

    def counted(self, *arguments, **options):
        made.append(self)
        construct(self, *arguments, **options)

    monkeypatch.setattr(keras.layers.Layer, "__init__", counted)
    with without("global_state", "every epoch keeps 70 kB of memory for good"):
        compat.saved_weights(model)
        made.clear()
        compat.saved_weights(model)
        assert not made
        layers.Flatten()
        assert len(made) == 1


# TensorFlow and its graphs


def test_whether_onednn_computes_is_what_the_variable_says():
    now = compat.runs_onednn()
    code = "from cnnctl.compat import runs_onednn; print(runs_onednn())"
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": str(int(not now))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    with without("IsMklEnabled", "a resumed run cannot tell that its last bits will differ"):
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == [str(not now)]


def test_an_operation_waits_for_an_earlier_one():
    @tf.function
    def traced(x):
        one = tf.exp(x, name="one")
        two = tf.sin(x, name="two")
        compat.wait_for(one.op, two.op)
        return one + two

    with without("_add_control_input", "gradients of kernels delay those of the layers below"):
        graph = traced.get_concrete_function(tf.TensorSpec(())).graph
        waiting = {each.name: [e.name for e in each.control_inputs] for each in
                   graph.get_operations() if each.control_inputs}  # fmt: skip
        assert waiting["one"] == ["two"]
        assert "two" not in waiting
        assert float(traced(1.0)) == pytest.approx(np.exp(1) + np.sin(1))


def test_a_graph_says_by_these_attributes_that_xla_compiles_a_function():
    compiled = tf.function(lambda x: x + 1, jit_compile=True)
    plain = tf.function(lambda x: x + 1)

    def attributes(inner):
        outer = tf.function(lambda x: inner(x) * 2).get_concrete_function(tf.TensorSpec(()))
        definition = outer.graph.as_graph_def()
        (function,) = definition.library.function
        calls = [node for node in definition.node if node.op.endswith("PartitionedCall")]
        return {key for each in (function, *calls) for key in each.attr if key.startswith("_")}

    with without("_XlaMustCompile` or `_noinline", "no such network can be converted to ONNX"):
        assert attributes(compiled) - attributes(plain) == set(compat.COMPILED_BY_XLA)


def test_a_frozen_function_has_constants_in_place_of_variables():
    weight = tf.Variable(3.0)
    inner = tf.function(lambda x: x * weight)
    function = tf.function(lambda x: inner(x) + 1).get_concrete_function(tf.TensorSpec(()))
    with without("convert_variables_to_constants_v2", "no network can be exported to ONNX"):
        frozen = compat.freeze(function)
        weight.assign(100.0)
        assert float(np.asarray(frozen(tf.constant(2.0))[0])) == 7
        assert {each.type for each in frozen.graph.get_operations()}.isdisjoint(
            {"ReadVariableOp", "PartitionedCall", "StatefulPartitionedCall"}
        )


def test_tf2onnx_keeps_a_transpose_where_an_axis_is_one():
    """Both are right here; by a reshape the channels would be taken for the batch elsewhere."""
    tf2onnx = pytest.importorskip("tf2onnx")

    def operations():
        model, _ = tf2onnx.convert.from_function(
            tf.function(lambda x: tf.transpose(x, [0, 3, 1, 2])),
            [tf.TensorSpec((None, 1, 1, 3), name="x")],
        )
        return [node.op_type for node in model.graph.node]

    with without("post_optimize_action", "a network on maps of 1 x 1 is exported wrong"):
        assert operations() == ["Reshape"]
        with compat.keep_transposes():
            assert operations() == ["Transpose"]
        assert operations() == ["Reshape"]


def test_the_versions_tested_are_the_ones_that_may_be_installed():
    """A new minor version may rename what is private, whatever it promises for the rest."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["gpu"]]
    bounds = {re.split(r"[>,]", each, maxsplit=1)[0]: each for each in wanted}
    for name in ("keras", "tensorflow", "tensorflow[and-cuda]"):
        version = metadata.version(name.partition("[")[0])
        major, minor = map(int, version.split(".")[:2])
        assert bounds[name].endswith(f",<{major}.{minor + 1}"), (name, version)


# One place


def nodes_of(code):
    return list(ast.walk(ast.parse(code)))


def private_names(nodes):
    """The private attributes of something else than `self`, and private modules, that a file
    uses: yields (line, name)."""
    for node in nodes:
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not own and is_private(node.attr):
                yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
            yield from ((node.lineno, each) for each in names if is_private_module(each))
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names
                        if is_private_module(each.name))  # fmt: skip


def is_private(name):
    return name.startswith("_") and not name.endswith("__")


def is_private_module(name):
    package, *parts = name.split(".")
    inner = {"keras": "src", "tensorflow": "python"}.get(package)
    return parts[:1] == [inner] or (
        package not in ("cnnctl", "__future__") and any(map(is_private, [package, *parts]))
    )


def names_in_text(nodes):
    """The private names that a file has as texts, for `getattr` and the like."""
    return {node.value for node in nodes if isinstance(node, ast.Constant)
            and isinstance(node.value, str) and is_private(node.value)}  # fmt: skip


ALLOWED = {"_replace", "_exit", "_run_exitfuncs"}
"""Of the standard library: `_replace` of named tuples and `os._exit` are public."""


def test_private_names_of_libraries_are_used_in_one_file():
    files = {path: nodes_of(path.read_text()) for path in PACKAGE.rglob("*.py")}
    here = files.pop(PACKAGE / "compat.py")
    known = {name for _, name in private_names(here)} | names_in_text(here)
    assert {"_value", "_direction", "_add_control_input", "_ema_weights_in_model"} < known
    own = {node.name for nodes in files.values() for node in nodes
           if isinstance(node, ast.FunctionDef | ast.ClassDef)}  # fmt: skip
    own |= {node.attr for nodes in files.values() for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name) and node.value.id == "self"}  # fmt: skip
    for path, nodes in files.items():
        used = [(line, name) for line, name in private_names(nodes) if name in known
                or name not in own | ALLOWED]  # fmt: skip
        assert not used, f"{path} uses private names of other libraries: {used}"
        assert not known & names_in_text(nodes), path


@pytest.mark.parametrize("code", [
    "import keras.src", "from keras.src.saving import saving_lib", "from keras import src",
    "import tensorflow.python.util as util", "from PIL import _imaging", "model._loss_tracker",
    "def f(model): return model.layers[0]._value",
])  # fmt: skip
def test_private_names_are_found(code):
    assert list(private_names(nodes_of(code)))


@pytest.mark.parametrize("code", [
    "import keras.saving", "from PIL import __version__", "self._file", "from cnnctl.a import _b",
    "from tensorflow import keras", "x.__class__",
])  # fmt: skip
def test_public_names_are_not(code):
    assert not list(private_names(nodes_of(code)))
