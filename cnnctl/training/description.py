"""What a run is made from, in its folder: the resolved spec, its sources, the environment."""

from __future__ import annotations

from pathlib import Path

from cnnctl import plugins
from cnnctl.compute.computation import Computation
from cnnctl.compute.environment import environment
from cnnctl.compute.plan import Plan
from cnnctl.data.pixels import Pixels
from cnnctl.data.preparation import Prepared
from cnnctl.io.atomic import write_json, write_text
from cnnctl.runs.run import Run
from cnnctl.specs.dump import dump
from cnnctl.specs.nodes import plain


def describe(run: Run, data: Prepared, computation: Computation, plan: Plan) -> None:
    """Write what a run is made from: the resolved spec, its sources, the environment.

    Args:
        run: The run folder.
        data: The data, and the spec.
        computation: The device and the replicas.
        plan: How steps are computed, as the network allows it.
    """
    spec = data.spec
    write_spec(run, data)
    for index, source in enumerate(spec.sources):
        name = source.path.name if source.path else f"{index}.yaml"
        write_text(run.path / "sources" / (name if index == 0 else f"{index}-{name}"), source.text)
    write_environment(run, data, computation, plan)
    run.begin(spec.fit.epochs)


def write_environment(run: Run, data: Prepared, computation: Computation, plan: Plan) -> None:
    """Write what the training depends on besides its spec: versions, machine, plug-ins, data."""
    spec, replicas = data.spec, computation.replicas
    sizes = {
        name: len(split.x)
        for name in ("train", "validation", "test")
        if (split := getattr(data.dataset, name)) is not None
    }
    skipped = [{"file": path, "reason": reason} for path, reason in data.dataset.skipped]
    write_json(
        run.path / "environment.json",
        {
            **environment(computation.device, spec.seed, spec.deterministic),
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


def write_spec(run: Run, data: Prepared) -> None:
    """Write the resolved spec: enough to rebuild the network without any other file."""
    spec = data.spec
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
