"""The figures of a sweep: texts that stay apart, trials where they belong."""

import random

import numpy as np
import pytest
from plots.test_figures import texts_apart

from cnnctl.errors import UsageError
from cnnctl.sweep.space import Parameter, parse_over
from cnnctl.sweep.table import Row
from cnnctl.sweep.trial_plots import Scale, parallel_coordinates, scale_of, slices

RATE = Parameter("compile.optimizer.Adam.learning_rate", "log_uniform", low=1e-5, high=1e-1)
DROPOUT = Parameter("model.layers.Dropout.rate", "uniform", low=0, high=0.5)
FILTERS = Parameter("model.layers.0.Conv2D.filters", "int", low=8, high=64, step=8)
BATCH, ACTIVATION, KERNEL = parse_over(
    ["fit.batch_size=128,16,64,32", "model.layers.0.Conv2D.activation=relu,elu,leaky_relu,tanh",
     "model.layers.0.Conv2D.kernel_size=[3, 3],[5, 5],[7, 7]"]
)  # fmt: skip
MANY = Parameter("model.layers.2.Conv2D.filters", values=tuple(map(str, range(1, 41))))


def trials(space, count=24, seeds=1, scale=1.0, seed=0):
    chance = random.Random(seed)
    found = []
    for number in range(1, count + 1):
        values = {
            p.path: chance.choice(p.points) if p.points else chance.uniform(p.low, p.high)
            for p in space
        }
        each = tuple(scale ** chance.random() * chance.uniform(0.1, 0.9) for _ in range(seeds))
        state = "pruned" if number % 5 == 0 else "failed" if number % 7 == 0 else "finished"
        value = None if state == "failed" else sum(each) / seeds
        found.append(Row(number, state, values, value, None, each, 3, 3, 1.0, ()))
    return found


SPACES = [(RATE,), (BATCH, RATE), (RATE, DROPOUT, FILTERS, BATCH, ACTIVATION, KERNEL), (MANY, RATE)]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: str(len(space)))
@pytest.mark.parametrize("options", [{}, {"count": 1}, {"seeds": 3}, {"scale": 1e6}], ids=str)
def test_texts_stay_apart(space, options):
    rows = trials(space, **options)
    for draw in (parallel_coordinates, slices):
        texts_apart(draw(rows, space, "val_accuracy", True, title="sweep mnist"))


def test_a_line_a_trial_from_value_to_value():
    rows = [Row(1, "finished", {BATCH.path: "16", RATE.path: 1e-5}, 0.25, None, (), 3, 3, 1.0, ()),
            Row(2, "pruned", {BATCH.path: "128", RATE.path: 1e-3}, 0.75, None, (), 1, 3, 1.0, ()),
            Row(3, "waiting", {}, None, None, (), 0, 3, 0.0, ())]  # fmt: skip
    made = parallel_coordinates(rows, (BATCH, RATE), "val_loss", False)
    lines = [line for line in made.axes[0].lines if len(line.get_xdata()) == 3]
    assert len(lines) == 2
    pruned, best = lines
    # 16 is the least of four values, 1e-3 in the middle of the decades from 1e-5 to 1e-1.
    np.testing.assert_allclose(best.get_ydata(), [1 / 8, 0, 0])
    np.testing.assert_allclose(pruned.get_ydata(), [7 / 8, 0.5, 1])
    assert pruned.get_linestyle() == ":"
    assert best.get_linewidth() > pruned.get_linewidth()
    made = slices(rows, (BATCH, RATE), "val_loss", False)
    finished = made.axes[1].lines[0]
    assert (list(finished.get_xdata()), list(finished.get_ydata())) == ([0], [0.25])


def test_scales():
    places = [Scale(1e-4, 1e-2, log=True).at(each) for each in (1e-4, 1e-3, 1e-2)]
    assert places == pytest.approx([0, 0.5, 1])
    assert scale_of(ACTIVATION).texts == ["relu", "elu", "leaky_relu", "tanh"]
    assert scale_of(BATCH).texts == ["16", "32", "64", "128"]
    assert scale_of(FILTERS).ticks()[:2] == [(0, "8"), (pytest.approx(1 / 7), "16")]
    assert scale_of(Parameter("a", "int", low=2, high=8, step=9)).ticks() == [(0.5, "2")]
    assert [text for _, text in scale_of(RATE).ticks()] == ["1e-05", "0.0001", "0.001", "0.01",
                                                            "0.1"]  # fmt: skip


def test_nothing_to_draw():
    for draw in (parallel_coordinates, slices):
        with pytest.raises(UsageError, match="no trial is finished"):
            draw([Row(1, "failed", {}, None, None, (), 0, 3, 0.0, ())], (RATE,), "loss", False)
