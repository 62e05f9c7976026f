"""Mistakes on the command line and in files, seen from outside: a message, a code, no traceback."""

import zipfile

import pytest


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["trian", "x.yaml"], 2, "train"),
        (["train"], 2, "missing argument SPEC"),
        (["train", "nothing.yaml"], 2, "no such file: nothing.yaml"),
        (["train", "."], 2, "not a spec"),
        (["train", "tiny.yaml", "--epochs", "0"], 2, "--epochs"),
        (["train", "tiny.yaml", "--epoch", "3"], 2, "--epoch"),
        (["train", "tiny.yaml", "--set", "fit"], 2, "--set takes PATH=VALUE"),
        (["train", "tiny.yaml", "--device", "tpu"], 2, "unknown device `tpu`"),
        (["sweep", "tiny.yaml"], 2, "nothing is varied"),
        (["sweep", "tiny.yaml", "--over", "fit.epochs"], 2, "--over takes PATH=V1,V2"),
        (["sweep", "tiny.yaml", "--over", "fit.epoch=1,2"], 2, "did you mean `epochs`?"),
        (["sweep", "tiny.yaml", "--over", "fit.epochs=1,0"], 2, "`epochs` takes an integer"),
        (["sweep", "tiny.yaml", "--ranges", "none.yaml"], 2, "no such file: none.yaml"),
        (["sweep", "tiny.yaml", "--over", "seed=1,2", "--trials", "3"], 2, "has 2 trials"),
        (["sweep", "tiny.yaml", "--over", "seed=1,2", "--monitor", "auc"], 2, "reports `auc`"),
        (["sweep", "tiny.yaml", "--over", "seed=1,2", "--name", "a/b"], 2, "--name a_b"),
        (["sweep", "tiny.yaml", "--over", "seed=1,2", "--storage", "db:x"], 2, "neither a data"),
        (["sweep", "tiny.yaml", "--over", "seed=1,2", "--workers", "0"], 2, "--workers"),
        (["summary", "nothing.yaml"], 2, "no such file"),
        (["check", "nowhere/"], 2, "no such file"),
        (["evaluate", "runs/tiny/001"], 2, "no such run"),
        (["evaluate", "."], 2, "not a run folder"),
        (["evaluate", "tiny.yaml"], 2, "is a spec, not a run folder"),
        (["layers", "Conv2"], 2, "did you mean Conv"),
        (["layers", "Lambda"], 2, "cannot be used in a spec"),
        (["layers", "--kind", "layr"], 2, "did you mean layer?"),
        (["data", "info", "minst"], 2, "mnist"),
        (["data", "fetch", "nothing"], 2, "nothing"),
    ],
)
def test_command_line(arguments, code, message, cnnctl, xo_spec):
    done = cnnctl(*arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not (xo_spec.parent / "runs").exists()


def test_a_gpu_that_is_not_there(cnnctl, xo_spec):
    done = cnnctl("train", xo_spec, "--device", "gpu:7")
    assert done.returncode == 2
    assert "no device `gpu:7`" in done.stderr


def damaged(name, path):
    if name == "empty":
        path.write_bytes(b"")
    elif name == "text":
        path.write_text("hello")
    elif name == "truncated":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model.weights.h5", b"x" * 10_000)
        path.write_bytes(path.read_bytes()[:5_000])
    elif name == "no weights":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
    elif name == "strange entry":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../evil.py", "print(1)")
    elif name == "weights that are none":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model.weights.h5", b"x" * 10_000)


@pytest.mark.parametrize(
    "name", ["empty", "text", "truncated", "no weights", "strange entry", "weights that are none"]
)
def test_damaged_and_foreign_models(name, cnnctl, xo_spec, tmp_path):
    path = tmp_path / "some.keras"
    damaged(name, path)
    done = cnnctl("evaluate", path, "--spec", xo_spec)
    assert done.returncode == 1, done.stderr
    assert "some.keras" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{npz: {path: missing.npz}}", "missing.npz"),
        ("{image_folder: {path: nowhere}}", "nowhere"),
    ],
)
def test_data_that_is_not_there_or_does_not_fit(data, message, cnnctl, xo_spec):
    text = xo_spec.read_text()
    old = "{xo: {count: 120, test_count: 40, translate: 1}}"
    xo_spec.write_text(text.replace(old, data).replace("signed", "none").replace(": 20", ": 0"))
    done = cnnctl("train", xo_spec)
    assert done.returncode == 1, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (xo_spec.parent / "runs").exists()


def test_labels_out_of_range(cnnctl, xo_spec, tmp_path):
    np = pytest.importorskip("numpy")
    x = np.zeros((30, 9, 9), np.uint8)
    labels = np.array([0, 1] * 15)
    labels[7] = 5
    np.savez(tmp_path / "d.npz", x_train=x, y_train=labels, x_test=x, y_test=labels * 0)
    old = "{xo: {count: 120, test_count: 40, translate: 1}}"
    xo_spec.write_text(xo_spec.read_text().replace(old, "{npz: {path: d.npz}}"))
    done = cnnctl("train", xo_spec)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "the label of picture 7 (counted from 0) is 5" in done.stderr
    assert not (tmp_path / "runs").exists()
