"""Run the installed command: in a process that is forked from one that has imported TensorFlow.

`run` and `start` take the command's words and what `subprocess.run` and `subprocess.Popen` take.
A fork spares a command the two to four seconds that its imports take. It is a process of its own,
to which signals go as to any other, with the settings of a fresh one (`test_commands.py` compares
both to the bit). A fresh process it is where a test wants one (`fresh=True`), and where what was
imported already could matter: with an environment that differs in more than `READ_LATE`, or with
options other than those of `FORKED`.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fork_server import MESSAGE

PROGRAM = str(Path(sys.executable).parent / "cnnctl")
"""The console script, for tests that start it from a shell or another program."""

READ_LATE = {
    "CNNCTL_DATA_DIR", "COLUMNS", "HOME", "KERAS_HOME", "LINES", "NO_COLOR", "PATH",
    "PYTEST_CURRENT_TEST", "TERM", "TF_CONFIG", "http_proxy",
}  # fmt: skip
"""Environment variables that a command reads when it needs them, and no library while it is
imported (but for settings of the user's, such as `keras.json`, which no test has); so are those of
trackers (`MLFLOW_…`, `WANDB_…`), which the server does not import."""

FORKED = {"cwd", "env", "start_new_session", "stderr", "stdin", "stdout", "text"}
"""Options of `subprocess.Popen` with which a command is forked."""


def run(*words: object, fresh: bool = False, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `cnnctl` with these words to its end; options are those of `subprocess.run`."""
    given = options.pop("input", None)
    check, seconds = options.pop("check", False), options.pop("timeout", 180)
    if options.pop("capture_output", False):
        options.update(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if given is not None:
        options["stdin"] = subprocess.PIPE
    with start(*words, fresh=fresh, **options) as process:
        try:
            out, err = process.communicate(given, timeout=seconds)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def start(*words: object, fresh: bool = False, **options: Any) -> subprocess.Popen[str]:
    """Start `cnnctl` with these words; options are those of `subprocess.Popen`, in text."""
    assert Path(PROGRAM).exists(), "cnnctl is not installed beside this Python: make test"
    options = {"text": True, **options}
    arguments = [PROGRAM, *map(str, words)]
    if fresh or not can_fork(options):
        return subprocess.Popen(arguments, **options)
    return Forked(arguments, **options)


def can_fork(options: Mapping[str, Any]) -> bool:
    """Whether a forked process is told from a fresh one by nothing that a command does."""
    if not hasattr(os, "pidfd_open") or not options.keys() <= FORKED:
        return False
    wanted = os.environ if options.get("env") is None else options["env"]
    return all(
        name in READ_LATE or name.startswith(("MLFLOW_", "WANDB_"))
        for name in wanted.keys() | server().env.keys()
        if wanted.get(name) not in server().env.get(name, {None})
    )


class Server:
    """The process that forks, for this process's tests."""

    def __init__(self) -> None:
        env = dict(os.environ)
        self.lock = threading.Lock()
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        script = Path(__file__).with_name("fork_server.py")
        self.process = subprocess.Popen(
            [sys.executable, script, PROGRAM], stdin=theirs, stdout=subprocess.DEVNULL, cwd="/"
        )
        theirs.close()
        atexit.register(self.socket.close)
        ready = self.socket.recv(MESSAGE)
        assert ready, "the server of commands did not start"
        imported = json.loads(ready)
        self.env = {
            name: {env.get(name), imported.get(name, env.get(name))}
            for name in env.keys() | imported.keys()
        }
        """For each variable, the values with which a command finds what it would find fresh."""

    def fork(self, request: dict[str, Any], streams: Sequence[int]) -> tuple[int, socket.socket]:
        """Have a command started; returns its process ID, and the socket that gets its status."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self.lock:
            message = json.dumps(request).encode()
            socket.send_fds(self.socket, [message], [*streams, theirs.fileno()])
        return int(mine.recv(64)), mine


@functools.cache
def server() -> Server:
    return Server()


class Forked(subprocess.Popen[str]):
    """A command that the server forks; pipes, `communicate` and time limits are those of Popen."""

    def _execute_child(self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env,
                       startupinfo, creationflags, shell, p2cread, p2cwrite, c2pread, c2pwrite,
                       errread, errwrite, restore_signals, gid, gids, uid, umask,
                       start_new_session, process_group):  # fmt: skip
        request = {
            "words": args[1:],
            "cwd": str(Path(cwd or ".").absolute()),
            "env": dict(os.environ if env is None else env),
            "cpus": sorted(os.sched_getaffinity(0)),
            "start_new_session": start_new_session,
        }
        streams = [p2cread, c2pwrite, errwrite]
        self.pid, self._status = server().fork(
            request, [number if given == -1 else given for number, given in enumerate(streams)]
        )
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)

    def _internal_poll(self, **ignored: object) -> int | None:
        return self._ended(0)

    def _wait(self, timeout: float | None) -> int:
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def _ended(self, timeout: float | None) -> int | None:
        """The exit code; None where the command still runs after so many seconds."""
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            with self._waitpid_lock:
                if self.returncode is None:
                    # Nothing but an end is read where the server itself was killed.
                    status = self._status.recv(64)
                    self.returncode = int(status) if status else -signal.SIGKILL
                    self._status.close()
        return self.returncode
