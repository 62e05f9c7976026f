"""A spec's data held against its network."""

import numpy as np
import pytest

from cnnctl.data.preparation import prepare
from cnnctl.spec import load

SPEC = """\
data: {dataset: {npz: {path: a.npz}}, normalize: none, label_mode: LABELS}
model:
  input_shape: [4]
  layers:
    - Dense: {units: 10_050, activation: softmax}
"""


@pytest.mark.parametrize(("labels", "classes"), [("categorical", 10_050), ("float", 0)])
def test_more_classes_than_have_names(tmp_path, labels, classes):
    y = np.array([0, 10_001]) if classes else np.zeros((2, 10_050), np.float32)
    np.savez(tmp_path / "a.npz", x_train=np.zeros((2, 4), np.float32), y_train=y)
    (tmp_path / "a.yaml").write_text(SPEC.replace("LABELS", labels).replace("10_050", "10050"))
    found = prepare(load(tmp_path / "a.yaml"))
    assert found.classes == classes
    assert found.one_hot == bool(classes)
