"""The command line: one file per command, which parses, calls one library function, and prints."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> None:
    """The program `cnnctl`."""
    # Pydantic looks through every installed package for plug-ins of its own: 15 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _open_streams()
    try:
        from cnnctl.cli.boundary import guarded

        def program() -> None:
            from cnnctl.cli.app import app

            app(prog_name="cnnctl")

        _leave(guarded(program))
    except KeyboardInterrupt:  # in the first hundredths of a second, or while leaving
        sys.exit(130)


def _open_streams() -> None:
    """Lead the standard streams that are closed (`>&-`) to nowhere: no file that is opened later
    gets their numbers, and what is printed is printed to something. A terminal may be closed later:
    that is no failure of the command."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the least number that is free
    sys.stdin = sys.stdin or os.fdopen(0, "r")
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")
    from cnnctl.cli.terminal import outliving

    sys.stdout, sys.stderr = outliving(sys.stdout), outliving(sys.stderr)


def _leave(code: int) -> NoReturn:
    """End the process; with TensorFlow loaded, without the half second or more that Python takes
    to tear it down object by object. What has to be done at an exit is done before."""
    if "tensorflow" not in sys.modules:
        sys.exit(code)
    import atexit
    import contextlib

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
