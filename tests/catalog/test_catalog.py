"""Looking names up; nothing here needs Keras."""

import subprocess
import sys

import pytest
from counting import calls

from catalog.samples import alternatives, fits, kind_of
from cnnctl.catalog import KINDS, Argument, Catalog, Entry, load
from cnnctl.errors import UsageError

EVERY_ENTRY = [(kind, name) for kind in KINDS for name in load().names(kind)]
KEYWORDS = {
    "$ref", "anyOf", "enum", "exclusiveMaximum", "exclusiveMinimum", "items", "maxItems",
    "maximum", "minItems", "minimum", "type",
}  # fmt: skip


@pytest.fixture
def catalog():
    return load()


def test_reading_the_catalog_imports_no_framework():
    code = (
        "import sys; from cnnctl.catalog import load, nearest; load().find('layer', 'Conv2D');"
        "load().nearest('layer', 'Conv2d'); import cnnctl.catalog.generate;"
        "print(sorted({'keras', 'tensorflow', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_loads_with_little_work():
    """Few calls per entry, and none the second time; `benchmarks/startup.py` has the seconds of the
    commands that do little else."""
    load.cache_clear()
    assert calls(load) < 4 * len(EVERY_ENTRY)
    assert calls(load) < 10


@pytest.mark.parametrize(
    ("kind", "spelling", "name"),
    [
        ("layer", "Conv2D", "Conv2D"),
        ("layer", "MaxPool2D", "MaxPooling2D"),
        ("layer", "Convolution2D", "Conv2D"),
        ("layer", "LpPooling2D", "LpPooling2D"),
        ("block", "Residual", "Residual"),
        ("optimizer", "adam", "Adam"),
        ("optimizer", "rmsprop", "RMSprop"),
        ("loss", "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"),
        ("loss", "mse", "MeanSquaredError"),
        ("loss", "kl_divergence", "KLDivergence"),
        ("loss", "ce", "crossentropy"),
        ("metric", "accuracy", "accuracy"),
        ("metric", "acc", "accuracy"),
        ("metric", "mae", "MeanAbsoluteError"),
        ("metric", "binary_accuracy", "BinaryAccuracy"),
        ("initializer", "he_normal", "HeNormal"),
        ("initializer", "zeros", "Zeros"),
        ("initializer", "uniform", "RandomUniform"),
        ("regularizer", "l2", "L2"),
        ("regularizer", "l1_l2", "L1L2"),
        ("constraint", "max_norm", "MaxNorm"),
        ("activation", "swish", "silu"),
        ("rate_schedule", "one_cycle", "one_cycle"),
        ("dataset", "xo", "xo"),
    ],
)
def test_find(catalog, kind, spelling, name):
    assert catalog.find(kind, spelling).name == name
    assert name in catalog.names(kind)


def test_names_are_sorted_and_have_no_aliases(catalog):
    names = catalog.names("layer")
    assert list(names) == sorted(names)
    assert "MaxPool2D" not in names
    assert catalog.identifiers("layer")["MaxPool2D"] == "MaxPooling2D"


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("layer", "Lambda", "runs code"),
        ("layer", "LSTMCell", "RNN: {cell: LSTMCell}"),
        ("layer", "Input", "model.input_shape"),
        ("callback", "RemoteMonitor", "URL"),
        ("callback", "BackupAndRestore", "run folder"),
        ("optimizer", "LossScaleOptimizer", "mixed_float16"),
        ("activation", "glu", "shape"),
    ],
)
def test_refusals_give_the_reason(catalog, kind, name, words):
    assert catalog.find(kind, name) is None
    assert words in catalog.refusal(kind, name)


def test_what_is_unknown_or_allowed_is_not_refused(catalog):
    assert catalog.refusal("layer", "Conv2D") is None
    assert catalog.refusal("layer", "Nonsense") is None


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("layer", "Conv2d", "Conv2D"),
        ("layer", "conv2d", "Conv2D"),
        ("layer", "MaxPool", "MaxPooling2D"),
        ("layer", "GlobalAvgPool", "GlobalAveragePooling2D"),
        ("layer", "batch_norm", "BatchNormalization"),
        ("layer", "Dens", "Dense"),
        ("layer", "Relu", "ReLU"),
        ("layer", "LocallyConnected", "LocallyConnected2D"),
        ("loss", "categorical_crossentropi", "categorical_crossentropy"),
        ("optimizer", "Adm", "Adam"),
        ("metric", "acuracy", "accuracy"),
        ("dataset", "fashion-mnist", "fashion_mnist"),
        ("layer", "Zzzzzz", None),
    ],
)
def test_nearest(catalog, kind, name, expected):
    assert catalog.nearest(kind, name) == expected


def test_an_unknown_kind_is_a_programming_error(catalog):
    with pytest.raises(ValueError, match="Received: kind=layers"):
        catalog.find("layers", "Conv2D")


def test_a_plug_in_adds_a_name_once():
    catalog = Catalog({})
    entry = Entry("layer", "Swirl2D", ("Swirl",), "Swirls.", source="swirl.py")
    catalog.add(entry)
    assert catalog.find("layer", "Swirl") is entry
    with pytest.raises(UsageError, match=r"other\.py defines the layer Swirl,"):
        catalog.add(Entry("layer", "Swirl", source="other.py"))


