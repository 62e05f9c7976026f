"""Which processes train together, and which of them this one is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnctl.errors import UsageError
from cnnctl.specs import Spec

LAUNCHED = "CNNCTL_LAUNCHED"
"""Set for a process that was started by `cnnctl launch`: `1/2` is the second of two."""

PORT = 8888
"""The first port of the workers that Slurm starts: task 0 of a machine listens here, task 1 on the
next one."""

_ADDRESS = re.compile(r"\S+:\d{1,5}")
_LAUNCH = "`cnnctl launch -n 2 -- train SPEC` starts two processes on this machine"


@dataclass(frozen=True)
class Cluster:
    """The processes of a training.

    Args:
        workers: Their addresses, `host:port`. The first leads: it alone writes the run folder.
        index: Which of them this process is, from 0.
        source: Where that was read: `TF_CONFIG`, `Slurm`.
    """

    workers: tuple[str, ...]
    index: int
    source: str

    @property
    def leads(self) -> bool:
        """Whether this process writes the run folder and speaks to people."""
        return self.index == 0

    def __str__(self) -> str:
        return f"worker {self.index} of {len(self.workers)} ({self.source})"


def share() -> tuple[int, int] | None:
    """Which of how many processes of `cnnctl launch` on its machine this is; None if it is none."""
    index, _, count = os.environ.get(LAUNCHED, "").partition("/")
    return (int(index), int(count)) if index.isdecimal() and count.isdecimal() else None


def cluster_of(spec: Spec) -> Cluster | None:
    """The processes of a training, where the spec wants several.

    Raises:
        UsageError: The environment does not say which.
    """
    return from_environment() if spec.fit.distribute == "multi_worker" else None


def from_environment(environment: Mapping[str, str] = os.environ) -> Cluster:
    """The cluster that the environment describes: by `TF_CONFIG`, or by Slurm's variables.

    Raises:
        UsageError: It describes none, or one that cannot be.
    """
    if text := environment.get("TF_CONFIG"):
        return _of_tensorflow(text)
    if "SLURM_PROCID" in environment and "SLURM_STEP_NODELIST" in environment:
        return _of_slurm(environment)
    raise UsageError(
        "`fit.distribute: multi_worker` needs to be told the processes, by TF_CONFIG or by Slurm",
        hint=_LAUNCH,
    )


def to_tensorflow(workers: tuple[str, ...], index: int) -> str:
    """The text of `TF_CONFIG` for one of the workers."""
    return json.dumps({
        "cluster": {"worker": list(workers)}, "task": {"type": "worker", "index": index},
    })  # fmt: skip


def _of_tensorflow(text: str) -> Cluster:
    try:
        found = json.loads(text)
        jobs = {job: _addresses(job, each) for job, each in found["cluster"].items()}
        task, index = found["task"]["type"], int(found["task"]["index"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"TF_CONFIG cannot be read: {type(error).__name__}: {error}",
            hint='it is as {"cluster": {"worker": ["host:port", …]}, '
            '"task": {"type": "worker", "index": 0}}',
        ) from None
    if others := sorted(set(jobs) - {"chief", "worker"}):
        raise UsageError(f"TF_CONFIG names `{others[0]}`: only a chief and workers train together")
    workers = (*jobs.get("chief", ()), *jobs.get("worker", ()))
    if task not in jobs or not 0 <= index < len(jobs[task]):
        raise UsageError(f"TF_CONFIG says that this is {task} {index}, and names no such process")
    if len(set(workers)) < len(workers):
        raise UsageError("TF_CONFIG names an address twice")
    return Cluster(workers, index + (len(jobs.get("chief", ())) if task == "worker" else 0),
                   "TF_CONFIG")  # fmt: skip


def _addresses(job: str, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(
        isinstance(each, str) and _ADDRESS.fullmatch(each) for each in given
    ):
        raise ValueError(f"the addresses of `{job}` are no list of host:port")
    return tuple(given)


def _of_slurm(environment: Mapping[str, str]) -> Cluster:
    """Slurm's tasks in its order, each with a port of its own on its machine.

    TensorFlow's SlurmClusterResolver sorts the machines by name, which Slurm does not, and has no
    more tasks than GPUs.
    """
    try:
        hosts = _machines(environment["SLURM_STEP_NODELIST"])
        tasks = _tasks(environment["SLURM_STEP_TASKS_PER_NODE"])
        index = int(environment["SLURM_PROCID"])
        workers = tuple(
            f"{host}:{PORT + number}"
            for host, count in zip(hosts, tasks, strict=True)
            for number in range(count)
        )
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"Slurm's variables cannot be read: {type(error).__name__}: {error}"
        ) from None
    if not 0 <= index < len(workers):
        raise UsageError(f"Slurm says that this is task {index}, and starts {len(workers)}")
    return Cluster(workers, index, "Slurm")


def _machines(text: str) -> list[str]:
    """The names in a list of Slurm's: `n[1-3,05],gpu` is n1, n2, n3, n05, gpu."""
    names = []
    for stem, ranges, end in re.findall(r"([^,\[\]]+)(?:\[([^\]]*)\]([^,\[\]]*))?(?:,|$)", text):
        for each in ranges.split(",") if ranges else ():
            first, _, last = each.partition("-")
            numbers = range(int(first), int(last or first) + 1)
            names += [f"{stem}{number:0{len(first)}d}{end}" for number in numbers]
        if not ranges:
            names.append(stem)
    return names


def _tasks(text: str) -> list[int]:
    """How many tasks each machine has: `2(x3),1` is 2, 2, 2, 1."""
    counts = []
    for each in text.split(","):
        count, _, times = each.rstrip(")").partition("(x")
        counts += [int(count)] * int(times or 1)
    return counts
