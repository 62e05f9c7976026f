"""The program of a worker process.

It is started by `cnnctl.sweep.processes`, which gives it its task as a line of JSON. The pipe stays
open as long as the sweep's own process lives; where it closes, the worker ends after its step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
import uuid
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from cnnctl.errors import CnnctlError, Stopped
from cnnctl.io.signals import heeded
from cnnctl.sweep.definition import refuse_others
from cnnctl.sweep.request import Task
from cnnctl.sweep.study import open_trials, settle
from cnnctl.sweep.sweep_folder import SWEEPS, SweepFolder
from cnnctl.sweep.trial_training import reason_of
from cnnctl.sweep.worker import Worker


def main() -> NoReturn:
    """The program of a worker."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plug-ins and TensorFlow print goes into the log
    for number in heeded():
        signal.signal(number, _stop)
    code = 1
    try:
        task = Task.from_json(sys.stdin.readline())
        threading.Thread(target=_watch, daemon=True).start()
        code = _work(task)
    except Stopped as stopped:
        code = 128 + stopped.number
    except CnnctlError as error:
        traceback.print_exc()
        code = error.exit_code
        told = {"message": reason_of(error), "hint": error.hint}
        print(json.dumps(told), file=answers, flush=True)
    except Exception as error:
        traceback.print_exc()
        told = {"message": f"a worker failed: {type(error).__name__}: {error}", "hint": None}
        print(json.dumps(told), file=answers, flush=True)
    # Python takes half a second and more to tear TensorFlow down; nothing is left to be done.
    for stream in (sys.stdout, sys.stderr, answers):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _work(task: Task) -> int:
    """Open the study, and work at it.

    Raises:
        UsageError: The spec was changed since the sweep began.
    """
    from cnnctl import plugins
    from cnnctl.startup import quiet

    quiet()
    plugins.load([Path(each) for each in task.plugins])
    request, name = task.request, str(task.request.name)
    definition, spec = settle(request, values_checked=True)
    refuse_others(name, task.definition, definition.to_dict())
    folder = SweepFolder(request.runs_dir / SWEEPS / name)
    trials = open_trials(definition, name, request.storage, folder, None)
    worker = uuid.uuid4().hex
    with folder.lock(worker):
        code = Worker(worker, request, spec, trials).work()
    (folder.path / "locks" / f"{worker}.lock").unlink(missing_ok=True)
    return code


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)


def _watch() -> None:
    """End this process, gently, when the one that started it has ended."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