@pytest.mark.parametrize(("kind", "name"), EVERY_ENTRY)
def test_every_entry_is_complete(kind, name):
    entry = load().find(kind, name)
    assert (entry.kind, entry.name) == (kind, name)
    assert entry.summary
    assert len({argument.name for argument in entry.arguments}) == len(entry.arguments)
    for argument in entry.arguments:
        assert argument.doc, argument
        assert len(argument.doc) <= 200, argument
        assert argument.name not in entry.managed
        _check_schema(argument.schema)
        if not argument.required:
            assert fits(argument.default, argument.schema), argument


def _check_schema(schema):
    assert schema
    assert set(schema) <= KEYWORDS
    for alternative in schema.get("anyOf", ()):
        assert "anyOf" not in alternative
        _check_schema(alternative)
    if "items" in schema:
        _check_schema(schema["items"])
    if kind := kind_of(schema):
        assert load().names(kind)


def _argument(kind, name, argument) -> Argument:
    return load().find(kind, name).argument(argument)


@pytest.mark.parametrize(
    ("kind", "name", "argument", "good", "bad"),
    [
        ("layer", "Conv2D", "filters", [1, 64], [0, -1, 1.5, "64", True, None]),
        ("layer", "Conv2D", "kernel_size", [3, [3, 5]], [0, [3], [3, 3, 3], [3, 0], "3"]),
        ("layer", "Conv1D", "kernel_size", [3, [3]], [[3, 3]]),
        ("layer", "Conv3D", "strides", [1, [1, 2, 2]], [[1, 2], 0]),
        ("layer", "Conv1D", "padding", ["causal", "same"], ["full"]),
        ("layer", "Conv2D", "padding", ["valid", "same"], ["causal", "SAME", None]),
        ("layer", "Conv2D", "activation", ["relu", None], [3]),
        ("layer", "Conv2D", "data_format", ["channels_first", None], ["NHWC"]),
        ("layer", "MaxPooling2D", "strides", [None, 2, [2, 2]], [0]),
        ("layer", "ZeroPadding2D", "padding", [0, [1, 2], [[1, 2], [0, 0]]], [-1, [1], [[1, 2]]]),
        ("layer", "Cropping3D", "cropping", [[1, 1, 1], [[1, 2]] * 3], [[1, 1]]),
        ("layer", "Dropout", "rate", [0, 0.5], [1, 1.5, -0.1, "0.5"]),
        ("layer", "Dense", "dtype", ["float32", "mixed_bfloat16", None], ["int8", "uint8"]),
        ("layer", "Reshape", "target_shape", [[4, 4, -1], []], [4, ["a"]]),
        ("layer", "RandomBrightness", "factor", [0.2, [-0.2, 0.3]], [2, [0.1]]),
        ("layer", "BatchNormalization", "synchronized", [True], [1, "yes"]),
        ("layer", "Bidirectional", "merge_mode", ["concat"], [None]),
        ("layer", "GroupNormalization", "groups", [1, -1], [0]),
        ("optimizer", "Adam", "learning_rate", [0.1, 1, "ExponentialDecay"], [0, -1]),
        ("optimizer", "SGD", "gradient_accumulation_steps", [2, None], [1]),
        ("loss", "CategoricalCrossentropy", "reduction", ["sum", None], ["average"]),
        ("metric", "AUC", "curve", ["ROC"], ["auc"]),
        ("callback", "LearningRateScheduler", "schedule", ["0.1 * 0.5 ** epoch"], [0.1]),
        ("callback", "TensorBoard", "update_freq", ["epoch", 100], ["never", 0]),
        ("block", "Parallel", "branches", [[["Dense"], []]], [[["Dense"]], "Dense"]),
        ("dataset", "cifar100", "label", ["fine"], ["medium"]),
        ("dataset", "inline", "x_train", [[[[0, 1], [1, 0]]], [[[[0.5, 1, 0]]]]], [[], ["a"]]),
    ],
)
def test_schemas_are_tight(kind, name, argument, good, bad):
    schema = _argument(kind, name, argument).schema
    assert [value for value in good if not fits(value, schema)] == []
    assert [value for value in bad if fits(value, schema)] == []


def test_required_arguments():
    conv2d = load().find("layer", "Conv2D")
    assert [each.name for each in conv2d.arguments if each.required] == ["filters", "kernel_size"]
    # Keras computes them from data with `adapt`, which a spec cannot call.
    assert _argument("layer", "Normalization", "mean").required


def test_managed_arguments_have_reasons(catalog):
    assert "run folder" in catalog.find("callback", "ModelCheckpoint").managed["filepath"]
    assert "history.csv" in catalog.find("callback", "CSVLogger").managed["filename"]
    assert "model.input_shape" in catalog.find("layer", "Conv2D").managed["input_shape"]
    assert "verbose" in catalog.find("callback", "EarlyStopping").managed


def test_how_layers_are_called(catalog):
    inputs = {name: catalog.find("layer", name).inputs for name in catalog.names("layer")}
    assert inputs["Add"] == inputs["Concatenate"] == inputs["Attention"] == "list"
    assert inputs["MultiHeadAttention"] == "positional"
    assert inputs["Conv2D"] == "one"


def test_nested_kinds_are_kinds():
    kinds = {
        kind_of(each)
        for kind, name in EVERY_ENTRY
        for argument in load().find(kind, name).arguments
        for each in alternatives(argument.schema)
    }
    assert kinds - {None} <= set(KINDS)
