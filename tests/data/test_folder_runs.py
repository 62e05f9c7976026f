"""A run on a folder without splits keeps its split: evaluated, resumed, under another default."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnctl import evaluate, predict_split, resume, train
from cnnctl.data.images import folder_split
from cnnctl.errors import CnnctlError, DataError
from cnnctl.specs import load

SPEC = """\
name: flat
data: {dataset: {image_folder: {path: photos}}}
model:
  layers:
    - GlobalAveragePooling2D
    - Dense: {units: 3, activation: softmax}
compile: {optimizer: sgd, loss: sparse_categorical_crossentropy, metrics: [accuracy]}
fit: {batch_size: 16, epochs: 1}
"""


def test_a_flat_folder_from_training_to_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for channel, name in enumerate(("red", "green", "blue")):
        (tmp_path / "photos" / name / "day").mkdir(parents=True)
        for number in range(10):
            color = np.zeros((4, 4, 3), np.uint8)
            color[..., channel] = 200 + number
            below = "day" if number % 2 else ""
            Image.fromarray(color).save(tmp_path / "photos" / name / below / f"{number}.png")
    (tmp_path / "flat.yaml").write_text(SPEC)
    run = train(load(tmp_path / "flat.yaml"), runs_dir=tmp_path / "runs").run

    recorded = json.loads((run.path / "environment.json").read_text())["data"]
    # 80, 10 and 10% of 10 images of each of 3 classes
    assert recorded["images"] == {"train": 24, "validation": 3, "test": 3}
    assert recorded["layout"] == {"split": [0.8, 0.1, 0.1], "split_seed": 0}
    dataset = load(run.spec_path).data.dataset  # type: ignore[union-attr]
    assert dataset.arguments["split"] == [0.8, 0.1, 0.1]
    assert dataset.arguments["split_seed"] == 0

    # Whatever a later version splits by default, the run's images stay where they were.
    monkeypatch.setattr(folder_split, "DEFAULT", (0.4, 0.3, 0.3))
    assert evaluate(run.path).images == 3
    found = predict_split(run.path)
    assert found.truth is not None
    assert Counter(found.truth.tolist()) == {0: 1, 1: 1, 2: 1}
    assert resume(run.path, overrides=["fit.epochs=2"]).run == run
    # The spec as the user has it is split otherwise now: that is other data, and is refused.
    with pytest.raises(CnnctlError, match="cannot go on as the same training") as caught:
        resume(run.path, spec=load(tmp_path / "flat.yaml", ["fit.epochs=3"]))
    assert "pictures" in (caught.value.hint or "")
    monkeypatch.undo()
    assert resume(run.path, spec=load(tmp_path / "flat.yaml", ["fit.epochs=3"])).run == run

    # One more image is another data set.
    Image.new("RGB", (4, 4)).save(tmp_path / "photos" / "red" / "new.png")
    with pytest.raises(DataError, match="found here is other data"):
        evaluate(run.path)


def test_without_a_test_split_evaluation_says_what_there_is(tmp_path: Path) -> None:
    for name in ("red", "green", "blue"):
        for split in ("train", "Valid"):
            (tmp_path / "photos" / split / name).mkdir(parents=True)
            Image.new("RGB", (4, 4), name).save(tmp_path / "photos" / split / name / "1.png")
    (tmp_path / "flat.yaml").write_text(SPEC)
    result = train(load(tmp_path / "flat.yaml"), runs_dir=tmp_path / "runs")
    assert result.evaluation is None
    recorded = json.loads((result.run.path / "environment.json").read_text())["data"]
    assert recorded["layout"] == {"folders": {"train": "train", "validation": "Valid"}}
    with pytest.raises(DataError, match="photos has no test split") as caught:
        evaluate(result.run.path)
    assert "--split validation" in (caught.value.hint or "")
    assert evaluate(result.run.path, split="validation").images == 3
