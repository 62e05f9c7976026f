"""The programs that are timed, each as a process of its own, and what is known of each run.

The plain Keras script is `plain`; `cnnctl` is this project; `torch` and `jax` are other frameworks,
and `keras-jax` and `keras-torch` are the plain script on Keras's other backends. `-bf16` computes
in bfloat16.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from networks import NETWORKS, ROOT, held_out
from process import STARTED

CNNCTL = shutil.which("cnnctl", path=str(Path(sys.executable).parent)) or "cnnctl"
HERE = ROOT / "benchmarks"
PLUGIN = HERE / "moments.py"
OURS = ("plain", "cnnctl", "cnnctl-bf16")
PEERS = ("torch", "torch-bf16", "jax", "jax-bf16", "keras-jax", "keras-torch")
VARIANTS = (*OURS, *PEERS)

KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "2000000000"}
"""Lets glibc keep freed memory: PyTorch is much faster so, as with the allocators that its guide
for CPUs recommends; JAX is not. The plain script stays as a textbook has it."""


@dataclass(frozen=True)
class Bench:
    """Where things are.

    Args:
        data: The folder with mnist.npz and cifar10.npz.
        peers: The Python that has PyTorch and JAX, if there is one.
    """

    data: Path
    peers: Path | None = None

    def has(self, variant: str) -> bool:
        """Whether a variant can be run."""
        if variant in OURS:
            return True
        if self.peers is None:
            return False
        modules = {"torch": "torch", "jax": "jax, optax", "keras": "keras"}
        needed = [modules[variant.split("-")[0]]]
        needed += [variant.split("-")[1]] if variant.startswith("keras") else []
        command = [str(self.peers), "-c", f"import {', '.join(needed)}"]
        return subprocess.run(command, capture_output=True).returncode == 0


@dataclass(frozen=True)
class Finished:
    """A process that ended well.

    Args:
        output: What it printed.
        began: When it was started, in seconds since 1970.
        ended: When it had ended.
        peak_bytes: The most memory it had.
    """

    output: str
    began: float
    ended: float
    peak_bytes: int


class Failed(Exception):
    """A process that did not, with its last words."""


def run(command: list[str], **environment: str) -> Finished:
    """Run a process to its end.

    Raises:
        Failed: It ended with an error.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = time.time()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, STARTED: repr(began), **environment},
            stdout=output,
            stderr=errors,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        ended = time.time()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            lines = errors.read().strip().splitlines() or [f"exit {process.returncode}"]
            raise Failed(next((line for line in lines if line.startswith("error")), lines[-1]))
        unit = 1 if sys.platform == "darwin" else 1024
        return Finished(output.read(), began, ended, usage.ru_maxrss * unit)


def script(variant: str, bench: Bench) -> tuple[list[str], dict[str, str]]:
    """The command, without the network, and the environment of a variant that is no cnnctl."""
    if variant == "plain":
        return [sys.executable, str(HERE / "plain.py")], {"KERAS_BACKEND": "tensorflow"}
    framework, _, rest = variant.partition("-")
    if framework == "keras":
        return [str(bench.peers), str(HERE / "plain.py")], {"KERAS_BACKEND": rest}
    environment = KEEP_MEMORY if framework == "torch" else {}
    return [str(bench.peers), str(HERE / f"peer_{framework}.py")], environment


def train(
    variant: str, name: str, bench: Bench, *, epochs: int, seed: int = 0, evaluate: bool = True
) -> dict[str, Any]:
    """Train once on the full data.

    Args:
        variant: One of `VARIANTS`.
        name: One of `NETWORKS`.
        bench: Where things are.
        epochs: How many.
        seed: Of weights and order.
        evaluate: Whether evaluation and prediction are timed too.

    Returns:
        `images_per_second` of each epoch, `loss`, `accuracy`, `peak_bytes`, `start_to_first`
        (seconds to the end of the first epoch's training), and, where they are known, `evaluate`
        and `predict` in images per second and `pause`, the pause between epochs as a share.

    Raises:
        Failed: It cannot be run.
    """
    if variant.startswith("cnnctl"):
        return _cnnctl(variant, name, bench, epochs, seed, evaluate)
    command, environment = script(variant, bench)
    command += [name, str(bench.data / NETWORKS[name].file), str(epochs), str(seed)]
    command += ["--precision", "bf16"] if variant.endswith("-bf16") else []
    command += [] if evaluate else ["--short"]
    return dict(json.loads(run(command, **environment).output.splitlines()[-1]))


