"""Files that are made to cost much are refused or read within a second and 100 MB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reliability.costly import KINDS
from reliability.watch import SECONDS

MEGABYTES = 100
EVERY = os.environ.get("CNNCTL_EVERY") == "1"
_LONGEST = 4_000
"""Letters of a line of what is said: a path and what is wrong."""


def measured(kinds, folder):
    """Read the files of some kinds in a process of its own; what each took."""
    program = f"from reliability.costly import measure; measure({kinds}, {str(folder)!r}, {EVERY})"
    paths = [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_there_are_enough():
    assert sum(map(len, KINDS.values())) >= 250


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_cost_much(tmp_path, kind):
    before = set(tmp_path.iterdir())
    found = measured([kind], tmp_path)
    assert len(found) >= (len(KINDS[kind]) if EVERY else len(KINDS[kind]) // 2)
    for each in found:
        what = f"{each['kind']}: {each['name']}: {each['words']}"
        assert each["outcome"] in ("read", "refused"), what
        assert each["seconds"] < SECONDS, what
        assert each["bytes"] < MEGABYTES << 20, what
        assert each["longest"] < _LONGEST, what
        assert "allow_pickle" not in each["words"]
        assert "Traceback" not in each["words"]
    for key in ("seconds", "bytes"):
        worst = max(found, key=lambda each: each[key])
        print(f"{kind}: {worst['name']}: {worst['seconds']} s, {worst['bytes'] / 2**20:.0f} MB, "
              f"of {worst['size'] / 1000:.0f} kB")  # fmt: skip
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {kind}
    assert not Path("/tmp/cnnctl-hostile").exists()
    assert not Path("/tmp/cnnctl-hostile.npy").exists()
