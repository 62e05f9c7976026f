"""Nothing tells a command that is forked from a process that has imported TensorFlow from a fresh
one: not what it finds, not what it computes, not how it is stopped."""

import json
import os
import signal
import subprocess
import time

import commands
import pytest
from conftest import CONFIGS, XO
from reliability.helpers import arrays, figures, same_bits

from cnnctl.runs.run import Run

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="commands are never forked")

PLUGIN = """\
import json, locale, os, random, resource, signal, sys, threading

import numpy

import cnnctl
from cnnctl import startup


@cnnctl.register
def nothing(step: int) -> float:
    return 0.0


startup.quiet()
found = {
    "words": sys.argv,
    "script": sys.modules["__main__"].__file__,
    "folder": os.getcwd(),
    "path": sys.path,
    "flags": repr(sys.flags),
    "variables": dict(os.environ),
    "encoding": locale.getpreferredencoding(),
    "streams": [
        (stream.encoding, stream.errors, stream.line_buffering, stream.isatty())
        for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    ],
    "processors": sorted(os.sched_getaffinity(0)),
    "limits": {name: resource.getrlimit(getattr(resource, name))
               for name in dir(resource) if name.startswith("RLIMIT_")},
    "signals": {number: str(signal.getsignal(number)).partition(" at ")[0]
                for number in signal.valid_signals()},
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "session": os.getsid(0) == os.getpid(),
    "group": os.getpgid(0),
    "threads": len(os.listdir("/proc/self/task")),
    "descriptors": len(os.listdir("/proc/self/fd")),
    "umask": os.umask(0o22),
}
drawn = [random.random(), numpy.random.rand()]
with open("found.json", "w") as file:
    json.dump([found, drawn], file)
"""


@pytest.fixture
def forked():
    """What starts a command by a fork."""

    def start(*words, **options):
        process = commands.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        assert isinstance(process, commands.Forked)
        return process

    return start


@pytest.mark.parametrize("session", [False, True])
def test_what_it_finds(session, xo_spec, tmp_path):
    (tmp_path / "plugin.py").write_text(PLUGIN)
    env = {**os.environ, "COLUMNS": "77", "NO_COLOR": ""}
    found = []
    for fresh in (True, False):
        commands.run(
            "check", xo_spec, "--plugin", "plugin.py", fresh=fresh, start_new_session=session,
            cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True,
        )  # fmt: skip
        found.append(json.loads((tmp_path / "found.json").read_text()))
    ((fresh, _), (forked, drawn)) = found
    if session:
        del fresh["group"], forked["group"]  # a number of its own
    assert forked == fresh
    commands.run(
        "check", xo_spec, "--plugin", "plugin.py",
        cwd=tmp_path, env=env, capture_output=True, check=True,
    )  # fmt: skip
    assert not set(drawn) & set(json.loads((tmp_path / "found.json").read_text())[1])


def test_it_trains_to_the_same_bits(xo_spec, tmp_path):
    made = []
    for folder, fresh in (("fresh", True), ("forked", False)):
        words = ("train", xo_spec, "--runs-dir", folder)
        done = commands.run(*words, fresh=fresh, cwd=tmp_path, capture_output=True, check=True)
        run = Run(tmp_path / folder / "tiny/001")
        environment = run.environment()
        assert environment.pop("command")[1:] == list(map(str, words))
        made.append((environment, figures(run), done.stderr.count("\n"), arrays(run)))
    *fresh, bits = made[0]
    *forked, again = made[1]
    assert forked == fresh
    assert same_bits(bits, again)


def test_streams_and_exit_codes(tmp_path):
    (tmp_path / "wrong.yaml").write_text(XO.replace("Flatten", "Flaten"))
    done = commands.run("check", "wrong.yaml", cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean" in done.stderr
    with pytest.raises(subprocess.CalledProcessError):
        commands.run("check", "wrong.yaml", cwd=tmp_path, capture_output=True, check=True)
    path = tmp_path / "version.txt"
    with path.open("w") as file:
        assert commands.run("--version", stdout=file).returncode == 0
    assert path.read_text().startswith("cnnctl ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_signals_and_time_limits(number, code, forked, xo_spec, tmp_path):
    process = forked("train", xo_spec, "--epochs", 100_000, cwd=tmp_path)
    until = time.monotonic() + 60
    while not (tmp_path / "runs/tiny/001/metrics.jsonl").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.1)
    os.kill(process.pid, number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert ("stopped by a signal" in out) == (code == 143)
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_two_at_once(forked, tmp_path):
    both = [forked("check", path) for path in sorted(CONFIGS.glob("*.yaml"))[:2]]
    outs = [process.communicate(timeout=60)[0] for process in reversed(both)]
    assert outs[0] != outs[1]
    assert all("ok" in out for out in outs)


@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "TF_NUM_INTRAOP_THREADS", "XLA_FLAGS",
                                  "PYTHONIOENCODING", "PYTHONPATH", "LC_ALL", "NEW"])  # fmt: skip
def test_what_is_read_at_start_up_needs_a_fresh_process(name):
    assert commands.can_fork({"env": {**os.environ, "COLUMNS": "40"}})
    assert not commands.can_fork({"env": {**os.environ, name: "1"}})
    assert not commands.can_fork({"preexec_fn": print})
