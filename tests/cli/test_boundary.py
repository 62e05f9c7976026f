"""The one place where an error becomes an exit code."""

import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_code_in_c_turns_into_an_error_of_its_own(number, code):
    """As an import of TensorFlow that is broken off: `ImportError: initialization failed`."""
    script = f"""
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from cnnctl.cli.boundary import guarded
def program():
    try:
        os.kill(os.getpid(), {int(number)})
        time.sleep(5)
    except BaseException:
        raise ImportError("initialization failed") from None
sys.exit(guarded(program))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
