"""Trains specs on one device and on two logical ones; prints how far apart they are, as JSON.

    python by_one_and_by_two.py PLUGIN SPEC…

A program of its own: logical devices are made before TensorFlow runs anything.
"""

import json
import sys
from pathlib import Path

import numpy as np

from cnnctl import plugins
from cnnctl.compute.device import start_device

device = start_device("cpu:0,cpu:1", 0, every=True)

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnctl.compute.computation import Computation  # noqa: E402
from cnnctl.compute.feed import Feed  # noqa: E402
from cnnctl.compute.plan import Plan  # noqa: E402
from cnnctl.compute.strategy import Replicas, start_replicas  # noqa: E402
from cnnctl.data.preparation import prepare  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.training import compiled_model  # noqa: E402
from cnnctl.training.callbacks import from_spec  # noqa: E402
from cnnctl.training.randomness import Randomness  # noqa: E402
from cnnctl.training.results import Start  # noqa: E402


def trained(spec, data, plan, replicas):
    keras.utils.set_random_seed(spec.seed)
    made = compiled_model.compile_for(data, Computation(device, plan, replicas), Start())
    history = made.model.fit(
        made.feed.dataset,
        epochs=spec.fit.epochs,
        validation_data=made.validation and made.validation.dataset,
        callbacks=[Randomness(spec.seed, made.feed), *from_spec(spec, None)],
        shuffle=False,
        verbose=0,
    )
    return [np.asarray(each) for each in made.model.weights], history.history


def apart(one, two):
    return max(float(np.abs(a - b).max()) for a, b in zip(one, two, strict=True))


class Reversed(Feed):
    """Each batch in reverse order: the same mathematics, rounded otherwise."""

    def read(self, element):
        return super().read(tf.reverse(element, [0]))


mirrored = start_replicas("mirrored", device, None)
assert mirrored.count == 2
assert mirrored.strategy.extended.worker_devices[1].endswith("CPU:1")
plugins.load([Path(sys.argv[1])])
found = {}
for path in map(Path, sys.argv[2:]):
    spec = load(path)
    data = prepare(spec)
    fused = bool(spec.compile and spec.compile.fused)
    whole = spec.compile.parts == 1
    one, before = trained(spec, data, Plan(1 if whole else 2, 1, 2, 3, fused=fused), Replicas())
    two, after = trained(spec, data, Plan(1, 1, 2, 3, fused=fused), mirrored)
    rounding = 0.0
    if whole:  # nothing draws, and nothing is cut
        compiled_model.Feed = Reversed
        three, _ = trained(spec, data, Plan(1, 1, 2, 3, fused=fused), Replicas())
        compiled_model.Feed = Feed
        rounding = apart(one, three)
    found[path.stem] = {
        "rounding": rounding,
        "weights": apart(one, two),
        "figures": max(
            float(np.abs(np.subtract(before[name], after[name])).max()) for name in before
        ),
        "moved": float(np.abs(one[0]).max()),
        "epochs": [len(before["loss"]), len(after["loss"])],
    }
print(json.dumps(found))
