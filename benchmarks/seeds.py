"""The accuracy that training reaches over several seeds: plain Keras script and cnnctl.

    CNNCTL_DATA_DIR=DIR python benchmarks/seeds.py [--seeds 5] [--epochs 3] [--out FILE.jsonl]
        [--networks mnist …] [--variants plain cnnctl cnnctl-bf16] [--peers PYTHON] [--quick]

Prints a Markdown table of the accuracy on the test set: mean and standard deviation, and the mean
difference from the plain script with its standard error. Each tests its best epoch by the
validation loss; without pictures held out, plain tests the last epoch, cnnctl the one of the best
training loss.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from networks import NETWORKS, SMALL_BATCHES
from records import NONE, Records, Row, machine, say, table
from variants import OURS, VARIANTS, Bench, Failed, train


def spoken(values: list[float]) -> str:
    """Mean ± standard deviation."""
    if not values:
        return NONE
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{deviation}"


def difference(values: list[float], plain: list[float]) -> str:
    """The mean of the one less that of the other ± its standard error."""
    if not values or not plain:
        return NONE
    mean = statistics.mean(values) - statistics.mean(plain)
    if min(len(values), len(plain)) < 2:
        return f"{mean:+.4f}"
    error = sum(statistics.variance(each) / len(each) for each in (values, plain)) ** 0.5
    return f"{mean:+.4f} ± {error:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    networks = [name for name in NETWORKS if name != SMALL_BATCHES]
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=networks)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(OURS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--peers", type=Path, help="a Python that has PyTorch, JAX and Optax")
    parser.add_argument("--out", type=Path, help="keep the rows here, and go on from them")
    parser.add_argument("--quick", action="store_true", help="two seeds, one epoch, to try it")
    given = parser.parse_args()
    if given.quick:
        given.seeds, given.epochs = 2, 1
    data = Path(os.environ.get("CNNCTL_DATA_DIR") or sys.exit("set CNNCTL_DATA_DIR")).resolve()
    bench = Bench(data, given.peers and given.peers.absolute())
    records = Records(given.out)
    print(machine(given.peers), end="\n\n")
    print(f"{given.seeds} seeds, {given.epochs} epochs, mean ± standard deviation.\n")
    variants = [each for each in dict.fromkeys(["plain", *given.variants]) if bench.has(each)]
    rows = []
    for name in given.networks:
        found: dict[str, list[float]] = {variant: [] for variant in variants}
        for seed in range(given.seeds):
            for variant in variants:

                def measure(name: str = name, variant: str = variant, seed: int = seed) -> Row:
                    say(f"{name}, seed {seed}: {variant}")
                    try:
                        return train(
                            variant, name, bench, epochs=given.epochs, seed=seed, evaluate=False
                        )
                    except Failed as error:
                        say(f"  it failed: {error}")
                        return {"failed": str(error)}

                key = {"network": name, "variant": variant, "seed": seed, "epochs": given.epochs}
                row = records.measured(measure, kind="seed", **key)
                if "accuracy" in row:
                    found[variant].append(row["accuracy"])
        for variant in variants:
            less = difference(found[variant], found["plain"]) if variant != "plain" else NONE
            rows.append([f"{name}: {variant}", spoken(found[variant]), less])
    print(table(["network: program", "test accuracy", "less plain ± standard error"], rows))


if __name__ == "__main__":
    main()
