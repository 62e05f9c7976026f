"""What a training depends on besides its spec."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict
from importlib import metadata
from typing import Any

from cnnctl import compat
from cnnctl.compute.device import Device
from cnnctl.compute.threads import threads


def environment(device: Device, seed: int, deterministic: bool) -> dict[str, Any]:
    """What a training depended on besides its spec: versions, machine, device, threads, seed."""
    packages = ("cnnctl", "tensorflow", "keras", "numpy", "h5py")
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: version_of(name) for name in packages},
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


def version_of(package: str) -> str | None:
    """The installed version of a package; None where there is none."""
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
