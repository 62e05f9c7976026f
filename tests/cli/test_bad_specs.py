"""Mistakes in a spec, seen from outside: exit code 2, the place, the mend, and no traceback."""

import pytest
from conftest import XO

# (a change to the spec, what stands in the message, the line and column, the mend)
ERRORS = {
    "unknown argument": (
        ("kernel_size: 3", "kernal_size: 3"),
        "unknown argument `kernal_size` of Conv2D", (10, 28), "did you mean `kernel_size`?"),
    "unknown layer": (
        ("MaxPooling2D", "MaxPoling2D"),
        "unknown layer `MaxPoling2D`", (11, 7), "did you mean `MaxPooling2D`?"),
    "refused layer": (
        ("- Flatten", "- Lambda: {function: x}"), "Lambda cannot be used in a spec", (13, 7), ""),
    "unknown optimizer": (
        ("{Adam: {learning_rate: 0.01}}", "adm"), "unknown optimizer `adm`", (16, 14), "`adam`"),
    "unknown loss": (
        ("loss: sparse_categorical_crossentropy", "loss: sparse_crossentropy"),
        "unknown loss `sparse_crossentropy`", (17, 9), "did you mean"),
    "unknown metric": (
        ("[accuracy]", "[acuracy]"), "unknown metric `acuracy`", (18, 13), "`accuracy`"),
    "unknown activation": (
        ("activation: relu", "activation: rellu"),
        "unknown activation `rellu`", (10, 56), "did you mean `relu`?"),
    "unknown initializer": (
        ("activation: relu", "kernel_initializer: he_norma"),
        "unknown initializer `he_norma`", (10, 64), "`he_normal`"),
    "unknown data set": (
        ("dataset: {xo: {count: 120, test_count: 40, translate: 1}}", "dataset: minst"),
        "unknown data set `minst`", (3, 12), "did you mean `mnist`?"),
    "unknown callback": (
        ("epochs: 3", "epochs: 3\n  callbacks: [EarlyStoping]"),
        "unknown callback `EarlyStoping`", (22, 15), "did you mean `EarlyStopping`?"),
    "refused callback": (
        ("epochs: 3", "epochs: 3\n  callbacks: [RemoteMonitor]"),
        "RemoteMonitor cannot be used in a spec", (22, 15), ""),
    "unknown key": (
        ("  epochs: 3", "  epoch: 3"), "unknown key `epoch` in `fit`", (21, 3), "`epochs`"),
    "key in the wrong section": (
        ("  epochs: 3", "  epochs: 3\n  optimizer: adam"),
        "unknown key `optimizer` in `fit`", (22, 3), "it belongs in `compile`"),
    "text for a number": (
        ("filters: 4", "filters: four"),
        "`filters` of Conv2D takes an integer of at least 1, not the text `four`", (10, 25), ""),
    "true for a number": (
        ("batch_size: 16", "batch_size: true"),
        "`batch_size` takes an integer of at least 1, not true", (20, 15), ""),
    "out of range": (
        ("rate: 0.2", "rate: 1.5"), "`rate` of Dropout takes a number", (12, 23), ""),
    "nan": (("rate: 0.2", "rate: .nan"), "`rate` of Dropout takes a number", (12, 23), ""),
    "missing argument": (
        ("{filters: 4, kernel_size: 3, activation: relu}", "{filters: 4}"),
        "Conv2D needs `kernel_size`", (10, 7), "add `kernel_size: …`"),
    "misspelled section key": (
        ("  layers:\n", "  layers_:\n"), "unknown key `layers_` in `model`", (9, 3), "`layers`"),
    "missing section key": (
        ("  loss: sparse_categorical_crossentropy\n", ""),
        "`loss` is missing in `compile`", (15, 1), "add `loss:`"),
    "no rate by name": (
        ("Dropout: {rate: 0.2}", "Dropout: 0.2"),
        "Dropout takes its arguments by name", (12, 16), "write `Dropout: {rate: 0.2}`"),
    "not indented": (
        ("    - Flatten", "    - Dense:\n      units: 4\n    - Flatten"),
        "has its class name as the single key", (14, 7), "indent `units` below `Dense:`"),
    "normalize": (
        ("normalize: signed", "normalize: sined"),
        "`normalize` takes one of unit, signed, standard, none", (4, 14), "`signed`"),
    "shape": (
        ("- MaxPooling2D", "- MaxPooling2D: {pool_size: 9}"),
        "MaxPooling2D does not fit its input", (11, 7), ""),
    "class count": (
        ("units: 2", "units: 10"),
        "the network has 10 outputs, and xo has 2 classes", (14, 22), "2 outputs are needed"),
    "label mode": (
        ("normalize: signed", "normalize: signed\n  label_mode: categorical"),
        "takes int labels", (18, 9), "loss: categorical_crossentropy"),
    "softmax and logits": (
        ("loss: sparse_categorical_crossentropy",
         "loss: {SparseCategoricalCrossentropy: {from_logits: true}}"),
        "applies softmax already", (17, 55), "remove one of the two"),
    "logits without softmax": (
        ("{units: 2, activation: softmax}", "{units: 2}"),
        "the last layer has no softmax", (14, 7), "add `activation: softmax`"),
    "bad expression": (
        ("epochs: 3", "epochs: 3\n  callbacks: [LearningRateScheduler: {schedule: 'epok * 2'}]"),
        "the learning rate cannot be computed", (22, 49), "did you mean `epoch`?"),
    "code in an expression": (
        ("epochs: 3", "epochs: 3\n  callbacks: [LearningRateScheduler: "
         "{schedule: \"__import__('os').system('true')\"}]"),
        "the learning rate cannot be computed", (22, 49), "it may use epoch"),
    "start above end": (
        ("epochs: 3", "epochs: 3\n  callbacks: [EarlyStopping: {start_from_epoch: 9}]"),
        "starts at epoch 9, and the training ends at 3", (22, 49), "start_from_epoch"),
    "unknown monitor": (
        ("epochs: 3", "epochs: 3\n  callbacks: [EarlyStopping: {monitor: val_acc}]"),
        "which is not reported", (22, 40), "`val_accuracy`"),
    "unknown input": (
        ("- Flatten", "- Flatten: {inputs: [convolution]}"),
        "no layer above is called `convolution`", (13, 26), ""),
    "unused layer": (
        ("- Flatten", "- Flatten: {inputs: [input]}"), "is never used", (12, 7), ""),
    "managed argument": (
        ("epochs: 3", "epochs: 3\n  callbacks: [ModelCheckpoint: {filepath: /tmp/x}]"),
        "`filepath` of ModelCheckpoint cannot be given", (22, 33), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_fault(name, cnnctl, tmp_path):
    (old, new), message, place, fix = ERRORS[name]
    assert XO.count(old) == 1
    (tmp_path / "bad.yaml").write_text(XO.replace(old, new))
    done = cnnctl("check", "bad.yaml")
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert f"--> bad.yaml:{place[0]}:{place[1]}\n" in done.stderr
    assert fix in done.stderr
    assert done.stderr.count("error: ") == 1, "a fault that only follows from another"
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("", "a spec is a mapping of sections, not nothing", "1:1"),
        ("- a\n", "a spec is a mapping of sections", "1:1"),
        ("model: {layers: [Flatten]\n", "not YAML", "1:8"),
        ("seed: 0\nseed: 1\n", "`seed` is given twice", "2:1"),
        ("model: !!python/object/apply:os.system [id]\n", "a spec has no YAML tags", "1:8"),
        ("extends: nothing.yaml\n", "no such file: nothing.yaml", "1:10"),
        ("extends: bad.yaml\n", "bad.yaml extends itself", "1:10"),
        ("extends: [a]\n", "`extends` takes the path of a spec", "1:10"),
        ("model: 3\n", "`model` takes a mapping of", "1:8"),
        ("model: {layers: []}\n", "`layers` takes", "1:17"),
        ("model: {layers: [Flatten], input_shape: [0]}\n", "`input_shape` takes", "1:42"),
        ("model: {layers: [Flatten]}\n", "`model.input_shape` is missing", "1:1"),
        ("name: ../../etc\nmodel: {layers: [Flatten]}\n", "`name` takes", "1:7"),
    ],
)
def test_broken_documents(text, message, place, cnnctl, tmp_path):
    (tmp_path / "bad.yaml").write_text(text)
    done = cnnctl("check", "bad.yaml")
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert f"--> bad.yaml:{place}\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_all_faults_come_at_once_in_the_order_of_the_file(cnnctl, tmp_path):
    text = XO.replace("filters: 4", "filter: 4").replace("epochs: 3", "epochs: many")
    (tmp_path / "bad.yaml").write_text(text.replace("xo:", "ox:"))
    done = cnnctl("check", "bad.yaml")
    messages = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert messages == [
        "error: unknown data set `ox`",
        "error: unknown argument `filter` of Conv2D",
        "error: `epochs` takes an integer of at least 1, not the text `many`",
    ]
    assert "3 errors" in done.stderr


