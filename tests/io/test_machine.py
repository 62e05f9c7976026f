"""What a process may use of a machine, read from files as Linux has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnctl.io import machine

GB = 1 << 30


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 16 GB of memory, 10 of it free, and eight processors."""
    monkeypatch.setattr(machine, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    lines = f"MemTotal: {16 << 20} kB\nMemFree: 5 kB\nMemAvailable:   {10 << 20} kB\n"
    put(tmp_path / "proc/meminfo", lines)
    return tmp_path


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{content}\n")


def version_2(folder: Path, limit: object, used: int, unused: int = 0) -> None:
    put(folder / "memory.max", limit)
    put(folder / "memory.current", used)
    put(folder / "memory.stat", f"anon 7\nfile {used}\ninactive_file {unused}")


def test_without_limits_the_machine_counts(linux: Path) -> None:
    assert machine.free_memory() == 10 * GB
    assert machine.usable_cpus() == 8


def test_a_group_of_version_2(linux: Path) -> None:
    put(linux / "proc/self/cgroup", "0::/user/job")
    version_2(linux / "cgroup/user/job", "max", 5 * GB)
    version_2(linux / "cgroup/user", 4 * GB, 3 * GB, unused=GB // 2)
    put(linux / "cgroup/user/cpu.max", "250000 100000")
    put(linux / "cgroup/user/job/cpu.max", "max 100000")
    assert machine.free_memory() == 3 * GB // 2
    assert machine.usable_cpus() == 3


def test_a_container_sees_its_group_as_the_root(linux: Path) -> None:
    put(linux / "proc/self/cgroup", "0::/../../outside/name")
    version_2(linux / "cgroup", 2 * GB, 3 * GB)
    assert machine.free_memory() == 0


def test_a_group_of_version_1(linux: Path) -> None:
    put(linux / "proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a/b\n0::/")
    put(linux / "cgroup/memory/memory.limit_in_bytes", 9223372036854771712)
    put(linux / "cgroup/memory/memory.usage_in_bytes", 9 * GB)
    put(linux / "cgroup/memory/a/b/memory.limit_in_bytes", 6 * GB)
    put(linux / "cgroup/memory/a/b/memory.usage_in_bytes", 4 * GB)
    put(linux / "cgroup/memory/a/b/memory.stat", f"inactive_file 1\ntotal_inactive_file {GB}")
    assert machine.free_memory() == 3 * GB


@pytest.mark.parametrize("content", ["", "nonsense", "-5", "max", "\0\0"])
def test_files_that_say_nothing(linux: Path, content: str) -> None:
    put(linux / "proc/self/cgroup", f"0::/\n{content}")
    for name in ("memory.max", "memory.current", "memory.stat", "cpu.max"):
        put(linux / "cgroup" / name, content)
    assert machine.free_memory() == 10 * GB
    assert machine.usable_cpus() == 8


def test_no_linux(linux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (linux / "proc/meminfo").unlink()
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert machine.free_memory() == 1000 * 4096 // 2
    assert machine.usable_cpus() == 1
    monkeypatch.delattr(os, "sysconf")
    assert machine.free_memory() == 4 * GB


def test_this_machine() -> None:
    assert 1 <= machine.usable_cpus() <= (os.cpu_count() or 1)
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < machine.free_memory() < whole
