"""Each kind of figure of a trained network, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from cnnctl.errors import UsageError
from cnnctl.plots.saliency_figures import excitation, features, saliency
from cnnctl.plots.subject import Subject
from cnnctl.plots.weight_figures import filters, histograms

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves(subject: Subject) -> Figure:
    """Loss, metrics, learning rate and time of every epoch."""
    from cnnctl.plots import curves as drawing

    run = subject.run
    best = run.state().get("best_epoch")
    return drawing.curves(run.history(), title=str(run), best=best)


def confusion(subject: Subject) -> Figure:
    """What is mistaken for what; precision, recall and F1 of every class."""
    from cnnctl.plots.confusion import confusion as draw

    return draw(subject.predictions, title=f"{subject.named()}: {subject.predictions.summary()}")


def calibration(subject: Subject) -> Figure:
    """How often the network is right where it is how sure."""
    from cnnctl.plots.confusion import calibration as draw

    return draw(subject.predictions, title=subject.named())


KINDS: dict[str, Callable[[Subject], Figure]] = {
    "curves": curves,
    "confusion": confusion,
    "calibration": calibration,
    "filters": filters,
    "features": features,
    "saliency": saliency,
    "excitation": excitation,
    "histograms": histograms,
}
"""By name; `architecture` is drawn from a spec alone (see `cnnctl.plots.architecture`)."""


def drawn(subject: Subject, kinds: Sequence[str] = ()) -> Iterator[tuple[str, Figure | str]]:
    """Draw figures of a trained network.

    Args:
        subject: The network.
        kinds: Which, of `KINDS`; without any, all that make sense for it.

    Yields:
        (kind, figure), or (kind, why there is none) where no kind was named.

    Raises:
        UsageError: A kind that was named makes no sense for this network.
    """
    for kind in kinds or KINDS:
        try:
            yield kind, KINDS[kind](subject)
        except UsageError as error:
            if kinds:
                raise
            yield kind, error.message
