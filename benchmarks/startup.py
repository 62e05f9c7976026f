"""How long the commands take that need no TensorFlow, and Tab in bash, as whole processes.

    python benchmarks/startup.py [--runs 7]

Prints a Markdown table of wall seconds: median, least and most.
"""

from __future__ import annotations

import argparse
import os
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
LINES = [
    "cnnctl tr",
    "cnnctl train mn",
    "cnnctl check configs/mn",
    "cnnctl evaluate runs/",
    "cnnctl layers Conv2",
    "cnnctl data fetch ci",
]
"""What is typed before Tab: a command, a spec by name and by path, a run, a layer, a data set."""


def completing(line: str) -> dict[str, str]:
    """What bash sets for a program that completes a line."""
    return {"_CNNCTL_COMPLETE": "complete_bash", "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" "))}  # fmt: skip


def seconds(command: list[str], **variables: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=not variables, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env={**os.environ, **variables})  # fmt: skip
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    # Python that may not keep its bytecode would compile it again and again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    times: dict[str, list[float]] = {name: [] for name in [*COMMANDS, *LINES]}
    for command in COMMANDS.values():
        seconds(command)  # the first run reads the files from disk
    for _ in range(runs):  # in turn, so that a slow moment of the machine hits all of them
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
        for line in LINES:
            times[line].append(seconds([CNNCTL], **completing(line)))
    print("| command | median s | least | most |\n| --- | --- | --- | --- |")
    for name, found in times.items():
        row = (statistics.median(found), min(found), max(found))
        tab = " Tab" if name in LINES else ""
        print(f"| `{name}`{tab} | " + " | ".join(f"{each:.2f}" for each in row) + " |")


if __name__ == "__main__":
    main()
