"""Evaluation and prediction of a run of cnnctl on its test set, warm, in images per second.

    python benchmarks/evaluating.py RUN DATA_DIR

Prints one JSON object; each figure is that of the second call, the first compiles.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cnnctl import plugins
from cnnctl.compute.device import start_device
from cnnctl.compute.plan import choose
from cnnctl.compute.threads import compute_by
from cnnctl.data.preparation import prepare
from cnnctl.runs.find import find_run
from cnnctl.specs import load


def warm(call: Callable[[], object], images: int) -> float:
    """Images per second of the second of two calls."""
    call()
    began = time.perf_counter()
    call()
    return images / (time.perf_counter() - began)


run = find_run(Path(sys.argv[1]))
plugins.load([Path(__file__).parent / "moments.py"])
spec = load(run.spec_path)
data = prepare(spec, data_dir=Path(sys.argv[2]))
split = data.dataset.test
assert split is not None
device = start_device("auto", spec.seed)
plan = choose(data.checked, len(split), on_gpu=device.name != "cpu")
compute_by(plan, device)

from cnnctl.compute import steps  # noqa: E402 - TensorFlow is started quietly before
from cnnctl.compute.feed import Feed  # noqa: E402
from cnnctl.network.build import build, compile_model  # noqa: E402
from cnnctl.network.weights import load_weights  # noqa: E402

model = build(spec, data.input_shape)
load_weights(model, run.checkpoint("best"))
compile_model(model, spec, plan)
feed = Feed(split, data.normalization, classes=data.classes if data.one_hot else 0)
model.test_function = steps.test_function(model, feed, plan.parts_of_evaluation)
predict = steps.predict_function(model, feed, plan.parts_of_evaluation)
print(json.dumps({
    "evaluate": warm(lambda: model.evaluate(feed.dataset, verbose=0), len(split)),
    "predict": warm(predict, len(split)),
}))  # fmt: skip
