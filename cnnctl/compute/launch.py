"""The processes of a training on one machine: started, watched, ended together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cnnctl.compute.cluster import LAUNCHED, to_tensorflow
from cnnctl.compute.plan import threads_each
from cnnctl.io.signals import heeded, is_repeated

GRACE = 10.0
"""Seconds that the others have to end after one has failed or a signal has come; a process that
waits for one that is gone hears no signal, and is killed then."""

_PROGRAM = """import sys
sys.path.append(sys.argv.pop(1))
sys.argv[0] = "cnnctl"
from cnnctl.cli import main
main()
"""
"""With `-P` before it: a file that lies in the user's folder is no module of the process."""

_POLL = 0.1
_LINES = 200


@dataclass
class _Worker:
    """A process that was started."""

    index: int
    process: subprocess.Popen[str]
    said: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))
    reader: threading.Thread | None = None

    def listen(self) -> None:
        """Keep the last lines that it prints."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))


def launch(command: Sequence[str], count: int, say: Callable[[str], None]) -> int:
    """Run a command of cnnctl as several processes that train together.

    The first one's output is this one's; what the others print is shown if one of them is the first
    to fail. Signals are passed on, once each. If this process is killed, they end too.

    Args:
        command: Of cnnctl, such as `["train", "net.yaml"]`.
        count: How many processes.
        say: Is told of a process that has failed, in a line.

    Returns:
        The exit code: 0 if all have ended well, that of the first that failed, 1 where a signal
        nobody sent has ended one.
    """
    addresses = _addresses(count)
    signals: list[int] = []

    def note(number: int, _: object) -> None:
        if not is_repeated(number, signals[0] if signals else None):
            signals.append(number)

    before = {number: signal.signal(number, note) for number in heeded()}
    workers: list[_Worker] = []
    try:
        with ExitStack() as stack:
            for index in range(count):
                worker = _start(command, addresses, index)
                stack.callback(_end, worker)
                workers.append(worker)
            return _watch(workers, signals, say)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_launcher() -> None:
    """In a process that was started here: end, as by SIGTERM, when whoever started it is gone."""
    if LAUNCHED not in os.environ:
        return

    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 4096):  # past Python's buffer, whose lock its end would wait for
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="launcher", daemon=True).start()


def _addresses(count: int) -> tuple[str, ...]:
    """Ports of this machine that nobody listens to."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("localhost", 0))
        return tuple(f"localhost:{each.getsockname()[1]}" for each in sockets)


def _start(command: Sequence[str], addresses: tuple[str, ...], index: int) -> _Worker:
    count = len(addresses)
    environment = {
        **os.environ,
        "TF_NUM_INTRAOP_THREADS": str(threads_each(count)),
        "TF_CONFIG": to_tensorflow(addresses, index),
        LAUNCHED: f"{index}/{count}",
    }
    leads = index == 0
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2]), *command],
        env=environment,
        text=True,
        errors="replace",
        stdin=subprocess.PIPE,  # nothing is written: it ends when this process does
        stdout=None if leads else subprocess.PIPE,
        stderr=None if leads else subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches them by way of this process alone
    )
    worker = _Worker(index, process)
    if not leads:
        worker.reader = threading.Thread(target=worker.listen, daemon=True)
        worker.reader.start()
    return worker


def _watch(workers: list[_Worker], signals: list[int], say: Callable[[str], None]) -> int:
    """Wait until all have ended; one that fails, or a signal, ends the others."""
    passed = 0
    deadline = None
    first: _Worker | None = None
    killed = False
    while any(worker.process.poll() is None for worker in workers):
        while passed < len(signals):
            for worker in workers:
                _send(worker, signals[passed])
            passed += 1
        failed = [worker for worker in workers if worker.process.poll() not in (None, 0)]
        if failed and first is None:
            first = failed[0]
            deadline = time.monotonic() + GRACE
        if deadline is not None and time.monotonic() > deadline:
            killed = True
            for worker in workers:
                _send(worker, signal.SIGKILL)
        time.sleep(_POLL)
    failed = [worker for worker in workers if worker.process.returncode]
    if not failed:
        return 0
    if first is None or not killed:
        # One that a signal has ended is the cause, not one that ended for lack of it: whose end may
        # be seen sooner.
        first = min(failed, key=lambda worker: worker.process.returncode >= 0)
    lead = workers[0].process.returncode
    if first.index and first.process.returncode != lead:
        if first.reader:
            first.reader.join(timeout=1)
        for line in first.said:
            say(f"[worker {first.index}] {line}")
    code = first.process.returncode
    if signals:
        return lead if lead > 0 else 128 + signals[0]
    if code < 0:
        name = signal.Signals(-code).name
        say(f"worker {first.index} was ended by {name}, and with it the others")
        return 1
    if first.index and code != lead:
        say(f"worker {first.index} has failed, and with it the others")
    return code


def _send(worker: _Worker, number: int) -> None:
    if worker.process.poll() is None:
        with suppress(ProcessLookupError):
            worker.process.send_signal(number)


def _end(worker: _Worker) -> None:
    """Leave no process behind."""
    _send(worker, signal.SIGKILL)
    worker.process.wait()
    for stream in (worker.process.stdin, worker.process.stdout):
        if stream:
            with suppress(OSError):
                stream.close()
