"""Figures: what is counted against counting by hand, and texts that stay apart."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from conftest import CONFIGS, examples
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.data.dataset import Split
from cnnctl.errors import UsageError
from cnnctl.inference.predictions import Predictions
from cnnctl.plots import confusion, curves, image_grid, style
from cnnctl.plots.architecture import architecture, boxes
from cnnctl.plots.dataset_figure import data_set
from cnnctl.plots.feature_maps import excitation, features, saliency
from cnnctl.plots.filters import filters, histograms
from cnnctl.reports.report import MOST_RUNS
from cnnctl.summary.summary import summarize

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def class_names(count):
    return tuple(f"{NAMES[index % 10]} {index}" if count > 10 else NAMES[index]
                 for index in range(count))  # fmt: skip


def predictions(classes, count=400, known=True, seed=0):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, count)
    outputs = random.dirichlet(np.full(classes, 0.3), count)
    right = random.random(count) < 0.7
    outputs[right, truth[right]] += 2
    outputs /= outputs.sum(1, keepdims=True)
    x = random.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    names = tuple(map(str, range(count)))
    return Predictions(names, x, outputs, class_names(classes), True, truth if known else None,
                       data="made, test")  # fmt: skip


def texts_apart(made):
    """Draw a figure, and look whether any two of its texts overlap or one is cut off."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.look():
        canvas = FigureCanvasAgg(made)
        canvas.draw()
        renderer = canvas.get_renderer()
        width, height = canvas.get_width_height()
        found = []
        for text in drawn_texts(made):
            if text.get_text().strip() and text.get_visible():
                found.append((text.get_text(), text.get_window_extent(renderer)))
    cut = [name for name, box in found
           if box.x0 < -2 or box.y0 < -2 or box.x1 > width + 2 or box.y1 > height + 2]  # fmt: skip
    assert not cut
    for (first, a), (second, b) in itertools.combinations(found, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 2 or down <= 2, (first, second)


def drawn_texts(made):
    yield from made.texts
    for legend in made.legends:
        yield from legend.get_texts()
    for inner in made.subfigs:
        yield from drawn_texts(inner)
    for axis in made._localaxes:
        yield from (axis.title, axis._left_title, axis._right_title, *axis.texts)
        if legend := axis.get_legend():
            yield from legend.get_texts()
        if axis.axison:
            for line in (axis.xaxis, axis.yaxis):
                yield from (line.label, line.offsetText)
                for tick in line._update_ticks():
                    yield from (tick.label1, tick.label2)


@pytest.mark.parametrize("classes", [2, 10, 20, 30, 100, 1000])
def test_confusion_at_any_number_of_classes(classes):
    texts_apart(confusion.confusion(predictions(classes, 4000)))


def test_confusion_where_a_class_is_never_seen_or_all_are_right():
    found = predictions(10, 12)
    texts_apart(confusion.confusion(found))
    perfect = Predictions(found.names, found.x, np.eye(10)[found.truth], found.class_names, True,
                          found.truth, data="made")  # fmt: skip
    texts_apart(confusion.confusion(perfect))
    with pytest.raises(UsageError):
        confusion.confusion(predictions(10, known=False))


@examples(60)
@given(st.integers(2, 6), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1))
def test_scores_are_counted(classes, pairs):
    pairs = [(true % classes, guess % classes) for true, guess in pairs]
    truth, guesses = (np.array(each) for each in zip(*pairs, strict=True))
    found = confusion.scores(truth, guesses, classes)
    for one in range(classes):
        for other in range(classes):
            assert found.counts[one, other] == pairs.count((one, other))
        taken = [true for true, guess in pairs if guess == one]
        there = [guess for true, guess in pairs if true == one]
        precision = taken.count(one) / len(taken) if taken else math.nan
        recall = there.count(one) / len(there) if there else math.nan
        np.testing.assert_allclose(found.precision[one], precision)
        np.testing.assert_allclose(found.recall[one], recall)
        if taken and there and taken.count(one):
            np.testing.assert_allclose(found.f1[one], 2 * precision * recall / (precision + recall))


def test_calibration_by_hand():
    """Two bins: 0.6 and 0.7 (one right), 0.9 and 1.0 (both right)."""
    outputs = np.array([[0.6, 0.4], [0.3, 0.7], [0.9, 0.1], [0.0, 1.0]])
    found = confusion.calibrate(outputs, np.array([0, 0, 0, 1]), bins=4)
    assert found.counts.tolist() == [0, 0, 2, 2]
    np.testing.assert_allclose(found.confidence[2:], [0.65, 0.95])
    np.testing.assert_allclose(found.accuracy[2:], [0.5, 1.0])
    assert found.error == pytest.approx((0.15 * 2 + 0.05 * 2) / 4)
    texts_apart(confusion.calibration(predictions(10)))
    raw = predictions(3)
    with pytest.raises(UsageError, match="no probabilities"):
        confusion.calibration(Predictions(raw.names, raw.x, raw.outputs, raw.class_names, False,
                                         raw.truth))  # fmt: skip