def cnnctl_train(spec: Path, runs: str, variant: str, *options: str) -> Finished:
    """`cnnctl train` of a spec with `--json`."""
    command = [CNNCTL, "train", str(spec), "--json", "--runs-dir", runs, *options]
    command += ["--precision", "mixed_bfloat16"] if variant.endswith("-bf16") else []
    return run(command)


def _cnnctl(
    variant: str, name: str, bench: Bench, epochs: int, seed: int, evaluate: bool
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        moments = Path(folder) / "moments"
        spec = _spec_with_moments(name, moments, Path(folder))
        done = cnnctl_train(
            spec, folder, variant, "--plugin", str(PLUGIN),
            "--full-data", "--data-dir", str(bench.data), "--epochs", str(epochs),
            "--set", f"fit.batch_size={NETWORKS[name].batch_size}", "--set", f"seed={seed}",
        )  # fmt: skip
        result = json.loads(done.output)
        noted = _noted(moments)
        more = {}
        if evaluate:
            script = [sys.executable, str(HERE / "evaluating.py"), result["run"], str(bench.data)]
            more = json.loads(run(script).output.splitlines()[-1])
    rows = result["history"]
    begun, ended = noted["began"], noted["ended"]
    pauses = [
        (begun[n + 1] - ended[n]) / (ended[n + 1] - begun[n + 1]) for n in range(len(begun) - 1)
    ]
    return {
        "images_per_second": [row["images_per_second"] for row in rows],
        "loss": result["evaluation"]["figures"]["loss"],
        "accuracy": result["evaluation"]["figures"]["accuracy"],
        "peak_bytes": done.peak_bytes,
        "pause": max(pauses, default=None),
        **more,
    }


def _noted(moments: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for line in moments.read_text().splitlines():
        what, when = line.split()
        found.setdefault(what, []).append(float(when))
    return found


def _spec_with_moments(name: str, moments: Path, folder: Path) -> Path:
    """The spec of `configs/` with the callback that notes the time."""
    spec = yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text())
    spec["fit"].setdefault("callbacks", []).append({"Moments": {"path": str(moments)}})
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def one_batch(name: str, bench: Bench, folder: Path) -> Path:
    """Write a file with one batch of training pictures, some to hold out, and one for the test."""
    batch = NETWORKS[name].batch_size
    count = next(n for n in range(batch, 2 * batch) if held_out(name, n)[0] == _batch(name, n))
    with np.load(bench.data / NETWORKS[name].file) as data:
        file = folder / f"{name}.npz"
        np.savez(
            file,
            x_train=data["x_train"][:count],
            y_train=data["y_train"][:count],
            x_test=data["x_test"][:batch],
            y_test=data["y_test"][:batch],
        )
    return file


def _batch(name: str, count: int) -> slice:
    kept, _ = held_out(name, count)
    return slice(kept.start, kept.start + NETWORKS[name].batch_size)


def start(variant: str, name: str, bench: Bench, folder: Path) -> dict[str, float]:
    """Train one epoch of one step, evaluate and exit.

    Args:
        variant: One of `VARIANTS`.
        name: One of `NETWORKS`.
        bench: Where things are.
        folder: A folder with the file that `one_batch` wrote, for temporary files.

    Returns:
        Seconds from the start to the end of the first step, `first_step`, and from there to the
        end of the process, `to_prompt`.

    Raises:
        Failed: It cannot be run.
    """
    file = folder / f"{name}.npz"
    if not variant.startswith("cnnctl"):
        command, environment = script(variant, bench)
        command += [name, str(file), "1", "--short"]
        command += ["--precision", "bf16"] if variant.endswith("-bf16") else []
        done = run(command, **environment)
        step_ended = json.loads(done.output.splitlines()[-1])["last_step_ended"]
    else:
        moments = folder / "moments"
        moments.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory() as runs:
            spec = _one_batch_spec(name, file, moments, folder)
            done = cnnctl_train(spec, runs, variant, "--epochs", "1", "--plugin", str(PLUGIN))
        step_ended = _noted(moments)["trained"][0]
    return {"first_step": step_ended - done.began, "to_prompt": done.ended - step_ended}


def _one_batch_spec(name: str, file: Path, moments: Path, folder: Path) -> Path:
    """The spec of `configs/` on another file, with the callback that notes the time."""
    spec = yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text())
    spec["data"]["dataset"] = {"npz": {"path": str(file)}}
    with np.load(file) as data:
        _, validation = held_out(name, len(data["y_train"]))
    spec["data"]["validation"] = validation.stop - validation.start
    spec["fit"]["batch_size"] = NETWORKS[name].batch_size
    spec["fit"].setdefault("callbacks", []).append({"Moments": {"path": str(moments)}})
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path
