"""What looks at a batch as a whole is trained and validated as by Keras's own `fit`."""

import numpy as np
import pytest
from conftest import XO

from cnnctl.startup import quiet

quiet()

import keras  # noqa: E402

from cnnctl.data.preparation import prepare  # noqa: E402
from cnnctl.network.build import build, compile_model  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.training.train import train  # noqa: E402

PLAIN = XO.replace("    - Dropout: {rate: 0.2}\n", "") + "  shuffle: false\n"
LOSS = "loss: sparse_categorical_crossentropy"
ONE_HOT = PLAIN.replace("normalize: signed", "normalize: signed\n  label_mode: categorical")


def pixels(split):
    return ((split.x.astype("float32") - 127.5) / 127.5).astype("float32")


@pytest.mark.parametrize("text", [
    PLAIN,
    PLAIN.replace(LOSS, "loss: {SparseCategoricalCrossentropy: {ignore_class: 0}}"),
    PLAIN.replace(LOSS, "loss: {SparseCategoricalCrossentropy: {reduction: sum}}"),
    ONE_HOT.replace(LOSS, "loss: dice"),
    ONE_HOT.replace(LOSS, "loss: {CosineSimilarity: {axis: 0}}"),
], ids=["mean", "ignored", "sum", "dice", "axis"])  # fmt: skip
def test_the_figures_are_those_of_fit(text, tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(text)
    spec = load(path, ["compile.threads=2"])
    result = train(spec, runs_dir=tmp_path / "runs", device="cpu")
    data = prepare(spec)
    keras.utils.set_random_seed(spec.seed)
    model = build(spec, data.input_shape)
    compile_model(model, spec)
    parts = (data.dataset.train, data.dataset.validation)
    labels = [keras.utils.to_categorical(s.y, 2) if data.one_hot else s.y for s in parts]
    history = model.fit(
        pixels(parts[0]), labels[0], batch_size=16, epochs=3, shuffle=False, verbose=0,
        validation_data=(pixels(parts[1]), labels[1]),
    ).history  # fmt: skip
    for name, values in history.items():
        found = [row[name] for row in result.history]
        np.testing.assert_allclose(found, values, rtol=2e-4, err_msg=name)


def test_a_network_without_trainable_weights_is_evaluated(cnnctl, tmp_path):
    text = XO.replace("kernel_size: 3,", "kernel_size: 3, trainable: false,")
    text = text.replace("units: 2,", "units: 2, trainable: false,")
    (tmp_path / "tiny.yaml").write_text(text)
    done = cnnctl("train", "tiny.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
