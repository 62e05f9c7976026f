"""TensorFlow and Keras, started the way cnnctl needs them: quiet, seeded, on the chosen device."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from typing import Any

from cnnctl import compat
from cnnctl.compute.cluster import share
from cnnctl.compute.plan import MIXED, Plan, cpus, refuse_precision
from cnnctl.errors import UsageError
from cnnctl.startup import quiet


@dataclass(frozen=True)
class Device:
    """Where the network runs.

    Args:
        name: `cpu`, `gpu:0`, or several with commas: `gpu:0,gpu:1`.
        description: For people: the model of the GPU, or the number of CPU threads.
    """

    name: str
    description: str

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU computes."""
        return self.name.startswith("gpu")

    @property
    def places(self) -> tuple[str, ...]:
        """TensorFlow's names of the devices: `CPU:0`, `GPU:0`, …, counted among those in use."""
        kind = "GPU" if self.on_gpu else "CPU"
        return tuple(f"{kind}:{index}" for index in range(self.name.count(",") + 1))

    def __str__(self) -> str:
        return f"{self.name} ({self.description})"


def start_device(
    device: str = "auto", seed: int = 0, *, deterministic: bool = True, every: bool = False
) -> Device:
    """Import TensorFlow, choose the device and seed every generator.

    Args:
        device: `auto` (a GPU if there is one), `cpu`, `gpu` or `gpu:1`; of several that train
            together, `gpu:0,gpu:1`, or `cpu:0,cpu:1` for parts of the processor.
        seed: Fixes initial weights and everything else that is drawn.
        deterministic: Let TensorFlow use only operations that give the same bits every time.
        every: Whether several devices train together: then `auto` and `gpu` mean every GPU.

    Raises:
        UsageError: There is no such device.
    """
    kind, numbers = _wanted(device, every)
    quiet()
    import keras
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    missing = [number for number in numbers if number >= len(gpus)]
    if kind == "gpu" and (missing or not gpus):
        there = f"TensorFlow sees {len(gpus)} GPUs" if gpus else "TensorFlow sees no GPU here"
        raise UsageError(f"no device `{device}`: {there}", hint="--device cpu works everywhere")
    chosen = Device("cpu", f"{os.cpu_count()} threads")
    try:
        if kind == "cpu" or not gpus:
            tf.config.set_visible_devices([], "GPU")
            if len(numbers) > 1:
                (processor,) = tf.config.list_physical_devices("CPU")
                parts = [tf.config.LogicalDeviceConfiguration() for _ in numbers]
                tf.config.set_logical_device_configuration(processor, parts)
                names = ",".join(f"cpu:{number}" for number in range(len(numbers)))
                chosen = Device(names, f"{len(numbers)} parts of {os.cpu_count()} threads")
        else:
            numbers = numbers or (_every(len(gpus)) if every else [0])
            used = [gpus[number] for number in numbers]
            tf.config.set_visible_devices(used, "GPU")
            for each in used:
                tf.config.experimental.set_memory_growth(each, True)
            details = tf.config.experimental.get_device_details(used[0])
            model = str(details.get("device_name", "GPU"))
            names = ",".join(f"gpu:{number}" for number in numbers)
            chosen = Device(names, model if len(used) == 1 else f"{len(used)} × {model}")
    except RuntimeError:  # the devices are fixed once TensorFlow has run something
        if kind != "auto":
            message = "the device cannot be changed once TensorFlow has run something"
            raise UsageError(message) from None
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return chosen


def _every(gpus: int) -> list[int]:
    """The numbers of all GPUs, or this process's own where several were launched on the machine.

    Raises:
        UsageError: There are more processes than GPUs.
    """
    index, count = share() or (0, 1)
    if count > gpus:
        raise UsageError(
            f"{count} processes were launched, and TensorFlow sees {gpus} GPUs",
            hint="launch one for each GPU, or add --device cpu",
        )
    return list(range(index, gpus, count))


def refuse_device(device: str) -> None:
    """Reject what can be no device, before anything is read or imported for it.

    Raises:
        UsageError: `device` is none that `start` takes, whatever the spec says.
    """
    _wanted(device, every=True)


def _wanted(device: str, every: bool) -> tuple[str, list[int]]:
    """What `--device` says: `auto`, `cpu` or `gpu`, and the numbers of those that it names.

    Raises:
        UsageError: It says nothing of the kind.
    """
    if not isinstance(device, str):
        raise TypeError(f"`device` takes a text, such as cpu or gpu:0, not {device!r}")
    words = [word.partition(":") for word in device.lower().split(",")]
    kinds = {kind for kind, _, _ in words}
    kind = kinds.pop()
    numbers = [int(index) for _, _, index in words if index.isdecimal()]
    takes = "--device takes auto, cpu, gpu, gpu:0, gpu:1, …"
    whole = len(words) == 1 and not words[0][1]
    if kinds or kind not in {"auto", "cpu", "gpu"} or not (whole or len(numbers) == len(words)):
        raise UsageError(f"unknown device `{device}`", hint=takes)
    if not whole and (kind == "auto" or (kind == "cpu" and len(words) == 1 and not every)):
        raise UsageError(f"unknown device `{device}`", hint=takes)
    if len(words) > 1 and not every:
        raise UsageError(
            f"several devices, `{device}`, train together only by `fit.distribute: mirrored`",
            hint="--set fit.distribute=mirrored, or name one device",
        )
    if len(set(numbers)) < len(numbers):
        raise UsageError(f"a device is named twice in `{device}`")
    if kind == "cpu" and numbers and max(numbers) >= len(numbers):
        parts = ",".join(f"cpu:{number}" for number in range(len(numbers)))
        raise UsageError(
            f"`{device}` names {len(numbers)} parts of the processor, which are `{parts}`"
        )
    return kind, numbers


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


def environment(device: Device, seed: int, deterministic: bool) -> dict[str, Any]:
    """What a training depended on besides its spec: versions, machine, device, threads, seed."""
    packages = ("cnnctl", "tensorflow", "keras", "numpy", "h5py")
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in packages},
        },
        "platform": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "device": asdict(device),
        "threads": threads(),
        "onednn": str(int(compat.runs_onednn())),
        "seed": seed,
        "deterministic": deterministic,
        "command": sys.argv,
    }


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


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name, where the operating system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
