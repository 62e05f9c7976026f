"""What this process may use of the machine: processors, memory and disk that are free.

In a container the limits of its control groups count, not the whole machine.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = ("memory.max", "memory.current", "inactive_file")


def usable_cpus() -> int:
    """How many processors this process may run on, at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    for folder in _groups(""):
        limit, _, period = _text(folder / "cpu.max").partition(" ")
        if limit.isdigit() and period.strip().isdigit():
            cpus = min(cpus, -(-int(limit) // max(int(period), 1)))
    return max(cpus, 1)


def free_memory() -> int:
    """How many bytes can still be taken without another program, or this one, being pushed out.

    That is the kernel's estimate (`MemAvailable`), or less where a control group allows less. Where
    neither is told (no Linux), half of the machine's memory; 4 GiB where that is not known either.
    """
    free = _available()
    for files, controller in ((_V2, ""), (_V1, "memory")):
        for folder in _groups(controller):
            limit, used = (_text(folder / name).strip() for name in files[:2])
            if limit.isdigit() and used.isdigit():
                # what was read from files and lies unused is given back when it is needed
                kept = _field(_text(folder / "memory.stat"), files[2])
                free = min(free, max(int(limit) - int(used) + kept, 0))
    return free


def free_disk(folder: Path) -> int:
    """How many bytes can be written to a folder, which need not exist yet.

    Raises:
        OSError: That cannot be found out.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _available() -> int:
    if kilobytes := _field(_text(_PROC / "meminfo"), "MemAvailable:"):
        return 1024 * kilobytes
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def _groups(controller: str) -> Iterator[Path]:
    """The folders of this process's control group and those above it; version 2 has no controller.

    A container may see the group of its own as the root, under whatever path it has outside.
    """
    for line in _text(_PROC / "self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if controller in names.split(","):
            root = _CGROUP / controller
            parts = [part for part in path.split("/") if part not in ("", "..")]
            for length in range(len(parts), -1, -1):
                yield root.joinpath(*parts[:length])


def _field(text: str, name: str) -> int:
    """The number after a name at the beginning of a line; 0 where there is none."""
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
