"""Watching a command that is given something hostile: time, memory, files, and what it says."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

SECONDS = float(os.environ.get("CNNCTL_HOSTILE_SECONDS", "1"))
"""How long a refusal may take, of the processor's time: other programs may be busy as well."""

MEGABYTES = 64
"""How much memory one may take."""


def peak():
    """The most memory that this process has had, in bytes, since it was asked to forget it."""
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


class Reading:
    """Measures the reading of files alone, not the building of models around it."""

    def __init__(self):
        self.depth = 0
        self.calls = []
        self.seconds = 0.0
        self.bytes = 0

    @contextmanager
    def measured(self):
        self.depth += 1
        if self.depth > 1:  # within one that is measured
            try:
                yield
            finally:
                self.depth -= 1
            return
        Path("/proc/self/clear_refs").write_text("5")
        before, began = peak(), time.process_time()
        try:
            yield
        finally:
            self.depth -= 1
            self.seconds += time.process_time() - began
            self.bytes = max(self.bytes, peak() - before)

    def wrap(self, monkeypatch, *places):
        """Measure what these functions do, named `module.function`."""
        for place in places:
            module, name = place.rsplit(".", 1)
            original = getattr(sys.modules[module], name)

            def measured(*arguments, _original=original, _name=name, **options):
                self.calls.append(_name)
                with self.measured():
                    return _original(*arguments, **options)

            monkeypatch.setattr(place, measured)


@contextmanager
def at_most(seconds):
    """Ends what waits: for a pipe, say."""

    def late(number, frame):
        raise TimeoutError(f"this took {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def command(capsys, *arguments, options=("--device", "cpu")):
    """Run a command in this process; its exit code and what it says on standard error."""
    from cnnctl.cli.app import app
    from cnnctl.cli.boundary import guarded

    capsys.readouterr()
    code = guarded(lambda: app(args=[*map(str, arguments), *options], prog_name="cnnctl"))
    return code, capsys.readouterr().err


def listing(folder):
    """Every file below a folder with what is in it; large ones by their size."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent) / name for name in (*folders, *files)):
            status = path.lstat()
            is_small = path.is_file() and not path.is_symlink() and status.st_size < 1 << 20
            found[path] = path.read_bytes() if is_small else (status.st_mode, status.st_size)
    return found


def refused(outcome, name, reading):
    """Whether a command said one clear thing about a file, at once and without much memory."""
    code, said = outcome
    assert code in (1, 2), said
    assert "Traceback" not in said
    assert sum(line.startswith("error: ") for line in said.splitlines()) == 1, said
    assert str(name) in said, said
    assert reading.seconds < SECONDS
    assert reading.bytes < MEGABYTES << 20
