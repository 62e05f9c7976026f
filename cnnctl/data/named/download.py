"""Downloads that end: with the file as published, or with an error that says what happened.

A file is written beside its place under a name of its own, its SHA-256 is compared, and only then
is it renamed. So a download that was killed leaves nothing that is believed later.
"""

from __future__ import annotations

import errno
import hashlib
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.data.named.sources import RemoteFile
from cnnctl.errors import DataError
from cnnctl.io.atomic import remove_abandoned, writing

if TYPE_CHECKING:
    from http.client import HTTPResponse

Progress = Callable[[str, int, "int | None"], None]
"""Called with what is under way, how far it is, and how far it goes (None if not known)."""

REACH_SECONDS = 5.0
"""How long a server may take to answer before the network counts as out of reach."""

STALL_SECONDS = 20.0
"""How long a download may bring (next to) nothing before it is given up."""

_BLOCK = 1 << 18


class UnreachableError(DataError):
    """The server did not answer: no network, no way through, or it refused."""


def download(
    file: RemoteFile,
    folder: Path,
    *,
    progress: Progress | None = None,
    reach_seconds: float | None = None,
    stall_seconds: float | None = None,
) -> Path:
    """Fetch one published file.

    Proxies are those of the environment (`https_proxy`, `no_proxy`).

    Args:
        file: What to fetch.
        folder: The data folder; `file.path` is below it. It is made if need be.
        progress: Called after each block with the file's name, bytes so far, bytes in all.
        reach_seconds: How long to wait for an answer; `REACH_SECONDS` if None.
        stall_seconds: How long to wait for more; `STALL_SECONDS` if None.

    Returns:
        The path of the complete file.

    Raises:
        UnreachableError: The server does not answer, or answers with an error.
        DataError: The folder cannot be written, the download stalls or is cut short, or what came
            is not the published file.
    """
    stall = STALL_SECONDS if stall_seconds is None else stall_seconds
    target = folder / file.path
    reach = REACH_SECONDS if reach_seconds is None else reach_seconds
    with _reach(file.url, reach, timeout=stall) as response:
        remove_abandoned(target.parent, target.name)
        try:
            with writing(target, mode=0o644) as out:  # data is for everybody
                sha256 = _receive(file, response, out, stall, progress)
                if sha256 != file.sha256:
                    raise DataError(
                        f"what came from {file.url} is not the published file: its SHA-256 is "
                        f"{sha256}, expected {file.sha256}",
                        hint="try again; if it stays so, take the file from another source and "
                        "name its folder with --data-dir",
                    )
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise DataError(
                f"cannot write in {target.parent}: {error.strerror or error}",
                hint=("free some space, or " if full else "make the folder writable, or ")
                + "name another one with KERAS_HOME or --data-dir",
            ) from error
    return target


def _reach(url: str, seconds: float, *, timeout: float) -> HTTPResponse:
    """Open the URL within `seconds`, however name look-up, connection or proxy hang."""
    import urllib.request

    answers: queue.Queue[Any] = queue.Queue()
    too_late = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(url, headers={"User-Agent": "cnnctl"})
        try:
            response = urllib.request.build_opener().open(request, timeout=timeout)
        except Exception as error:  # the other thread tells the user
            answers.put(error)
            return
        answers.put(response)
        if too_late.is_set():
            response.close()

    # A daemon: a look-up that hangs must not keep the program from ending.
    threading.Thread(target=ask, daemon=True, name="cnnctl-reach").start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        too_late.set()
        raise UnreachableError(f"{url} cannot be reached: no answer in {seconds:g} s") from None
    if isinstance(answer, Exception):
        reason = getattr(answer, "reason", None) or answer
        raise UnreachableError(f"{url} cannot be reached: {reason}") from answer
    response: HTTPResponse = answer
    return response


def _receive(
    file: RemoteFile, response: HTTPResponse, out: Any, stall: float, progress: Progress | None
) -> str:
    """Copy the answer's body into `out` and return its SHA-256."""
    import http.client

    digest = hashlib.sha256()
    done, seen, since = 0, 0, time.monotonic()
    name = Path(file.path).name
    while True:
        try:
            block = response.read1(_BLOCK)
        except (OSError, http.client.HTTPException) as error:
            reason = (
                f"nothing more came in {stall:g} s" if isinstance(error, TimeoutError) else error
            )
            raise DataError(
                f"the download of {file.url} stopped after {done:,} of {file.size:,} bytes: "
                f"{reason}",
                hint="try again",
            ) from error
        if not block:
            break
        out.write(block)
        digest.update(block)
        done += len(block)
        if progress is not None:
            progress(name, done, file.size)
        if done > file.size:
            break  # not the published file, whatever it is: the sum will say so
        now = time.monotonic()
        if now - since > stall:
            if done - seen < 1024 * stall:
                raise DataError(
                    f"the download of {file.url} came to a crawl: {done - seen:,} bytes in "
                    f"{now - since:.0f} s",
                    hint="try again",
                )
            seen, since = done, now
    if done < file.size and response.length:
        raise DataError(
            f"the download of {file.url} was cut short: {done:,} of {file.size:,} bytes",
            hint="try again",
        )
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal.

    Raises:
        DataError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    return digest.hexdigest()
