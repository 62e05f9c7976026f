"""The command line: one file per command, which parses, calls one library function, and prints."""

from __future__ import annotations

import sys


def main() -> None:
    """The program `cnnctl`."""
    try:
        from cnnctl.cli.boundary import guarded

        def program() -> None:
            from cnnctl.cli.app import app

            app(prog_name="cnnctl")

        sys.exit(guarded(program))
    except KeyboardInterrupt:  # in the first hundredths of a second, or while leaving
        sys.exit(130)
