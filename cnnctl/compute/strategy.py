"""The replicas that train together: none beside this device, this machine's, or a cluster's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cnnctl.compute.cluster import Cluster
from cnnctl.compute.device import Device
from cnnctl.errors import CnnctlError, TrainingError, UsageError

_DIGITS = 8
"""Bytes of a digest that workers compare; each is sent as a number."""


@dataclass(frozen=True)
class Replicas:
    """Who computes a batch together.

    Args:
        strategy: TensorFlow's; None where one device computes all of it.
        cluster: The processes, where there are several.
    """

    strategy: Any = None
    cluster: Cluster | None = None

    @property
    def count(self) -> int:
        """How many shares a batch has."""
        return int(self.strategy.num_replicas_in_sync) if self.strategy else 1

    @property
    def here(self) -> int:
        """How many of them are this process's."""
        return self.count // (len(self.cluster.workers) if self.cluster else 1)

    @property
    def leads(self) -> bool:
        """Whether this process writes the run folder."""
        return self.cluster is None or self.cluster.leads

    def scope(self) -> AbstractContextManager[Any]:
        """Within it, weights are made that all replicas share."""
        scope: AbstractContextManager[Any] = (
            self.strategy.scope() if self.strategy else nullcontext()
        )
        return scope

    def __str__(self) -> str:
        if self.strategy is None:
            return "one device"
        if self.cluster is None:
            return f"{self.count} devices compute each batch together"
        workers = f"{len(self.cluster.workers)} processes ({self.cluster.source})"
        return f"{self.count} devices of {workers} compute each batch together"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `environment.json`."""
        workers = len(self.cluster.workers) if self.cluster else 1
        return {"replicas": self.count, "workers": workers}

    def summed(self, values: Sequence[float]) -> list[float]:
        """The sums of numbers over the processes; every process has to ask at the same point.

        Raises:
            TrainingError: Another process has ended.
        """
        if self.cluster is None:
            return list(values)
        with self.together():
            return [float(each) for each in self._sum(np.asarray(values, np.float32))]

    @cached_property
    def _sum(self) -> Callable[[np.ndarray], np.ndarray]:
        import tensorflow as tf

        local = self.here

        def replica(values: tf.Tensor) -> tf.Tensor:
            # What a process says is said by its first replica.
            index = tf.distribute.get_replica_context().replica_id_in_sync_group
            return values * tf.cast(tf.equal(index % local, 0), tf.float32)

        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def total(values: tf.Tensor) -> tf.Tensor:
            own = self.strategy.run(replica, args=(values,))
            return self.strategy.reduce(tf.distribute.ReduceOp.SUM, own, axis=None)

        return lambda values: total(tf.constant(values)).numpy()

    def failure(self, error: BaseException) -> TrainingError | None:
        """What is said of an error that comes from another process's end; None for another one."""
        import tensorflow as tf

        lost = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError)
        if self.cluster is None or not (
            isinstance(error, lost) or "Collective ops is aborted" in str(error)
        ):
            return None
        return TrainingError(
            "another process of this training has ended, and left a batch incomplete",
            hint="see what it said; `resume`, by as many processes, goes on after the last epoch "
            "that was saved",
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Turns another process's end, which breaks what is done inside the block, into the error
        that tells of it."""
        try:
            yield
        except CnnctlError:
            raise
        except Exception as error:
            if (lost := self.failure(error)) is not None:
                raise lost from error
            raise

    def wait(self) -> None:
        """Wait until every process has come here, or has ended."""
        # Whoever is through first may be gone before the others have heard of it.
        with suppress(TrainingError):
            self.summed([0.0])

    def compare(self, facts: Mapping[str, str]) -> None:
        """Look whether every process is about to train the same.

        Args:
            facts: What it goes by, by its name; every process has the same names.

        Raises:
            UsageError: One differs.
        """
        if self.cluster is None:
            return
        digests = [
            list(hashlib.sha256(each.encode()).digest()[:_DIGITS]) for each in facts.values()
        ]
        own = [float(byte) for digest in digests for byte in digest]
        workers = len(self.cluster.workers)
        sent = [0.0] * (workers * len(own))
        sent[self.cluster.index * len(own) : (self.cluster.index + 1) * len(own)] = own
        every = self.summed(sent)
        for number, name in enumerate(facts):
            of_each = [
                every[worker * len(own) + number * _DIGITS :][:_DIGITS] for worker in range(workers)
            ]
            for worker, digest in enumerate(of_each):
                if digest != of_each[0]:
                    self.wait()  # all have heard what all have: none is waited for in vain
                    raise UsageError(
                        f"worker {worker} ({self.cluster.workers[worker]}) has another {name} than "
                        f"worker 0 ({self.cluster.workers[0]})",
                        hint="every process needs the same files and the same command",
                    )


def start_replicas(distribute: str, device: Device, cluster: Cluster | None) -> Replicas:
    """Start what trains together; before TensorFlow runs anything.

    Args:
        distribute: `none`, `mirrored` or `multi_worker`, as `fit.distribute`.
        device: The device that was started.
        cluster: The processes of `multi_worker`. It waits until all are there.

    Raises:
        UsageError: TensorFlow has run something already, or an address is taken.
    """
    import tensorflow as tf

    if distribute == "mirrored" and len(device.places) > 1:
        return Replicas(tf.distribute.MirroredStrategy(list(device.places)))
    if distribute == "multi_worker" and cluster is not None and len(cluster.workers) > 1:
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": list(cluster.workers)}),
            task_type="worker", task_id=cluster.index, rpc_layer="grpc",
            num_accelerators={"GPU": len(device.places)} if device.on_gpu else None,
        )  # fmt: skip
        try:
            strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
        except (RuntimeError, tf.errors.OpError) as error:
            address = cluster.workers[cluster.index]
            raise UsageError(
                f"{cluster} cannot begin at {address}: {str(error).splitlines()[0]}",
                hint="another program may listen there, or a worker did not come",
            ) from None
        return Replicas(strategy, cluster)
    return Replicas()
