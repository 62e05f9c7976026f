"""The worker processes of a sweep on this machine: started, watched, and ended with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from cnnctl.compute.plan import threads_each
from cnnctl.errors import CnnctlError, UsageError
from cnnctl.io.atomic import cannot_write
from cnnctl.io.signals import heeded, is_repeated
from cnnctl.sweep.request import Task

RENEW = 75
"""The exit code of a worker that wants a fresh process: TensorFlow's threads are set once."""

_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); from cnnctl.sweep.worker_main import main; main()"
)
"""With `-P` before it: a file that lies in the user's folder is no module of the worker."""


class Workers:
    """The workers of a sweep.

    Args:
        task: What they are told.
        count: How many.
        folder: Where their logs are written: worker-1.log.

    Attributes:
        signalled: The number of the signal that came first, if one did.
        lost: Why workers ended before their time.
    """

    def __init__(self, task: Task, count: int, folder: Path) -> None:
        self.task = task
        self.count = count
        self.folder = folder
        self.running: dict[int, subprocess.Popen[str]] = {}
        self.lost: list[str] = []
        self.signalled: int | None = None
        self._signals = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Start them; whatever happens, none outlives the block."""
        before = {}
        if threading.current_thread() is threading.main_thread():
            for number in heeded():
                before[number] = signal.signal(number, self._caught)
        try:
            for index in range(1, self.count + 1):
                self._start(index)
            yield
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def check(self) -> bool:
        """Look after them; whether one still works.

        Raises:
            CnnctlError: One says that no trial can be trained.
        """
        for index, process in list(self.running.items()):
            code = process.poll()
            if code is None:
                continue
            del self.running[index]
            answer = _answer(process)
            if code == RENEW and self.signalled is None:
                self._start(index)
            elif answer is not None:
                kind = UsageError if code == UsageError.exit_code else CnnctlError
                raise kind(str(answer.get("message")), hint=answer.get("hint"))
            elif code != 0 and self.signalled is None:
                how = f"signal {-code}" if code < 0 else f"code {code}"
                self.lost.append(f"worker {index} (process {process.pid}) ended with {how}")
        return bool(self.running)

    def _start(self, index: int) -> None:
        """Start a worker, or a fresh process for one."""
        path = self.folder / f"worker-{index}.log"
        share = str(threads_each(self.count))
        try:
            with path.open("a", encoding="utf-8") as log:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2])],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    encoding="utf-8",
                    env={**os.environ, "TF_NUM_INTRAOP_THREADS": share},
                    process_group=0,  # Ctrl-C on the terminal comes by way of this process
                )
        except OSError as error:
            raise cannot_write(path, error) from error
        self.running[index] = process
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(self.task.to_json() + "\n")
            process.stdin.flush()

    def _caught(self, number: int, frame: FrameType | None) -> None:
        """Pass a signal on: the first lets steps end, the second does not, the third kills."""
        if is_repeated(number, self.signalled):
            return
        self._signals += 1
        if self.signalled is None:
            self.signalled = number
        for process in self.running.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM if self._signals < 3 else signal.SIGKILL)

    def _end(self) -> None:
        """End those that still run: gently, and then not."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)
        self.running.clear()


def _answer(process: subprocess.Popen[str]) -> dict[str, str | None] | None:
    """What a worker that has ended says of it."""
    assert process.stdout is not None
    text = process.stdout.read()
    _close(process)
    try:
        found = json.loads(text.strip().splitlines()[-1]) if text.strip() else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _close(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
