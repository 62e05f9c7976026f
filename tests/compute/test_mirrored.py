"""Two devices give what one gives: weights and figures within 1e-6, whatever the batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import XO

# The last batch has one picture (100 = 33 × 3 + 1): fewer than there are devices.
UNEVEN = XO.replace("batch_size: 16", "batch_size: 33").replace("    - Dropout: {rate: 0.2}\n", "")
# Seven pictures are 3 and 4. Fewer than devices are computed by each, with masks of its own.
DROPOUT = XO.replace("batch_size: 16", "batch_size: 31")
BEHIND = "    - MaxPooling2D\n"
ADAM = "{Adam: {learning_rate: 0.01}}"
# Parameters whose gradients are rounding alone (a bias before a normalization) move by Adam's full
# rate: SGD shows the mathematics.
SGD = "{SGD: {learning_rate: 0.05, momentum: 0.9, nesterov: true}}"

SPECS = {
    "dropout": DROPOUT,
    "uneven": UNEVEN,
    "clipped": UNEVEN.replace(ADAM, "{SGD: {learning_rate: 0.1, global_clipnorm: 0.05}}"),
    "decay": UNEVEN.replace(ADAM, "{AdamW: {learning_rate: 0.01, weight_decay: 0.1}}"),
    "rmsprop": UNEVEN.replace(ADAM, "{RMSprop: {learning_rate: 0.002, momentum: 0.5}}"),
    "plain_rmsprop": UNEVEN.replace(ADAM, "{RMSprop: {learning_rate: 0.002}}"),
    "by_keras": UNEVEN.replace("metrics:", "fused: false\n  metrics:"),
    "regularized": UNEVEN.replace("activation: relu}", "activation: relu, kernel_regularizer: l2}"),
    "synchronized": UNEVEN.replace(
        BEHIND, BEHIND + "    - BatchNormalization: {synchronized: true}\n"
    ).replace("metrics:", "parts: 1\n  metrics:").replace(ADAM, SGD),
    # Dropout that draws and drops nothing, before and behind where the devices wait for each other.
    "drawing_and_synchronized": UNEVEN.replace(
        BEHIND, "    - Dropout: {rate: 1.0e-9}\n" + BEHIND
        + "    - BatchNormalization: {synchronized: true}\n    - Dropout: {rate: 1.0e-9}\n"
    ).replace("metrics:", "parts: 1\n  metrics:").replace(ADAM, SGD),
    # A plug-in's, which is one number for the pictures that it gets.
    "one_number": UNEVEN.replace("loss: sparse_categorical_crossentropy", "loss: Together"),
    "one_hot": UNEVEN.replace("normalize: signed", "normalize: unit\n  label_mode: categorical")
    .replace("sparse_categorical", "categorical")
    .replace("[accuracy]", "[accuracy, auc, {F1Score: {average: macro}}]"),
    "tiny_batches": UNEVEN.replace("size: 33", "size: 1").replace("epochs: 3", "epochs: 1"),
    "stopped": UNEVEN.replace("epochs: 3", "epochs: 40\n  callbacks:\n"
        "    - EarlyStopping: {monitor: val_loss, patience: 1, min_delta: 0.05}\n"
        "    - ReduceLROnPlateau: {monitor: loss, patience: 1, min_delta: 0.1}"),
}  # fmt: skip

TOGETHER = """import cnnctl, keras

@cnnctl.register
class Together(keras.losses.Loss):
    \"\"\"The mean over the pictures.\"\"\"

    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y_true, y_pred))
"""


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """How far the two are apart, by the name of the spec."""
    folder = tmp_path_factory.mktemp("mirrored")
    paths = []
    for name, text in SPECS.items():
        paths.append(folder / f"{name}.yaml")
        paths[-1].write_text(text)
    (folder / "together.py").write_text(TOGETHER)
    program = Path(__file__).with_name("by_one_and_by_two.py")
    done = subprocess.run(
        [sys.executable, program, folder / "together.py", *paths], capture_output=True, text=True,
        timeout=300, cwd=folder, check=False, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", SPECS)
def test_two_devices_give_what_one_gives(name, apart):
    found = apart[name]
    # Where a batch is normalized, rounding grows: one device that takes the pictures of a batch in
    # reverse order is as far from itself.
    assert found["weights"] < max(1e-6, 3 * found["rounding"]), found
    assert found["rounding"] < 1e-5, found
    assert found["figures"] < 1e-5, found
    assert found["epochs"][0] == found["epochs"][1]
    assert found["moved"] > 0.01


DRAWS = """
from cnnctl.compute.device import start_device
device = start_device("cpu:0,cpu:1", 0, every=True)
import keras
import numpy as np
import tensorflow as tf
from cnnctl.compute.generators import drawn_apart
from cnnctl.compute.strategy import start_replicas

strategy = start_replicas("mirrored", device, None).strategy
with strategy.scope():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5)])
generator = model.layers[0].seed_generator

def replica():
    first = generator.next()
    both = tf.distribute.get_replica_context().all_reduce("sum", tf.ones(()))
    with tf.control_dependencies([both]):
        return first, generator.next()

@tf.function
def step():
    with drawn_apart(model, 2):
        found = strategy.run(replica)
    return [value for each in found for value in strategy.experimental_local_results(each)]

before = int(np.asarray(generator.state)[1])
print([int(each[1]) - before for each in step()], int(np.asarray(generator.state)[1]) - before)
"""


def test_devices_that_wait_for_each_other_draw_apart():
    """First draws of both, then second draws of both; then the states are behind all four."""
    done = subprocess.run([sys.executable, "-c", DRAWS], capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip
    assert done.stdout.strip() == "[0, 1, 2, 3] 4", done.stderr[-2000:]
