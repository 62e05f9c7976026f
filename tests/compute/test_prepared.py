"""oneDNN's own words about what it does, of a training as a process of its own."""

import re
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / "configs"


def test_kernel_gradients_are_prepared_once_and_not_in_every_step(cnnctl):
    """171 steps, two convolutions, each batch in parts; a last batch of another size."""
    done = cnnctl(
        "train", CONFIGS / "xo.yaml", "--epochs", "3", "--json", env={"ONEDNN_VERBOSE": "all"}
    )
    assert done.returncode == 0, done.stderr
    said = re.findall(r"^onednn_verbose.*,(create|exec)\b.*,backward_weights,", done.stdout, re.M)
    if not said:
        pytest.skip("this build of TensorFlow computes convolutions without oneDNN")
    assert said.count("exec") >= 2 * 171
    assert said.count("create") < 171
