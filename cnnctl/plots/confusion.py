"""What a classifier mistakes for what: confusion, precision, recall, and how sure it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnctl.errors import UsageError
from cnnctl.plots.style import BLUE, GREY, RED, every, figure, look, shortened

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from cnnctl.inference.predictions import Predictions

MOST_COUNTS = 20
"""Classes up to which every cell of a confusion matrix has its count."""
MOST_SCORES = 30
"""Classes up to which each has its precision, recall and F1; of more, the worst have."""
BINS = 15
"""Of a calibration diagram, as in Guo et al. 2017."""


@dataclass(frozen=True, eq=False)
class Scores:
    """How well each class is found.

    Args:
        counts: (true, predicted) how many images.
        precision: (classes,) of those taken for the class, the part that is; NaN for none.
        recall: (classes,) of those of the class, the part that is found; NaN for none.
        f1: (classes,) the harmonic mean of both; NaN where both are missing.
    """

    counts: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def scores(truth: np.ndarray, guesses: np.ndarray, classes: int) -> Scores:
    """Count what is mistaken for what.

    Args:
        truth: (images,) class numbers.
        guesses: (images,) class numbers.
        classes: How many there are.
    """
    import numpy as np

    counts = np.bincount(truth * classes + guesses, minlength=classes**2)
    counts = counts.reshape(classes, classes)
    hits = np.diag(counts).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = hits / counts.sum(0), hits / counts.sum(1)
        f1 = 2 * hits / (counts.sum(0) + counts.sum(1))
    return Scores(counts, precision, recall, f1)


def confusion(found: Predictions, *, title: str = "") -> Figure:
    """Draw what is mistaken for what, and each class's precision, recall and F1.

    Rows are true classes, columns predicted ones; the darkness of a cell is its part of its row,
    with more than 20 classes the root of it.

    Raises:
        UsageError: The true classes are not known.
    """
    truth, names = _need_truth(found), found.class_names
    with look():
        result = scores(truth, found.classes, len(names))
        classes = len(names)
        side = min(max(0.42 * classes + 1.2, 3.6), 8.5)
        if not title:
            title = found.summary()
        made = figure(side + 4.4, max(side, 0.24 * min(classes, MOST_SCORES) + 1.4) + 0.4, title)
        matrix, table = made.subplots(1, 2, width_ratios=[side, 3.6])
        _matrix(matrix, result.counts, names)
        _scores(table, result, names)
        return made


def _matrix(axis: Any, counts: np.ndarray, names: tuple[str, ...]) -> None:
    import numpy as np
    from matplotlib.colors import PowerNorm

    classes = len(names)
    parts = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    # With many classes a mistake is rare: by its root it can be seen.
    norm = PowerNorm(1.0 if classes <= MOST_COUNTS else 0.5, 0, 1)
    axis.imshow(parts, cmap="Blues", norm=norm, interpolation="nearest")
    axis.grid(visible=False)
    places, labels = every([shortened(name, 12) for name in names], 30)
    size = 8 if classes <= 12 else 6
    axis.set_xticks(places, labels, rotation=90 if _long(labels) else 0, fontsize=size)
    axis.set_yticks(places, labels, fontsize=size)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    if classes <= MOST_COUNTS:
        for row in range(classes):
            for column in range(classes):
                if count := int(counts[row, column]):
                    axis.text(
                        column, row, f"{count:,}", ha="center", va="center",
                        fontsize=7 if classes <= 12 else 5,
                        color="white" if parts[row, column] > 0.55 else "black",
                    )  # fmt: skip


def _long(labels: list[str]) -> bool:
    return max(map(len, labels), default=0) > 3


def _scores(axis: Any, result: Scores, names: tuple[str, ...]) -> None:
    """Three marks on a line for each class; of many classes, for those with the least F1."""
    import numpy as np

    order = list(range(len(names)))
    if len(names) > MOST_SCORES:
        order = np.argsort(np.nan_to_num(result.f1, nan=2.0), kind="stable")[:MOST_SCORES].tolist()
    lines = range(len(order))
    for values, marker, color, label in (
        (result.precision, ">", BLUE, "precision"),
        (result.recall, "s", RED, "recall"),
        (result.f1, "|", "black", "F1"),
    ):
        axis.plot(values[order], lines, marker, color=color, label=label,
                  markersize=9 if marker == "|" else 5)  # fmt: skip
    axis.set_yticks(lines, [shortened(names[index], 16) for index in order], fontsize=7)
    axis.set_ylim(len(order) - 0.4, -0.6)
    known = np.concatenate([values[order] for values in
                            (result.precision, result.recall, result.f1)])  # fmt: skip
    low = float(np.nanmin(known)) if np.isfinite(known).any() else 0.0
    room = max(1 - low, 0.05)
    axis.set_xlim(max(0.0, 1 - 1.05 * room) - 0.02 * room, 1 + 0.02 * room)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=3, fontsize=7)
    mean = np.nanmean(result.f1) if np.isfinite(result.f1).any() else float("nan")
    worst = f"\nthe {MOST_SCORES} with the least F1" if len(names) > MOST_SCORES else ""
    axis.set_title(f"mean F1 over {len(names)} classes: {mean:.4f}{worst}")


@dataclass(frozen=True, eq=False)
class Calibration:
    """How often a network is right where it says how sure it is.

    Args:
        edges: (bins + 1,) of the bins of the largest probability.
        counts: (bins,) images.
        confidence: (bins,) mean of the largest probability; NaN in empty bins.
        accuracy: (bins,) the part that is right; NaN in empty bins.
        error: The expected calibration error: the mean over images of |accuracy − confidence| of
            their bin (Guo et al. 2017, equation 3).
    """

    edges: np.ndarray
    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: float


def calibrate(probabilities: np.ndarray, truth: np.ndarray, bins: int = BINS) -> Calibration:
    """Compare how sure a network is with how often it is right.

    Args:
        probabilities: (images, classes).
        truth: (images,) class numbers.
        bins: Of equal width, each with its upper edge.
    """
    import numpy as np

    sure = probabilities.max(1).astype(np.float64)
    right = probabilities.argmax(1) == truth
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, sure, minlength=bins) / counts
        accuracy = np.bincount(place, right, minlength=bins) / counts
    gap = np.nan_to_num(np.abs(accuracy - confidence))
    error = float((gap * counts).sum() / max(len(truth), 1))
    return Calibration(np.linspace(0, 1, bins + 1), counts, confidence, accuracy, error)


def calibration(found: Predictions, *, title: str = "") -> Figure:
    """Draw how often the network is right against how sure it is, and how often it is how sure.

    Raises:
        UsageError: The true classes are not known, or the outputs are no probabilities.
    """
    truth = _need_truth(found)
    if not found.are_probabilities:
        raise UsageError("the network's outputs are no probabilities, so nothing can be said of "
                         "how sure it is")  # fmt: skip
    with look():
        result = calibrate(found.outputs, truth)
        made = figure(4.6, 5.2, title or "how sure, and how often right")
        upper, lower = made.subplots(2, 1, height_ratios=[3, 1], sharex=True)
        width = float(result.edges[1])
        centres = (result.edges[:-1] + result.edges[1:]) / 2
        upper.bar(centres, result.accuracy, width * 0.95, color=BLUE, label="right")
        upper.plot(
            [0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="as sure as right"
        )
        upper.plot(result.confidence, result.accuracy, "o", color=RED, markersize=4,
                   label="mean probability of a bin")  # fmt: skip
        upper.set_ylabel("part that is right")
        upper.set_ylim(0, 1.02)
        upper.legend(loc="upper left", fontsize=7)
        upper.set_title(f"expected calibration error {result.error:.4f}, {len(truth):,} pictures")
        lower.bar(centres, result.counts / len(truth), width * 0.95, color=GREY)
        lower.set_xlabel("largest probability")
        lower.set_ylabel("part of pictures")
        lower.set_xlim(0, 1)
        return made


def _need_truth(found: Predictions) -> np.ndarray:
    if found.truth is None or not found.class_names:
        raise UsageError("mistakes are known only where the true classes are")
    if len(found.truth) == 0:
        raise UsageError("there are no pictures")
    return found.truth
