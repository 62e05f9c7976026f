"""What the scripts share: measured rows in a file, the machine, and Markdown."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

Row = dict[str, Any]
NONE = "–"


class Records:
    """Measured rows, in a file of JSON lines where there is one: the next call goes on from it.

    Args:
        path: The file; None keeps them in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[Row] = []
        if path is not None and path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            self.rows = [json.loads(line) for line in lines if line.endswith("}")]

    def find(self, **key: Any) -> Row | None:
        """The newest row with these values; what failed is tried again."""
        for row in reversed(self.rows):
            same = all(row.get(name) == value for name, value in key.items())
            if same and "failed" not in row:
                return row
        return None

    def measured(self, measure: Callable[[], Row], **key: Any) -> Row:
        """The row with these values, measured now if there is none."""
        return self.find(**key) or self.add({**key, **measure()})

    def add(self, row: Row) -> Row:
        """Keep a row."""
        self.rows.append(row)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        return row


def say(text: str) -> None:
    """A line of progress, on standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def machine(peers: Path | None) -> str:
    """Processor, cores, memory, versions and the day, as a Markdown list."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = ("tensorflow", "keras", "numpy", "cnnctl")
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in names]
    lines = [
        f"processor: {_processor()}, {cores} cores, {memory:.0f} GiB of memory",
        f"system: {platform.system()} {platform.release()}",
        f"versions: {', '.join(versions)}",
    ]
    if peers is not None:
        lines.append(f"peers: {_peer_versions(peers)}")
    lines.append(f"date: {time.strftime('%Y-%m-%d')}")
    return "\n".join(f"- {line}" for line in lines)


def _processor() -> str:
    """The processor's name and what it knows of bfloat16."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    known = {key.strip(): value.strip() for key, value in facts.items()}
    name = known.get("model name", platform.machine())
    family = f" (family {known['cpu family']})" if "cpu family" in known else ""
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    flags = [flag for flag in wanted if flag in known.get("flags", "").split()]
    return f"{name}{family}{', ' if flags else ''}{' '.join(flags)}"


def _peer_versions(peers: Path) -> str:
    code = (
        "import platform\nfrom importlib import metadata\n"
        "found = ['Python ' + platform.python_version()]\n"
        "for name in ('torch', 'jax', 'optax', 'keras'):\n"
        "    try: found.append(name + ' ' + metadata.version(name))\n"
        "    except metadata.PackageNotFoundError: pass\n"
        "print(', '.join(found))"
    )
    done = subprocess.run([str(peers), "-c", code], capture_output=True, text=True)
    return done.stdout.strip() or "none that runs"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def median(values: Sequence[float | None], form: str) -> str:
    """The median of those that are known."""
    known = [each for each in values if each is not None]
    return form.format(statistics.median(known)) if known else NONE


def spread(values: Sequence[float | None], form: str) -> str:
    """The least and the most of those that are known."""
    known = [each for each in values if each is not None]
    return f"{form.format(min(known))}–{form.format(max(known))}" if known else NONE


def ratios(ours: Sequence[float | None], theirs: Sequence[float | None]) -> list[float | None]:
    """Round by round."""
    pairs = zip(ours, theirs, strict=True)
    return [a / b if a is not None and b else None for a, b in pairs]
