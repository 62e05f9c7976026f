"""The one place where an error becomes an exit code."""

import json
import os
import shutil
import signal
import subprocess
import sys

import commands
import pytest


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
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
        pass
    raise ImportError("initialization failed")
sys.exit(guarded(program))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert done.stderr == "\ninterrupted\n"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("ending", ["2>&1 | head -1 >/dev/null", "<&- >&- 2>&-"])
def test_whoever_stops_listening_does_not_stop_a_training(ending, xo_spec, tmp_path):
    script = f"{commands.PROGRAM} train {xo_spec} {ending}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k != "CNNCTL_DATA_DIR"},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 0
    state = json.loads((tmp_path / "runs/tiny/001/state.json").read_text())
    assert (state["status"], state["epochs"]) == ("finished", 3)


def test_a_metric_that_is_no_number_is_left_out_of_json(xo_spec, cnnctl):
    """The correlation with what is always the same is 0/0."""
    text = xo_spec.read_text().replace("normalize: signed", "label_mode: categorical")
    text = text.replace("sparse_categorical", "categorical")
    text = text.replace("[accuracy]", "[accuracy, PearsonCorrelation]").replace(
        "units: 2,", "units: 2, kernel_initializer: zeros, trainable: false,"
    )
    xo_spec.write_text(text)
    done = cnnctl("train", xo_spec, "--json")
    assert done.returncode == 0, done.stderr

    def refuse(word):
        raise AssertionError(word)

    found = json.loads(done.stdout, parse_constant=refuse)
    assert "accuracy" in found["evaluation"]["figures"]
