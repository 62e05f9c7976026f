"""CIFAR-10 as picture files, through `image_folder`, against the .npz file of the same pictures.

    CNNCTL_DATA_DIR=DIR python benchmarks/folder.py [--rounds 3] [--out FILE.jsonl] [--quick]

Writes 50,000 and 10,000 PNG files into a temporary folder, trains configs/cifar10.yaml for two
epochs from both, in turn, and prints Markdown: images per second of the second epoch, their ratio
round by round, and the seconds that `cnnctl data info` takes to load each, the first time and
again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import yaml
from networks import ROOT
from records import Records, Row, machine, median, ratios, say, spread, table
from variants import CNNCTL, cnnctl_train, run

KINDS = ("npz", "image_folder")
QUICK = 2_000


def write_pictures(data: Path, folder: Path, count: int | None) -> dict[str, Path]:
    """Write `cifar10.npz` and a folder of PNG files with the same pictures."""
    from PIL import Image

    with np.load(data / "cifar10.npz") as file:
        arrays = {name: file[name][:count] for name in file.files}
    np.savez(folder / "pictures.npz", **arrays)
    top = folder / "pictures"
    for split in ("train", "test"):
        x, y = arrays[f"x_{split}"], arrays[f"y_{split}"].reshape(-1)
        for label in np.unique(y):
            (top / split / str(label)).mkdir(parents=True)

        def write(index: int, x: np.ndarray = x, y: np.ndarray = y, split: str = split) -> None:
            Image.fromarray(x[index]).save(top / split / str(y[index]) / f"{index:05d}.png")

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(write, range(len(x))))
    return {"npz": folder / "pictures.npz", "image_folder": top}


def write_spec(kind: str, path: Path, folder: Path) -> Path:
    """The spec of `configs/cifar10.yaml` on these pictures.

    None are held out: a folder's pictures come in another order than the arrays.
    """
    spec = yaml.safe_load((ROOT / "configs/cifar10.yaml").read_text())
    spec["data"] = {"dataset": {kind: {"path": str(path)}}, "label_mode": "categorical"}
    spec["fit"]["epochs"] = 2
    spec["fit"].pop("callbacks")
    written = folder / f"{kind}.yaml"
    written.write_text(yaml.safe_dump(spec, sort_keys=False))
    return written


def load_seconds(path: Path) -> float:
    began = time.perf_counter()
    run([CNNCTL, "data", "info", str(path)])
    return time.perf_counter() - began


def train(spec: Path, folder: Path) -> float:
    """Images per second of the second epoch."""
    with tempfile.TemporaryDirectory(dir=folder) as runs:
        done = cnnctl_train(spec, runs, "cnnctl")
    return float(json.loads(done.output)["history"][-1]["images_per_second"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="keep the rows here, and go on from them")
    parser.add_argument("--quick", action="store_true", help="2,000 pictures, to try it")
    given = parser.parse_args()
    data = Path(os.environ.get("CNNCTL_DATA_DIR") or sys.exit("set CNNCTL_DATA_DIR")).resolve()
    count = QUICK if given.quick else None
    records = Records(given.out)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        say("writing the pictures")
        paths = write_pictures(data, folder, count)
        rates: dict[str, list[float | None]] = {kind: [] for kind in KINDS}
        loads: dict[str, Row] = {}
        for kind in KINDS:

            def measure(path: Path = paths[kind], kind: str = kind) -> Row:
                say(f"loading {kind}")
                return {"first": load_seconds(path), "again": load_seconds(path)}

            loads[kind] = records.measured(measure, kind="load", source=kind, count=count)
        for number in range(given.rounds):
            for kind in KINDS:

                def measure(kind: str = kind, number: int = number) -> Row:
                    say(f"round {number + 1} of {given.rounds}: {kind}")
                    return {"rate": train(write_spec(kind, paths[kind], folder), folder)}

                key = {"kind": "folder", "source": kind, "count": count, "round": number}
                rates[kind].append(records.measured(measure, **key)["rate"])
    print(machine(None), end="\n\n")
    rows = []
    for kind in KINDS:
        to_npz = ratios(rates[kind], rates["npz"])
        rows.append([
            kind,
            median(rates[kind], "{:,.0f}"),
            median(to_npz, "{:.2f}"),
            spread(to_npz, "{:.2f}"),
            f"{loads[kind]['first']:.1f}",
            f"{loads[kind]['again']:.1f}",
        ])  # fmt: skip
    columns = ["data set", "images/s, epoch 2", "ratio to npz", "least–most"]
    print(table([*columns, "first load, s", "load again, s"], rows))


if __name__ == "__main__":
    main()
