"""Training with cnnctl against the plain Keras script of the same network, in turn.

    CNNCTL_DATA_DIR=DIR python benchmarks/training.py [--pairs 5] [--epochs 2] [NETWORK …]

Every run is a process of its own; the ratio is taken pair by pair, of the images per second in the
last epoch. DIR holds mnist.npz and cifar10.npz in Keras's layout.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CNNCTL = shutil.which("cnnctl", path=str(Path(sys.executable).parent)) or "cnnctl"
FILES = {"mnist": "mnist.npz", "cifar10": "cifar10.npz", "mnist_book": "mnist.npz"}


def plain(network: str, data: Path, epochs: int) -> float:
    script = str(ROOT / "benchmarks/plain.py")
    command = [sys.executable, script, network, str(data / FILES[network]), str(epochs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1])["images_per_second"][-1])


def cnnctl(network: str, data: Path, epochs: int) -> float:
    with tempfile.TemporaryDirectory() as runs:
        spec = str(ROOT / f"configs/{network}.yaml")
        command = [CNNCTL, "train", spec, "--json", "--full-data", "--epochs", str(epochs)]
        command += ["--data-dir", str(data), "--runs-dir", runs]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout)["history"][-1]["images_per_second"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=list(FILES), metavar="NETWORK")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2)
    given = parser.parse_args()
    data = Path(os.environ.get("CNNCTL_DATA_DIR") or sys.exit("set CNNCTL_DATA_DIR"))
    print("| network | plain images/s | cnnctl images/s | ratio | least | most |")
    print("| --- | --- | --- | --- | --- | --- |")
    for network in given.networks:
        ours, theirs = [], []
        for _ in range(given.pairs):
            theirs.append(plain(network, data, given.epochs))
            ours.append(cnnctl(network, data, given.epochs))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        print(
            f"| {network} | {statistics.median(theirs):,.0f} | {statistics.median(ours):,.0f} "
            f"| {statistics.median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
