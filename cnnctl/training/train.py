"""A new training, from a checked spec to a finished run folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from cnnctl import plugins
from cnnctl.compute.cluster import Cluster, from_environment
from cnnctl.compute.device import Device, compute_by, environment, start_device
from cnnctl.compute.plan import Plan, choose
from cnnctl.compute.strategy import Replicas, start
from cnnctl.data.pixels import Pixels
from cnnctl.data.preparation import Prepared, Progress, prepare
from cnnctl.io.arguments import AnyPath, as_path, path_or_none, with_epochs
from cnnctl.io.atomic import write_json, write_text
from cnnctl.io.notes import tell
from cnnctl.preflight import passed
from cnnctl.runs.run import RUNS_DIR, Run, create_run
from cnnctl.specs import AnySpec, Spec
from cnnctl.specs.dump import dump
from cnnctl.specs.nodes import plain
from cnnctl.training.callbacks import Observer
from cnnctl.training.interrupt import Interrupt
from cnnctl.training.results import Settings, Start, TrainingResult
from cnnctl.training.session import run_session


def train(
    spec: AnySpec,
    *,
    overrides: str | Iterable[str] = (),
    epochs: int | None = None,
    runs_dir: AnyPath = RUNS_DIR,
    data_dir: AnyPath | None = None,
    full_data: bool = False,
    device: str = "auto",
    finish_epoch: bool = False,
    observer: Observer | None = None,
    progress: Progress | None = None,
    plan: Plan | None = None,
) -> TrainingResult:
    """Train the network of a spec in a new run folder.

    Args:
        spec: A spec with `data`, `compile` and `fit`: its path, the name of a shipped one, or one
            that is loaded.
        overrides: Changes to a spec that is read from a file: `fit.epochs=3`.
        epochs: Short for `fit.epochs`.
        runs_dir: Where the run folder is made.
        data_dir, full_data, device, finish_epoch, observer, progress, plan: See
            `cnnctl.training.Settings`.

    Returns:
        The run and its figures. After SIGINT or SIGTERM with `stopped` set.

    Raises:
        SpecError, DataError, RunError: Before the first step.
        TrainingError: It diverged, or Keras failed in the middle.
    """
    spec, runs_dir = passed(spec, with_epochs(overrides, epochs)), as_path(runs_dir, "runs_dir")
    data_dir = path_or_none(data_dir, "data_dir")
    chosen = Settings(data_dir, full_data, device, finish_epoch, observer, progress, plan)
    spec.require("data", "compile")
    interrupt = Interrupt(finish_epoch=chosen.finish_epoch)
    cluster = cluster_of(spec)
    with interrupt.catching(), ExitStack() as held:
        data = prepare(
            spec,
            data_dir=chosen.data_dir,
            full_data=chosen.full_data,
            progress=chosen.progress if cluster is None or cluster.leads else None,
            training=True,
        )
        machine, plan, replicas, notes = begin(spec, data, chosen, cluster, chosen.plan)

        def make_run(plan: Plan) -> Run:
            run = create_run(spec.name, runs_dir)
            held.enter_context(run.locked())
            try:
                describe(run, spec, data, machine, plan, replicas)
            except BaseException:  # Ctrl-C too: half a description is of no use to anybody
                shutil.rmtree(run.path, ignore_errors=True)
                raise
            return run

        began = Start(notes=notes)
        return run_session(spec, data, machine, plan, replicas, chosen, interrupt, make_run, began)


def cluster_of(spec: Spec) -> Cluster | None:
    """The processes of a training, where the spec wants several.

    Raises:
        UsageError: The environment does not say which.
    """
    return from_environment() if spec.fit.distribute == "multi_worker" else None


def begin(
    spec: Spec, data: Prepared, settings: Settings, cluster: Cluster | None, plan: Plan | None
) -> tuple[Device, Plan, Replicas, tuple[str, ...]]:
    """Start the device, choose how steps are computed, and start who computes them.

    Args:
        spec: A checked spec with `compile`.
        data: Its data.
        settings: Which device.
        cluster: The processes of a training by several.
        plan: How steps are computed, where that is known already.

    Returns:
        The device, the plan as it is in force, the replicas, and notes for the user.

    Raises:
        UsageError: There is no such device, or the processes cannot begin.
    """
    distribute = spec.fit.distribute
    device = start_device(
        settings.device, spec.seed, deterministic=spec.deterministic, every=distribute != "none"
    )
    plan = plan or choose(
        spec,
        data.input_shape,
        len(data.dataset.train),
        on_gpu=device.on_gpu,
        replicas=len(cluster.workers) if cluster else len(device.places),
    )
    plan, unlike = compute_by(plan, device)
    if settings.observer is None:
        tell(unlike)
    replicas = start(distribute, device, cluster)
    notes = [*unlike]
    if replicas.count > 1:
        notes.append(f"{distribute}: {replicas}")
    elif distribute != "none":
        notes.append(f"{distribute}: there is one device, which computes all of it")
    return device, plan, replicas, tuple(notes)


def describe(
    run: Run, spec: Spec, data: Prepared, device: Device, plan: Plan, replicas: Replicas
) -> None:
    """Write what a run is made from: the resolved spec, its sources, the environment."""
    write_spec(run, spec, data)
    for index, source in enumerate(spec.sources):
        name = source.path.name if source.path else f"{index}.yaml"
        write_text(run.path / "sources" / (name if index == 0 else f"{index}-{name}"), source.text)
    write_environment(run, spec, data, device, plan, replicas)
    run.begin(spec.fit.epochs)


def write_environment(
    run: Run, spec: Spec, data: Prepared, device: Device, plan: Plan, replicas: Replicas
) -> None:
    """Write what the training depends on besides its spec: versions, machine, plug-ins, data."""
    sizes = {
        name: len(split.x)
        for name in ("train", "validation", "test")
        if (split := getattr(data.dataset, name)) is not None
    }
    skipped = [{"file": path, "reason": reason} for path, reason in data.dataset.skipped]
    write_json(
        run.path / "environment.json",
        {
            **environment(device, spec.seed, spec.deterministic),
            "plugins": [
                each.to_dict() for each in plugins.in_use(c.name for c in spec.components())
            ],
            "overrides": list(spec.overrides),
            "data": {
                "name": data.dataset.name,
                "origin": data.dataset.origin,
                "images": sizes,
                "fingerprint": data.dataset.fingerprint,
                "class_names": list(data.dataset.class_names),
                **({"layout": data.dataset.layout} if data.dataset.layout else {}),
                "pixels": Pixels.of(data.dataset.train.x, data.dataset.pixel_range).to_dict(),
                **({"skipped": skipped} if skipped else {}),
            },
            "normalization": data.normalization.to_dict(),
            "inferred": list(data.inferred),
            "plan": plan.to_dict(),
            **({"distribution": replicas.to_dict()} if replicas.count > 1 else {}),
        },
    )


def write_spec(run: Run, spec: Spec, data: Prepared) -> None:
    """Write the resolved spec: enough to rebuild the network without any other file."""
    tree = plain(spec.tree)
    resolved = {"name": spec.name, **{key: tree[key] for key in tree if key != "name"}}
    resolved.setdefault("seed", spec.seed)
    resolved["model"] = {**tree["model"], "input_shape": list(data.input_shape)}
    dataset = resolved["data"]["dataset"]
    if isinstance(dataset, dict):
        (arguments,) = dataset.values()
        if isinstance(arguments, dict) and isinstance(arguments.get("path"), str):
            # The resolved spec stands in another folder than the one that the path starts from.
            arguments["path"] = str(
                (spec.data_base / Path(arguments["path"]).expanduser()).resolve()
            )
        if isinstance(arguments, dict) and "split" in data.dataset.layout:
            # The rule that split a folder stays the same, whatever the default will be.
            arguments |= data.dataset.layout
    write_text(run.spec_path, dump(resolved))
