"""TensorBoard: event files in the run folder, for `tensorboard --logdir runs`."""

from __future__ import annotations

import struct
import time
from typing import Any

from cnnctl.trackers.metadata import figures_of
from cnnctl.trackers.tracker import Ending, Opened, Story

FOLDER = "tensorboard"
"""In the run folder; the spec's TensorBoard callback of Keras writes to folders within it."""


class TensorBoard:
    """Scalars, the spec as text, hyperparameters, and at the end what the network mistakes.

    Written by TensorBoard's own writer, without TensorFlow, which is busy training. A part of a run
    that is trained again replaces what an earlier file has of its epochs.
    """

    def __init__(self) -> None:
        self._writer: Any = None

    def open(self, story: Story) -> Opened:
        """Begin an event file; what earlier ones have of later epochs does not count any more."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.plugins.text.summary_v2 import text_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        path = story.run.path / FOLDER
        known = story.known.get("epochs")
        epochs = min(known, story.done) if type(known) is int and path.is_dir() else 0
        self._writer = EventFileWriter(str(path))
        started = SessionLog(status=SessionLog.START)
        self._writer.add_event(Event(wall_time=time.time(), step=epochs + 1, session_log=started))
        if epochs == 0:
            tags = "".join(f"| {key} | {value} |\n" for key, value in story.tags.items())
            self._write(text_pb("spec", f"```yaml\n{story.spec}```"), 0)
            self._write(text_pb("tags", f"| | |\n|---|---|\n{tags}"), 0)
            self._write(hparams_pb(story.parameters, trial_id=story.name), 0)
        self._writer.flush()
        return Opened(f"tensorboard --logdir {path}", epochs, {})

    def epoch(self, row: dict[str, Any]) -> None:
        """Write the figures of an epoch."""
        self._scalars(figures_of(row), row["epoch"])
        self._writer.flush()

    def close(self, ending: Ending) -> None:
        """Write the figures of the test set, the images and the end, and close the file."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams import api_pb2
        from tensorboard.plugins.hparams.summary import session_end_pb
        from tensorboard.plugins.text.summary_v2 import text_pb

        step = ending.best_epoch or 0
        self._scalars(ending.figures, step)
        for name, png in ending.images.items():
            width, height = struct.unpack(">II", png[16:24])  # where a PNG file has them
            image = Summary.Image(
                encoded_image_string=png, width=width, height=height, colorspace=4
            )
            self._write(Summary(value=[Summary.Value(tag=name, image=image)]), step)
        reason = f": {ending.reason}" if ending.reason else ""
        self._write(text_pb("status", f"{ending.status}{reason}"), step)
        if ending.status != "stopped":  # which may go on
            is_done = ending.status == "finished"
            end = session_end_pb(api_pb2.STATUS_SUCCESS if is_done else api_pb2.STATUS_FAILURE)
            self._write(Summary.FromString(end.SerializeToString()), step)
        self._writer.close()

    def _scalars(self, figures: dict[str, float], step: int) -> None:
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        for key, value in figures.items():
            self._write(scalar_pb(key, value), step)

    def _write(self, summary: Any, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
