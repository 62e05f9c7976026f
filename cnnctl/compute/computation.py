"""How a training is computed: its device, its plan, and who computes with it."""

from __future__ import annotations

from dataclasses import dataclass

from cnnctl.arithmetic.checked import Checked
from cnnctl.compute.cluster import Cluster
from cnnctl.compute.device import Device, start_device
from cnnctl.compute.plan import Plan, choose
from cnnctl.compute.strategy import Replicas, start_replicas
from cnnctl.compute.threads import compute_by


@dataclass(frozen=True)
class Computation:
    """Where, by what plan and by whom the steps of a training are computed.

    Args:
        device: The device that was started.
        plan: How steps are computed, as it is in force.
        replicas: Who computes them.
        unlike: What of the plan is not as it was asked for, since TensorFlow had started before.
        notes: What users should know of it, `unlike` among it.
    """

    device: Device
    plan: Plan
    replicas: Replicas
    unlike: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def start_computation(
    checked: Checked,
    images: int,
    *,
    device: str = "auto",
    cluster: Cluster | None = None,
    plan: Plan | None = None,
) -> Computation:
    """Start TensorFlow on a device, choose how steps are computed, and start who computes them.

    Args:
        checked: A spec with `compile`, and the shapes of its network.
        images: Training images in an epoch.
        device: As in `cnnctl.compute.device.start_device`.
        cluster: The processes of a training by several.
        plan: How steps are computed, where that is known: by default it is chosen.

    Raises:
        UsageError: There is no such device, or the processes cannot begin.
    """
    spec = checked.spec
    distribute = spec.fit.distribute
    started = start_device(
        device, spec.seed, deterministic=spec.deterministic, every=distribute != "none"
    )
    plan = plan or choose(
        checked,
        images,
        on_gpu=started.on_gpu,
        replicas=len(cluster.workers) if cluster else len(started.places),
    )
    plan, unlike = compute_by(plan, started)
    replicas = start_replicas(distribute, started, cluster)
    notes = [*unlike]
    if replicas.count > 1:
        notes.append(f"{distribute}: {replicas}")
    elif distribute != "none":
        notes.append(f"{distribute}: there is one device, which computes all of it")
    return Computation(started, plan, replicas, tuple(unlike), tuple(notes))
