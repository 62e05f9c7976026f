"""What trackers have of a run, read by their own readers: {figure: {epoch: value}}."""

import json
import os
from pathlib import Path

NOT_FIGURES = ("epoch",)
PARTS = {"WANDB_MODE": "offline", "WANDB_API_KEY": "", "MLFLOW_DISABLE_TELEMETRY": "true"}


def surroundings(folder):
    """Environment variables by which trackers write into a folder alone."""
    places = ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "HOME")
    return {**PARTS, **{name: str(folder / "home") for name in places}}


def of_run(path):
    """The figures of `metrics.jsonl`."""
    found = {}
    for line in (Path(path) / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        for key, value in row.items():
            if key not in NOT_FIGURES:
                found.setdefault(key, {})[row["epoch"]] = value
    return found


def of_tensorboard(path):
    """As TensorBoard's server reads it: figures, texts, and pictures: width, height, PNG."""
    from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    events = EventAccumulator(str(Path(path) / "tensorboard"), size_guidance={"tensors": 0})
    events.Reload()
    found = {"scalars": {}, "text": {}, "images": {}, "hparams": {}}
    for tag in events.Tags()["tensors"]:
        kind = found[events.SummaryMetadata(tag).plugin_data.plugin_name]
        for event in events.Tensors(tag):
            value = tensor_util.make_ndarray(event.tensor_proto)
            if kind is found["scalars"]:
                assert event.step not in kind.setdefault(tag, {}), f"{tag} twice"
                kind[tag][event.step] = value.item()
            else:
                kind[tag] = value.tolist()
    texts = {tag: value.decode() for tag, value in found["text"].items()}
    return found["scalars"], texts, found["images"]


def of_mlflow(uri):
    """The one run of a tracking store, its figures, and the client."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiments = [each.experiment_id for each in client.search_experiments()]
    (run,) = client.search_runs(experiments)
    figures = {}
    for key in run.data.metrics:
        for point in client.get_metric_history(run.info.run_id, key):
            assert point.step not in figures.setdefault(key, {}), f"{key} twice"
            figures[key][point.step] = point.value
    return figures, run, client


def of_wandb(folder):
    """What `wandb sync` would send of all parts of a run, by W&B's own protocol buffers."""
    from wandb.proto.wandb_internal_pb2 import Record

    from cnnctl.trackers.wandb_files import records

    figures, others = {}, []
    for path in sorted(Path(folder).glob("wandb/offline-run-*/*.wandb")):
        for data in records(path.read_bytes()):
            record = Record.FromString(data)
            others.append(record)
            for item in record.history.item:
                key = item.key or "/".join(item.nested_key)
                if not key.startswith("_"):
                    step = record.history.step.num
                    assert step not in figures.setdefault(key, {}), f"{key} twice"
                    figures[key][step] = json.loads(item.value_json)
    assert figures.pop("epoch") == {step: step for step in figures["loss"]}
    return figures, others
