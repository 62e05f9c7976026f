"""A process that has imported TensorFlow and forks for every command that a test runs.

`commands.py` starts it, one per pytest process, with a socket as standard input. Each message is a
request with four file descriptors: the command's standard streams, and the socket that gets its
process ID, and its exit status when it ends. Importing starts none of TensorFlow's threads, so a
fork is whole; the child takes over arguments, environment, folder and streams, and then runs the
console script as a fresh process would.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
from typing import Any

MESSAGE = 1 << 20
"""No request is longer: Linux gives a program at most 128 KiB for one argument or variable."""


def main() -> None:
    """Serve until the requesting process ends; in a child, run the command."""
    # This script's folder is no place from which a command imports; the console script's own is.
    sys.path[0] = os.path.dirname(sys.argv[1])  # noqa: PTH120
    imported = import_everything()
    if request := serve(imported):
        run(request, imported)


def import_everything() -> dict[str, str]:
    """Import what commands import; returns the environment variables that were set by that."""
    before = dict(os.environ)
    importlib.import_module("cnnctl.cli.app")
    importlib.import_module("cnnctl.startup").quiet()
    package = importlib.import_module("cnnctl")
    for module in pkgutil.walk_packages(package.__path__, "cnnctl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("figure", "backends.backend_agg", "backends.backend_svg"):
        importlib.import_module(f"matplotlib.{name}")  # after Keras, which must not find it
    if (threads := len(os.listdir("/proc/self/task"))) != 1:  # noqa: PTH208
        raise RuntimeError(f"imports started threads: {threads} run, and a fork would copy one")
    gc.freeze()
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def serve(imported: dict[str, str]) -> dict[str, Any] | None:
    """Say which variables the imports have set, then fork for each request.

    Returns:
        In a child its request; None in the server, when nobody can request any more.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, and for commands
    requests = socket.socket(fileno=os.dup(0))
    os.set_inheritable(requests.fileno(), False)
    running: dict[int, tuple[int, socket.socket]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        requests.send(json.dumps(imported).encode())
        while True:
            for key, _ in selector.select():
                if key.fd in running:
                    pid, client = running.pop(key.fd)
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    tell(client, status)
                    client.close()
                    continue
                message, descriptors, _, _ = socket.recv_fds(requests, MESSAGE, 4)
                if not message:
                    for pid, _ in running.values():
                        os.kill(pid, signal.SIGKILL)
                    return None
                *streams, number = descriptors
                client = socket.socket(fileno=number)
                pid = os.fork()
                if pid == 0:
                    # A copy would keep others from seeing that a command or the server ended.
                    for each in [requests, client, *(held for _, held in running.values())]:
                        each.close()
                    for descriptor in running:
                        os.close(descriptor)
                    request: dict[str, Any] = {**json.loads(message), "streams": streams}
                    return request
                for stream in streams:
                    os.close(stream)
                tell(client, pid)
                watched = os.pidfd_open(pid)
                running[watched] = (pid, client)
                selector.register(watched, selectors.EVENT_READ)


def tell(client: socket.socket, number: int) -> None:
    """Send a number; a test may have left."""
    with contextlib.suppress(OSError):
        client.send(str(number).encode())


def run(request: dict[str, Any], imported: dict[str, str]) -> None:
    """Become the process that was requested, and run the console script in it."""
    import numpy as np

    os.sched_setaffinity(0, request["cpus"])
    if request["start_new_session"]:
        os.setsid()
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_DFL),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        signal.signal(number, handler)
    os.environ.clear()
    os.environ.update({**imported, **request["env"]})
    os.chdir(request["cwd"])
    for number, stream in enumerate(request["streams"]):
        os.dup2(stream, number)
        os.close(stream)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = opened(number, getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    np.random.seed()
    program = sys.argv[1]
    sys.argv[:] = [program, *request["words"]]
    runpy.run_path(program, run_name="__main__")


def opened(number: int, like: Any) -> io.TextIOWrapper:
    """A standard stream as Python opens it, in the way in which it has opened another."""
    unbuffered = number > 0 and like.write_through
    file = open(number, "wb" if number else "rb", 0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(
        file,
        encoding=like.encoding,
        errors=like.errors,
        line_buffering=not unbuffered and (number == 2 or file.isatty()),
        write_through=unbuffered,
    )


if __name__ == "__main__":
    main()
