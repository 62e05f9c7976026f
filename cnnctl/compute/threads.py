"""Threads and precision of TensorFlow, set before it runs anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cnnctl import compat
from cnnctl.compute.device import Device
from cnnctl.compute.plan import MIXED, Plan, cpus, refuse_precision


def compute_by(plan: Plan, device: Device) -> tuple[Plan, tuple[str, ...]]:
    """Set threads and precision; call it before TensorFlow runs anything.

    Args:
        plan: Which.
        device: Where.

    Returns:
        The plan as it is in force: in a process in which TensorFlow has started, its threads cannot
        be changed any more. And, for people, why the last bits may not be those of the command.

    Raises:
        UsageError: The processor has no such precision.
    """
    import keras
    import tensorflow as tf

    on_gpu = device.on_gpu
    refuse_precision(plan.precision, on_gpu=on_gpu)
    mixed = plan.precision == MIXED
    # On a CPU oneDNN's rewrite of the graph chooses what is worth casting, and is faster than
    # casting at every layer, as Keras's policy does.
    tf.config.optimizer.set_experimental_options(
        {"auto_mixed_precision_onednn_bfloat16": mixed and not on_gpu}
    )
    keras.config.set_dtype_policy(MIXED if mixed and on_gpu else "float32")
    in_force = _with_threads(plan)
    notes = list(_switched())
    if in_force != plan:
        notes.append(
            f"TensorFlow runs already in this process, with {_threads(in_force)} instead of "
            f"{_threads(plan)}"
        )
    return in_force, tuple(f"{each}: {OTHER_BITS}" for each in notes)


OTHER_BITS = "the last bits may differ from those that the command gives"


def _with_threads(plan: Plan) -> Plan:
    """A plan with the threads that TensorFlow has: those of the plan, unless it runs already."""
    import tensorflow as tf

    threading = tf.config.threading
    found = []
    for set_, get, wanted, variable in (
        (threading.set_intra_op_parallelism_threads, threading.get_intra_op_parallelism_threads,
         plan.intra_op, "TF_NUM_INTRAOP_THREADS"),
        (threading.set_inter_op_parallelism_threads, threading.get_inter_op_parallelism_threads,
         plan.inter_op, "TF_NUM_INTEROP_THREADS"),
    ):  # fmt: skip
        try:
            set_(wanted)
        except RuntimeError:
            found.append(get() or _of_its_own(variable))
        else:
            found.append(wanted)
    return replace(plan, intra_op=found[0], inter_op=found[1])


def _of_its_own(variable: str) -> int:
    """How many threads TensorFlow takes that nobody has told: as many as an environment variable
    says, or as there are processors that this process may run on."""
    told = os.environ.get(variable, "")
    if told.isdecimal() and int(told):
        return int(told)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _threads(plan: Plan) -> str:
    if not plan.intra_op:
        return "threads of its own choice"
    threads = "1 thread" if plan.intra_op == 1 else f"{plan.intra_op} threads"
    operations = "1 operation" if plan.inter_op == 1 else f"{plan.inter_op} operations"
    return f"{threads} per operation and {operations} at a time"


def _switched() -> Iterator[str]:
    """What somebody has switched in this process that changes the last bits."""
    import tensorflow as tf

    if not compat.runs_onednn() and os.environ.get("TF_ENABLE_ONEDNN_OPTS") is None:
        yield "TensorFlow was imported before cnnctl, and computes without oneDNN"
    if tf.config.functions_run_eagerly():
        yield "tf.config.run_functions_eagerly is on"
    if tf.config.optimizer.get_jit():
        yield "tf.config.optimizer.set_jit is on"


def threads() -> dict[str, Any]:
    """How many threads TensorFlow computes with; 0 leaves it to TensorFlow, which takes as many as
    there are CPUs, or what its environment variables say."""
    import tensorflow as tf

    return {
        "cpus": cpus(),
        "intra_op": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_op": tf.config.threading.get_inter_op_parallelism_threads(),
        **{name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ},
    }


_THREAD_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
