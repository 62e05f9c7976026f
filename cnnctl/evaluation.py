"""Loss and metrics of a trained network on data that it was not trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cnnctl import backend, plugins, runs
from cnnctl.checkpoint import MANIFEST, read
from cnnctl.compute.plan import Plan, choose
from cnnctl.data.dataset import Split
from cnnctl.data.normalization import Normalization
from cnnctl.data.preparation import Prepared, prepare
from cnnctl.errors import CheckpointError, DataError, RunError, UsageError
from cnnctl.spec import Spec, load


@dataclass(frozen=True)
class Evaluation:
    """The figures of one evaluation.

    Args:
        source: The run, checkpoint or file that was evaluated.
        checkpoint: The checkpoint's name, where it is one of a run.
        data: The data set, as recorded.
        split: `test`, `validation` or `train`.
        images: How many pictures.
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
    source: Path,
    *,
    spec: Spec | None = None,
    checkpoint: str | None = None,
    split: str = "test",
    data_dir: Path | None = None,
    full_data: bool = False,
    device: str = "auto",
    progress: Any = None,
) -> Evaluation:
    """Evaluate a run, a checkpoint of one, or a file of weights.

    Args:
        source: A run folder, a checkpoint folder in it, a `.keras` or a `.weights.h5` file.
        spec: The network and data of a file that is in no run folder.
        checkpoint: `best` (default), `last` or `epoch-0003`, where `source` is a run.
        split: `test`, `validation` or `train`.
        data_dir, full_data, device, progress: As in `cnnctl.training.train`.

    Raises:
        UsageError: There is no such run, checkpoint or file, or its spec is not known.
        CheckpointError: The weights are damaged or not this network's.
        DataError: The data cannot be found or does not fit.
    """
    weights, run = _locate(source, checkpoint)
    if run is not None and source.is_dir() and not (source / MANIFEST).exists():
        source = run.path
    recorded: dict[str, Any] = {}
    run_spec = spec is None
    if spec is None:
        if run is None:
            raise UsageError(
                f"{source} is in no run folder, so its network is not known",
                hint="name the spec it was trained from: --spec configs/mnist.yaml",
            )
        recorded = run.environment()
        plugins.require(recorded.get("plugins") or (), run)
        spec = load(run.spec_path)
        if not isinstance(recorded.get("data"), dict) or "normalization" not in recorded:
            raise RunError(
                f"{run} has no readable environment.json, so its data is not known",
                hint=f"name the data by a spec: --spec {run.spec_path}",
            )
    spec.require("data", "compile")
    fixed = None
    if run is not None and "normalization" in recorded:
        fixed = Normalization.from_dict(recorded["normalization"], run.path / "environment.json")
    data = prepare(spec, data_dir=data_dir, full_data=full_data, progress=progress, fixed=fixed)
    if run_spec:
        _same_data(recorded["data"], data, source)
    chosen = getattr(data.dataset, split)
    if chosen is None:
        raise DataError(f"{data.dataset.name} has no {split} pictures here", hint=_other(data))
    started = backend.start(device, spec.seed, deterministic=spec.deterministic)
    plan = choose(spec, data.input_shape, len(chosen), on_gpu=started.name != "cpu")
    plan = replace(plan, fused=False)  # no slots for an optimizer that updates nothing
    backend.compute_by(plan, started)
    from cnnctl.model import build, compile_model
    from cnnctl.weights import limit_for, load_weights

    model = build(spec, data.input_shape)
    notes = [
        f"the plug-in {name} is not as it was when the run began (SHA-256 {before[:12]}, now "
        f"{now[:12]})"
        for name, before, now in plugins.changed(recorded.get("plugins") or ())
    ]
    try:
        load_weights(model, weights)
    except CheckpointError as error:
        is_of_run = run and source == run.path and checkpoint is None
        other = _intact(run, limit_for(model)) if run and is_of_run else None
        if other is None:
            raise
        notes.append(f"{error.message}; {other} is used instead")
        weights = other
        load_weights(model, weights)
    compile_model(model, spec, plan)
    return Evaluation(
        source=str(source),
        checkpoint=weights.name if weights.is_dir() else None,
        data=data.dataset.name,
        split=split,
        images=len(chosen.x),
        figures=figures(model, chosen, data, spec, plan),
        notes=tuple(notes),
    )


def _intact(run: runs.Run, limit: int) -> Path | None:
    """The newest intact checkpoint of a run, none of whose files has more bytes than `limit`."""
    for path in reversed(run.checkpoints()):
        try:
            read(path, limit)
        except CheckpointError:
            continue
        return path
    return None


def figures(model: Any, split: Split, data: Prepared, spec: Spec, plan: Plan) -> dict[str, float]:
    """Loss and metrics of a compiled model on a split, by name."""
    from cnnctl.blame import failure
    from cnnctl.compute import steps
    from cnnctl.data.pipeline import Feed

    feed = Feed(split, data.normalization, classes=data.classes if data.one_hot else 0)
    model.test_function = steps.test_function(model, feed, plan.parts_of_evaluation)
    try:
        found = model.evaluate(feed.dataset, verbose=0, return_dict=True)
    except Exception as error:  # whatever TensorFlow raises where loss and outputs do not fit
        raise failure("the evaluation", error, model, spec) from error
    return {name: float(value) for name, value in found.items()}


def _locate(source: Path, checkpoint: str | None) -> tuple[Path, runs.Run | None]:
    """The weights that are meant, and the run that they belong to, if any."""
    if not source.exists():
        runs.find(source)  # says what is there instead
    if checkpoint is not None and (source.is_file() or (source / MANIFEST).exists()):
        raise UsageError(
            f"{source} is one file or checkpoint already: --checkpoint belongs to a run"
        )
    if source.suffix in {".yaml", ".yml"}:
        raise UsageError(
            f"{source} is a spec, and has no weights",
            hint=f"train it first: cnnctl train {source}; then evaluate its run",
        )
    if source.is_file():
        parent = source.resolve().parent
        return source, runs.Run(parent) if (parent / "spec.yaml").is_file() else None
    if (source / MANIFEST).exists():
        folder = source.resolve()
        return folder, runs.find(folder.parent.parent)
    run = runs.find(source)
    return run.checkpoint(checkpoint or "best"), run


def _same_data(recorded: dict[str, Any], data: Prepared, source: Path) -> None:
    """Refuse figures of a run on other pictures than it was trained beside.

    The 5,000-image sample of MNIST, say, is part of MNIST's training set.
    """
    if recorded.get("fingerprint") != data.dataset.fingerprint:
        raise DataError(
            f"{source} was trained on {recorded.get('name')}, and found here is other data: "
            f"{data.dataset.name} ({data.dataset.origin})",
            hint="name the folder of the same data with --data-dir, or say that other data is "
            "meant: --spec SPEC",
        )


def _other(data: Prepared) -> str:
    there = [name for name in ("train", "validation", "test") if getattr(data.dataset, name)]
    return f"--split takes {', '.join(there)} for this data"
