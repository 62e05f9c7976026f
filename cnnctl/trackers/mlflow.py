"""MLflow: a run in the experiment `cnnctl`, where MLFLOW_TRACKING_URI says or in `mlflow.db`."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from pathlib import PurePosixPath
from typing import Any

from cnnctl.trackers.metadata import figures_of
from cnnctl.trackers.tracker import Ending, Opened, Story

EXPERIMENT = "cnnctl"
_STATUS = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
_ID = re.compile(r"[0-9a-f]{32}")
_USER = re.compile(r"(?<=://)[^/@]+@")
_BATCH = 100
"""Parameters that MLflow takes at once."""
_STRANGE = re.compile(r"[^\w\-. :/]")
"""What MLflow takes in no name."""


class MLflow:
    """Parameters, figures of every epoch, tags and the run's files.

    MLflow itself decides where they go; it is only kept from trying for minutes what does not
    answer, and from sending its makers word of its use.
    """

    def __init__(self) -> None:
        self._client: Any = None
        self._id = ""

    def open(self, story: Story) -> Opened:
        """Find the run that this training had at this place, or begin one."""
        for key, value in (
            ("MLFLOW_DISABLE_TELEMETRY", "true"),
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2"),
            ("MLFLOW_HTTP_REQUEST_TIMEOUT", "20"),
        ):
            os.environ.setdefault(key, value)
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic", "urllib3"):  # they would write into the table of epochs
            logging.getLogger(name).setLevel(logging.ERROR)
        self._client = MlflowClient()
        at = _USER.sub("", self._client.tracking_uri)
        found, note = self._find(story, at)
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        if found is None:
            number = self._experiment(experiment)
            found = self._client.create_run(number, run_name=story.name)
        else:
            self._client.update_run(found.info.run_id, status="RUNNING")
        self._id = found.info.run_id
        self._describe(story, dict(found.data.params))
        where = f"experiment {experiment} in {at}"
        return Opened(where, self._epochs(), {"id": self._id, "at": at}, note)

    def epoch(self, row: dict[str, Any]) -> None:
        """Send the figures of an epoch, all of them or none."""
        self._log(figures_of(row), row["epoch"])

    def close(self, ending: Ending) -> None:
        """Send figures and files, and say how it ended."""
        step = ending.best_epoch or 0
        figures = {  # a run that goes on may have the same best epoch again
            key: value for key, value in ending.figures.items() if step not in self._steps(key)
        }
        self._log(figures, step)
        tags = {"status": ending.status, "best_epoch": ending.best_epoch, "reason": ending.reason}
        for key, value in tags.items():
            if value is not None:
                self._client.set_tag(self._id, key, str(value))
        try:
            for name, path in ending.artefacts.items():
                folder = PurePosixPath(name).parent
                self._client.log_artifact(self._id, path, str(folder) if folder.name else None)
        finally:
            self._client.set_terminated(self._id, _STATUS[ending.status])

    def _find(self, story: Story, at: str) -> tuple[Any, str | None]:
        """The MLflow run of an earlier part of this training, and why there is none."""
        from mlflow.exceptions import MlflowException

        number, before = story.known.get("id"), story.known.get("at")
        if not isinstance(number, str) or not _ID.fullmatch(number):
            return None, None
        if before != at:
            return None, f"the run was in {before} before, and begins anew in {at}"
        try:
            found = self._client.get_run(number)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None, f"the run {number} is not there any more, and begins anew"
        if found.info.lifecycle_stage != "active":
            return None, f"the run {number} was deleted, and begins anew"
        return found, None

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:  # another training was faster
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _describe(self, story: Story, before: dict[str, str]) -> None:
        """Send parameters and tags. MLflow never changes a parameter: one that is another by now
        becomes a tag."""
        from mlflow.entities import Param, RunTag

        parameters = {_name(key): _text(value) for key, value in story.parameters.items()}
        tags = {
            **story.tags,
            **{key: value for key, value in parameters.items() if before.get(key, value) != value},
        }
        native = {"git.commit": "mlflow.source.git.commit", "description": "mlflow.note.content"}
        tags |= {native[key]: tags[key] for key in native if key in tags}
        new = [Param(key, value) for key, value in parameters.items() if key not in before]
        for index in range(0, len(new), _BATCH):
            self._client.log_batch(self._id, params=new[index : index + _BATCH])
        every = [RunTag(key, value) for key, value in tags.items()]
        for index in range(0, len(every), _BATCH):
            self._client.log_batch(self._id, tags=every[index : index + _BATCH])

    def _epochs(self) -> int:
        """The last epoch that MLflow has."""
        return max(self._steps("loss"), default=0)

    def _steps(self, key: str) -> set[int]:
        return {each.step for each in self._client.get_metric_history(self._id, _name(key))}

    def _log(self, figures: dict[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(_name(key), value, now, step) for key, value in figures.items()]
        self._client.log_batch(self._id, metrics=metrics)


def _name(key: str) -> str:
    return _STRANGE.sub("_", key)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