def rows(epochs, validation=True):
    return [
        {"epoch": epoch, "seconds": 3.0 + epoch / 7, "learning_rate": 0.01 * 0.5**epoch,
         "images_per_second": 900.0, "loss": 1 / epoch, "accuracy": 1 - 0.3 / epoch,
         **({"val_loss": 1.2 / epoch, "val_accuracy": 1 - 0.4 / epoch} if validation else {})}
        for epoch in range(1, epochs + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("epochs", [1, 2, 30, 182])
@pytest.mark.parametrize("validation", [True, False])
def test_curves(epochs, validation):
    made = curves.curves(rows(epochs, validation), title="runs/mnist/001", best=epochs)
    texts_apart(made)
    loss = made.axes[0]
    assert [line.get_label() for line in loss.lines[: 1 + validation]] == (
        ["training", "validation"] if validation else ["training"]
    )
    np.testing.assert_allclose(loss.lines[0].get_ydata(), [1 / n for n in range(1, epochs + 1)])
    texts_apart(curves.compared({"a": rows(3), "b": rows(epochs, False)}))


def test_curves_of_nothing():
    with pytest.raises(UsageError, match="no epoch is done"):
        curves.curves([])


@pytest.mark.parametrize("classes", [2, 10, 30, 100, 1000])
def test_a_data_set(classes):
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (3000, 8, 8, 3), dtype=np.uint8)
    split = Split(x, random.integers(0, classes, 3000))
    texts_apart(data_set(split, class_names(classes), list(range(36)), title="made, train"))
    seen = x[:9].astype(np.float32)
    texts_apart(data_set(split, class_names(classes), list(range(9)), title="made", seen=seen))


def test_a_data_set_of_numbers():
    random = np.random.default_rng(0)
    x = random.normal(size=(50, 6, 8, 1)).astype(np.float32)
    texts_apart(data_set(Split(x, random.normal(size=50).astype(np.float32)), (), [3]))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("count", [1, 2, 32])
def test_predictions(known, count):
    found = predictions(10, known=known).some(range(count))
    made = image_grid.predictions(found, title="runs/cifar10/001: predicted (true)", columns=8)
    texts_apart(made)
    for index, axis in zip(range(count), made.axes, strict=False):
        title = axis.get_title()
        guess = NAMES[found.classes[index]]
        assert guess in title
        if known:
            right = found.classes[index] == found.truth[index]
            assert f"({NAMES[found.truth[index]]})" in title
            assert title.startswith("× ") != right
            assert axis.title.get_color() == (style.BLUE if right else style.RED)


@pytest.mark.parametrize("shape", [(5, 5, 1, 32), (3, 3, 3, 64), (3, 3, 32, 64), (3, 16, 8),
                                   (1, 1, 1, 1), (11, 11, 3, 96)])  # fmt: skip
def test_filters(shape):
    kernel = np.random.default_rng(0).normal(size=shape)
    texts_apart(filters(kernel, title="runs/mnist/001, conv2d"))


def test_filters_of_zeros():
    texts_apart(filters(np.zeros((3, 3, 3, 64))))


def test_what_a_network_sees():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (28, 28, 1), dtype=np.uint8)
    maps = {f"max_pooling2d_{n}": random.normal(size=(28 // n, 28 // n, 8 * n))
            for n in (1, 2, 4)}  # fmt: skip
    texts_apart(features(image, maps, title="runs/mnist/001: test picture 0"))
    many = np.stack([image] * 6)
    heat = random.random((6, 7, 7))
    for each in (heat, None):
        texts_apart(saliency(many, many.astype(float), each, NAMES[:6], layer="conv2d_1",
                             title="runs/mnist/001: why it takes them for this"))  # fmt: skip
    texts_apart(excitation(random.normal(size=(16, 28, 28, 1)), range(16), layer="conv2d_1"))
    texts_apart(excitation(random.normal(size=(1, 9, 9, 1)), range(1), layer="conv2d_1",
                           title="runs/xo/001: what excites the channels of conv2d_1"))  # fmt: skip
    weights = {f"conv2d_{n}/kernel": random.normal(size=50) for n in range(8)}
    texts_apart(histograms(weights, {"re_lu": np.maximum(random.normal(size=90), 0)},
                           title="runs/mnist/001: 256 pictures"))  # fmt: skip
    texts_apart(histograms({}, {"flat": np.zeros(3)}))


@pytest.mark.parametrize("config", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_every_network_is_drawn(config):
    texts_apart(architecture(summarize(CONFIGS / f"{config}.yaml")))


def test_boxes_have_the_shapes_of_the_lecture():
    found = boxes(summarize(CONFIGS / "mnist.yaml"))
    assert [(each.label, each.shape) for each in found] == [
        ("input", (28, 28, 1)),
        ("Conv2D 5×5", (28, 28, 32)),
        ("MaxPooling2D", (14, 14, 32)),
        ("Conv2D 5×5", (14, 14, 64)),
        ("MaxPooling2D", (7, 7, 64)),
        ("Dense", (1024,)),
        ("Dense", (10,)),
    ]
    assert [each.sources for each in found] == [(), (0,), (1,), (2,), (3,), (4,), (5,)]
    residual = boxes(summarize(CONFIGS / "cifar10_resnet.yaml"))
    first = next(each for each in residual if each.label == "Add")
    assert set(first.sources) == {1, 3}


def test_as_many_runs_as_a_report_takes_look_different():
    made = curves.compared({f"run {index}": rows(3) for index in range(MOST_RUNS)})
    loss = made.axes[0]
    looks = [(line.get_color(), line.get_marker(), line.get_markerfacecolor())
             for line in loss.lines]  # fmt: skip
    assert len(set(looks)) == len(loss.lines) == 2 * MOST_RUNS
    without_colours = {(line.get_marker(), line.get_markerfacecolor() == "white")
                       for line in loss.lines}  # fmt: skip
    assert len(without_colours) == 2 * MOST_RUNS


def test_dollars_are_letters(tmp_path):
    """Two of them in a text are TeX to Matplotlib, which fails where it is none."""
    names = ("$5_$", "$^", "a$_b$")
    found = replace(predictions(3), class_names=names)
    made = {
        "confusion": confusion.confusion(found, title="runs/$5_$"),
        "predictions": image_grid.predictions(found.some(range(4))),
        "data": data_set(Split(found.x, found.truth), names, [0, 1, 2], title="$5_$"),
        "curves": curves.compared({"runs/$5_$": rows(3), "runs/$6_$": rows(30)}),
        "histograms": histograms({"$5_$/kernel": found.outputs}, {}),
    }
    for name, each in made.items():
        style.save(each, tmp_path / f"{name}.svg")
        assert "$5_$" in (tmp_path / f"{name}.svg").read_text()
    for name in ("data", "curves"):  # where an axis is logarithmic
        assert "mathdefault" not in (tmp_path / f"{name}.svg").read_text()


def test_files(tmp_path):
    made = curves.curves(rows(3))
    for suffix in (".png", ".svg"):
        one, other = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
        style.save(curves.curves(rows(3)), one)
        style.save(curves.curves(rows(3)), other)
        assert one.read_bytes() == other.read_bytes()
    with pytest.raises(UsageError, match=r"written as \.png or \.svg"):
        style.save(made, tmp_path / "a.pdf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg", "b.png", "b.svg"]


def test_the_legend_of_many_runs_covers_no_curve():
    made = curves.compared({f"runs/net/{n:03}": rows(3) for n in range(MOST_RUNS)})
    texts_apart(made)
    (legend,) = made.legends
    assert len(legend.get_texts()) == 2 * MOST_RUNS
    assert not any(axis.get_legend() for axis in made.axes)
    below = legend.get_window_extent()
    assert all(axis.get_window_extent().y0 > below.y1 for axis in made.axes)


def test_a_history_of_any_size_is_drawn_in_a_figure_of_some(capsys):
    from cnnctl.io.notes import print_notes
    from cnnctl.plots.curves import MOST_METRICS, MOST_POINTS, curves

    print_notes()
    rows = [{"epoch": 1, "loss": 1.0, **{f"k{n}": 0.5 for n in range(9_000)}}]
    rows += [{"epoch": epoch, "loss": 1 / epoch} for epoch in range(2, 20_001)]
    made = curves(rows)
    drawn = [axis for axis in made.axes if axis.axison]
    assert len(drawn) == MOST_METRICS + 2
    assert drawn[0].get_title() == "loss"
    (line,) = drawn[0].lines
    assert len(line.get_xdata()) <= MOST_POINTS + 1
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (1, 20_000)
    assert line.get_ydata()[-1] == 1 / 20_000
    assert f"the curves of the first {MOST_METRICS} are drawn" in capsys.readouterr().err
    few = curves([{"epoch": epoch, "loss": 1 / epoch} for epoch in range(1, 1_001)])
    assert len(few.axes[0].lines[0].get_xdata()) == 1_000


def test_a_metric_with_a_value_per_class_has_one_panel():
    rows = [
        {"epoch": epoch, "seconds": 1.0, "learning_rate": 0.1, "loss": 1.0 / epoch,
         **{f"{part}f1_score/{number}": number / 4 + epoch / 10
            for part in ("", "val_") for number in range(3)}}
        for epoch in (1, 2)
    ]  # fmt: skip
    assert curves.figures_of(rows) == ["loss", "f1_score"]
    axis = curves.curves(rows).axes[1]
    assert axis.get_title() == "f1_score"
    drawn = {line.get_label(): list(line.get_ydata()) for line in axis.lines}
    assert drawn["2, validation"] == [rows[0]["val_f1_score/2"], rows[1]["val_f1_score/2"]]
    assert len(drawn) == 3
