"""The most that this machine's cores multiply: large matrix products by TensorFlow.

    python benchmarks/ceiling.py [--size 4096] [--runs 9] [--quick]

Prints a Markdown table of GFLOP/s in float32 and bfloat16: median, least and most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
DTYPES = ("float32", "bfloat16")


def gflops(dtype: str, size: int, runs: int) -> list[float]:
    """GFLOP/s of each of several products of two square matrices."""
    import tensorflow as tf

    generator = tf.random.Generator.from_seed(0)
    a, b = (tf.cast(generator.normal((size, size)), dtype) for _ in range(2))
    multiply = tf.function(tf.matmul)
    multiply(a, b).numpy()
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        multiply(a, b).numpy()
        found.append(2 * size**3 / (time.perf_counter() - began) / 1e9)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="print the medians as JSON")
    parser.add_argument("--quick", action="store_true", help="small and few, to try it")
    given = parser.parse_args()
    size, runs = (1024, 3) if given.quick else (given.size, given.runs)
    measured = {dtype: gflops(dtype, size, runs) for dtype in DTYPES}
    if given.json:
        print(json.dumps({dtype: statistics.median(found) for dtype, found in measured.items()}))
        return
    print(f"Products of {size} × {size} matrices, {os.cpu_count()} threads, GFLOP/s:\n")
    print("| type | median | least | most |\n| --- | ---: | ---: | ---: |")
    for dtype, found in measured.items():
        row = (statistics.median(found), min(found), max(found))
        print(f"| {dtype} | " + " | ".join(f"{each:,.0f}" for each in row) + " |")


if __name__ == "__main__":
    main()
