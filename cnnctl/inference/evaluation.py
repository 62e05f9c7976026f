"""Loss and metrics of a trained network on data that it was not trained on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from cnnctl.compute.plan import Plan
from cnnctl.data.dataset import Split
from cnnctl.data.names import SPLITS
from cnnctl.data.preparation import Prepared
from cnnctl.inference.find_trained import find
from cnnctl.io.arguments import AnyPath, as_choice
from cnnctl.specs import AnySpec


@dataclass(frozen=True)
class Evaluation:
    """The figures of one evaluation.

    Args:
        source: The run, checkpoint or file that was evaluated.
        checkpoint: The checkpoint's name, where it is one of a run.
        data: The data set, as recorded.
        split: `test`, `validation` or `train`.
        images: How many images.
        figures: `loss` and every metric.
        notes: What is worth knowing: another checkpoint than the best was taken, say.
    """

    source: str
    checkpoint: str | None
    data: str
    split: str
    images: int
    figures: dict[str, float]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def evaluate(
    source: AnyPath,
    *,
    spec: AnySpec | None = None,
    checkpoint: str | int | None = None,
    split: str = "test",
    data_dir: AnyPath | None = None,
    full_data: bool = False,
    device: str = "auto",
    progress: Any = None,
) -> Evaluation:
    """Evaluate a run, a checkpoint of one, or a file of weights.

    Args:
        source: A run folder, a checkpoint folder in it, a `.keras` or a `.weights.h5` file.
        spec: The network and data of a file that is in no run folder: a spec, its path, or the
            name of a shipped one.
        checkpoint: `best` (default), `last`, `epoch-0003` or 3, where `source` is a run.
        split: `test`, `validation` or `train`.
        data_dir, full_data, device, progress: As in `cnnctl.train`.

    Raises:
        UsageError: There is no such run, checkpoint, file or split, or its spec is not known.
        CheckpointError: The weights are damaged or not this network's.
        DataError: The data cannot be found or does not fit.
    """
    as_choice(split, "split", SPLITS)
    trained = find(source, spec=spec, checkpoint=checkpoint)
    trained.spec.require("data", "compile")
    data = trained.prepare(data_dir=data_dir, full_data=full_data, progress=progress)
    chosen = data.dataset.split(split)
    loaded = trained.load(data.checked, len(chosen), device)
    from cnnctl.network.build import compile_model

    compile_model(loaded.model, trained.spec, loaded.plan)
    return Evaluation(
        source=str(trained.source),
        checkpoint=loaded.checkpoint,
        data=data.dataset.name,
        split=split,
        images=len(chosen.x),
        figures=figures(loaded.model, chosen, data, loaded.plan),
        notes=loaded.notes,
    )


def figures(model: Any, split: Split, data: Prepared, plan: Plan) -> dict[str, float]:
    """Loss and metrics of a compiled model on a split, by name; without those that are no finite
    numbers, which JSON does not have."""
    from cnnctl.compute import steps
    from cnnctl.compute.feed import Feed
    from cnnctl.network.failures import failure

    feed = Feed(
        split,
        data.normalization,
        batch_size=steps.evaluation_batch(data.checked),
        classes=data.classes if data.one_hot else 0,
    )
    model.test_function = steps.test_function(
        model, feed, steps.evaluation_parts(data.checked, plan)
    )
    try:
        found = model.evaluate(feed.dataset, verbose=0, return_dict=True)
    except Exception as error:  # whatever TensorFlow raises where loss and outputs do not fit
        raise failure("the evaluation", error, model, data.spec) from error
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}
