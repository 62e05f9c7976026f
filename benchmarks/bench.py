"""Training, evaluation and start-up of cnnctl against the plain Keras script and other frameworks.

    CNNCTL_DATA_DIR=DIR python benchmarks/bench.py [--peers PYTHON] [--out FILE.jsonl]
        [--networks mnist …] [--variants plain cnnctl …] [--rounds 5] [--epochs 2]
        [--start-rounds 7] [--quick]

DIR holds mnist.npz and cifar10.npz in Keras's layout; PYTHON has PyTorch, JAX and Optax. Every run
is a process of its own; in a round every program runs once, in the opposite order of the round
before, with a seed of its own, and ratios are taken within a round. Images per second are those of
the last epoch, without its validation. With `--out`, rows are kept in FILE and a next call goes on
after the last complete round. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from networks import NETWORKS, SMALL_BATCHES
from records import NONE, Records, Row, machine, median, ratios, say, spread, table
from variants import VARIANTS, Bench, Failed, one_batch, run, start, train

DEFAULT = ("plain", "cnnctl", "cnnctl-bf16", "torch", "torch-bf16", "jax")
FEW = ("plain", "cnnctl")
"""The programs for the network with small batches, where nothing else is chosen."""


def rounds(
    records: Records,
    variants: Sequence[str],
    count: int,
    measure: Callable[[str, int], Row],
    **key: object,
) -> list[dict[str, Row]]:
    """Measure every variant in every round; a round that is not complete is measured anew."""
    found = []
    for number in range(count):
        old = {each: records.find(**key, variant=each, round=number) for each in variants}
        if all(old.values()):
            found.append({each: row for each, row in old.items() if row})
            continue
        rows = {}
        for variant in variants if number % 2 == 0 else reversed(variants):
            say(f"{key['kind']} {key['network']}, round {number + 1} of {count}: {variant}")
            try:
                figures = measure(variant, number)
            except Failed as error:
                say(f"  it failed: {error}")
                figures = {"failed": str(error)}
            rows[variant] = records.add({**key, "variant": variant, "round": number, **figures})
        found.append(rows)
    return found


def column(
    found: list[dict[str, Row]], variant: str, figure: str, last: bool = False
) -> list[float | None]:
    """A figure of a variant, round by round; `last` takes the last of a list."""
    values = [each[variant].get(figure) for each in found]
    return [value[-1] if last and value else value for value in values]


def compared(
    found: list[dict[str, Row]], variants: Sequence[str], figure: str, form: str, last: bool = False
) -> Iterator[tuple[str, list[str]]]:
    """For every variant: the median, least and most of a figure, and those of its ratio."""
    plain = column(found, "plain", figure, last)
    for variant in variants:
        values = column(found, variant, figure, last)
        to_plain = ratios(values, plain)
        yield (
            variant,
            [
                median(values, form),
                spread(values, form),
                median(to_plain, "{:.2f}"),
                spread(to_plain, "{:.2f}"),
            ],
        )


def mean_and_deviation(values: Sequence[float | None]) -> str:
    """Of an accuracy over the rounds, each of which has a seed of its own."""
    there = [value for value in values if value is not None]
    if len(there) < 2:
        return f"{there[0]:.4f}" if there else NONE
    return f"{statistics.mean(there):.4f} ± {statistics.stdev(there):.4f}"


FOUR = ["median", "least–most", "ratio to plain", "least–most"]


def print_training(
    found: list[dict[str, Row]], variants: Sequence[str], flop: float, ceiling: Row
) -> None:
    rows = []
    for variant, cells in compared(found, variants, "images_per_second", "{:,.0f}", last=True):
        most = ceiling["bfloat16" if variant.endswith("-bf16") else "float32"]
        rates = column(found, variant, "images_per_second", last=True)
        shares = [rate * flop / 1e9 / most if rate else None for rate in rates]
        rows.append([
            variant,
            *cells,
            median(shares, "{:.0%}"),
            median(column(found, variant, "pause"), "{:.1%}"),
            mean_and_deviation(column(found, variant, "accuracy")),
        ])  # fmt: skip
    print("Training, images per second of the last epoch:\n")
    print(table(["program", *FOUR, "of the ceiling", "pause", "test accuracy"], rows), end="\n\n")
    for figure, title, form, scale in (
        ("evaluate", "Evaluation, images per second (warm)", "{:,.0f}", 1),
        ("predict", "Prediction, images per second (warm)", "{:,.0f}", 1),
        ("peak_bytes", "Most memory, MiB", "{:,.0f}", 2**20),
    ):
        scaled = [
            {name: {figure: row[figure] / scale} if row.get(figure) else {}
             for name, row in each.items()}
            for each in found
        ]  # fmt: skip
        cells = [[name, *row] for name, row in compared(scaled, variants, figure, form)]
        print(f"{title}:\n")
        print(table(["program", *FOUR], cells), end="\n\n")


def print_start(found: list[dict[str, Row]], variants: Sequence[str]) -> None:
    for figure, title in (
        ("first_step", "From the start to the end of the first step, seconds"),
        ("to_prompt", "From the end of the last step to the prompt, seconds"),
    ):
        rows = [[name, *row] for name, row in compared(found, variants, figure, "{:.2f}")]
        print(f"{title}:\n")
        print(table(["program", *FOUR], rows), end="\n\n")


def available(bench: Bench, wanted: Sequence[str]) -> list[str]:
    """The variants that can be run here; a line is printed for the others."""
    there = [each for each in wanted if bench.has(each)]
    missing = [each for each in wanted if each not in there]
    if missing:
        reason = "no --peers" if bench.peers is None else f"{bench.peers.name} lacks a package"
        print(f"Skipped ({reason}): {', '.join(missing)}.\n")
    return there


def ceiling_of(records: Records, quick: bool) -> Row:
    def measure() -> Row:
        say("ceiling")
        script = str(Path(__file__).parent / "ceiling.py")
        command = [sys.executable, script, "--json", *(["--quick"] if quick else [])]
        return dict(json.loads(run(command).output))

    return records.measured(measure, kind="ceiling", quick=quick)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, help="plain always runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--start-rounds", type=int, default=7)
    parser.add_argument("--peers", type=Path, help="a Python that has PyTorch, JAX and Optax")
    parser.add_argument("--out", type=Path, help="keep the rows here, and go on from them")
    parser.add_argument("--quick", action="store_true", help="one round of one epoch, to try it")
    given = parser.parse_args()
    if given.quick:
        given.rounds = given.epochs = given.start_rounds = 1
    data = Path(os.environ.get("CNNCTL_DATA_DIR") or sys.exit("set CNNCTL_DATA_DIR")).resolve()
    bench = Bench(data, given.peers and given.peers.absolute())
    records = Records(given.out)
    print(machine(given.peers), end="\n\n")
    chosen = dict.fromkeys(["plain", *(given.variants or DEFAULT)])
    there = available(bench, list(chosen))
    ceiling = ceiling_of(records, given.quick)
    print(
        f"Ceiling: {ceiling['float32']:,.0f} GFLOP/s float32, "
        f"{ceiling['bfloat16']:,.0f} GFLOP/s bfloat16.\n"
    )
    for name in given.networks:
        network = NETWORKS[name]
        few = name == SMALL_BATCHES and not given.variants
        variants = [each for each in there if each in FEW] if few else there

        def training(variant: str, number: int, name: str = name) -> Row:
            return train(variant, name, bench, epochs=given.epochs, seed=number)

        print(
            f"### {name}, batches of {network.batch_size}\n\n"
            f"Rounds: {given.rounds}, each of {given.epochs} epoch(s).\n",
            flush=True,
        )
        key = {"network": name, "epochs": given.epochs}
        found = rounds(records, variants, given.rounds, training, kind="train", **key)
        print_training(found, variants, network.flop, ceiling)
        with tempfile.TemporaryDirectory() as folder:
            one_batch(name, bench, Path(folder))

            def starting(variant: str, _: int, name: str = name, folder: str = folder) -> Row:
                return dict(start(variant, name, bench, Path(folder)))

            begun = rounds(
                records, variants, given.start_rounds, starting, kind="start", network=name
            )
        print(f"One epoch of one step, and an evaluation; rounds: {given.start_rounds}.\n")
        print_start(begun, variants)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
