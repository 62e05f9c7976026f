"""`cnnctl evaluate RUN`."""

from __future__ import annotations

from cnnctl.cli.options import (
    Checkpoint,
    DataDir,
    Device,
    FullData,
    Json,
    Plugin,
    Set,
    Source,
    SpecOfFile,
    Split,
)
from cnnctl.cli.output import remark


def evaluate(
    source: Source,
    spec: SpecOfFile = None,
    set_: Set = None,
    checkpoint: Checkpoint = None,
    split: Split = "test",
    device: Device = "auto",
    data_dir: DataDir = None,
    full_data: FullData = False,
    plugin: Plugin = None,
    json: Json = False,
) -> None:
    """Print loss and metrics of a trained network on its test set.

    The network is rebuilt from its spec, and the weights are checked against it before they are
    read: nothing in a file of weights is ever run.
    """
    from cnnctl.cli.output import print_json, say_sample, table
    from cnnctl.errors import UsageError
    from cnnctl.inference.evaluation import evaluate as run_evaluation
    from cnnctl.preflight import check

    if set_ and spec is None:
        raise UsageError("--set changes a spec: name it with --spec")
    result = run_evaluation(
        source,
        spec=check(spec, set_ or ()).spec if spec else None,
        checkpoint=checkpoint,
        split=split,
        data_dir=data_dir,
        full_data=full_data,
        device=device,
    )
    for note in result.notes:
        remark(f"note: {note}")
    say_sample(result.data)
    if json:
        print_json(result.to_dict())
        return
    what = f"{result.source}" + (f", {result.checkpoint}" if result.checkpoint else "")
    title = f"{what}: {result.images:,} {result.split} images of {result.data}"
    table(title, ["figure", "value"], [[k, f"{v:.4f}"] for k, v in result.figures.items()])
