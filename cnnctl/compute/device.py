"""TensorFlow and Keras, started the way cnnctl needs them: quiet, seeded, on the chosen device."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cnnctl.compute.cluster import share
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
        UsageError: `device` is none that `start_device` takes, whatever the spec says.
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
