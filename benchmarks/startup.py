"""How long the commands take that need no TensorFlow, as whole processes, against importing it.

    python benchmarks/startup.py [--runs 7]

Prints a Markdown table of wall seconds: median, least and most.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CNNCTL = shutil.which("cnnctl", path=str(Path(sys.executable).parent)) or "cnnctl"
COMMANDS = {
    "cnnctl --help": [CNNCTL, "--help"],
    "cnnctl check configs/mnist.yaml": [CNNCTL, "check", "configs/mnist.yaml"],
    "cnnctl check configs/": [CNNCTL, "check", "configs/"],
    "cnnctl summary configs/mnist.yaml": [CNNCTL, "summary", "configs/mnist.yaml"],
    "cnnctl diff configs/mnist.yaml configs/mnist_book.yaml": [
        CNNCTL,
        "diff",
        "configs/mnist.yaml",
        "configs/mnist_book.yaml",
    ],
    "cnnctl schema": [CNNCTL, "schema"],
    "cnnctl layers": [CNNCTL, "layers"],
    "cnnctl layers Conv2D": [CNNCTL, "layers", "Conv2D"],
    "cnnctl data list": [CNNCTL, "data", "list"],
    "python -c 'import tensorflow'": [sys.executable, "-c", "import tensorflow"],
}


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)  # fmt: skip
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():
        seconds(command)  # the first run reads the files from disk
    for _ in range(runs):  # in turn, so that a slow moment of the machine hits all of them
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    print("| command | median s | least | most |\n| --- | --- | --- | --- |")
    for name, found in times.items():
        row = (statistics.median(found), min(found), max(found))
        print(f"| `{name}` | " + " | ".join(f"{each:.2f}" for each in row) + " |")


if __name__ == "__main__":
    main()
