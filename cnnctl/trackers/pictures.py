"""What a trained network mistakes, as pictures for a tracker."""

from __future__ import annotations

from typing import Any

from cnnctl.errors import CnnctlError
from cnnctl.runs.run import Run

WORST = 24
"""Pictures of the worst mistakes."""


def pictures(run: Run, **settings: Any) -> tuple[dict[str, bytes], str | None]:
    """Draw the confusion matrix and the worst mistakes of a finished run.

    Args:
        run: The run folder.
        settings: `data_dir`, `full_data`, `device`, as of the training.

    Returns:
        PNG files by name, and why there are none.
    """
    from cnnctl.plots.confusion import confusion
    from cnnctl.plots.image_grid import predictions
    from cnnctl.plots.style import to_bytes
    from cnnctl.plots.subject import Subject

    subject = Subject(run.path, **settings)
    try:
        found = subject.predictions
        drawn = {"confusion": to_bytes(confusion(found, title=str(run)), "png")}
        worst = found.worst(WORST)
        if worst and found.x.ndim in (3, 4):
            mistakes = predictions(found.some(worst), title="predicted (true)", columns=8)
            drawn["worst_mistakes"] = to_bytes(mistakes, "png")
    except CnnctlError as error:
        return {}, error.message
    return drawn, None