def test_a_fault_through_extends_names_the_other_file(cnnctl, tmp_path):
    (tmp_path / "base.yaml").write_text(XO.replace("rate: 0.2", "rte: 0.2"))
    (tmp_path / "child.yaml").write_text("extends: base.yaml\nfit: {epochs: 0}\n")
    done = cnnctl("check", "child.yaml")
    assert "--> base.yaml:12:17" in done.stderr
    assert "--> child.yaml:2:15" in done.stderr


def test_a_flag_is_a_place(cnnctl, xo_spec):
    done = cnnctl("train", xo_spec, "--set", "fit.epoch=3", "--set", "seed=-1")
    assert done.returncode == 2
    assert "--> --set fit.epoch=3" in done.stderr
    assert "did you mean `epochs`?" in done.stderr
    assert "`seed` takes an integer" in done.stderr


def test_the_line_and_the_caret(cnnctl, tmp_path):
    (tmp_path / "bad.yaml").write_text(XO.replace("kernel_size: 3", "kernal_size: 3"))
    lines = cnnctl("check", "bad.yaml").stderr.splitlines()
    at = next(i for i, line in enumerate(lines) if "kernal_size: 3" in line)
    start = lines[at].index("kernal_size")
    assert lines[at + 1][start:].startswith("^" * len("kernal_size") + " did you mean")


def test_several_specs_and_folders(cnnctl, xo_spec, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/bad.yaml").write_text("model: 3\n")
    done = cnnctl("check", ".")
    assert done.returncode == 2
    assert "tiny.yaml: ok, 114 parameters" in done.stdout  # 3·3·1·4 + 4, 3·3·4·2 + 2
    assert "sub/bad.yaml:1:8" in done.stderr
    assert cnnctl("check", xo_spec).returncode == 0
