"""What the tests of data share: a clean machine, small data, and a server on this one."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.data.named.sources import RemoteFile


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data anywhere, and no proxy: what a test does not put there is not there."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in list(os.environ):
        if name == "CNNCTL_DATA_DIR" or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr("cnnctl.data.named.places.SYSTEM_FOLDER", tmp_path / "system")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with complete data sets; the test is skipped where there is none."""
    folder = REAL_DATA
    if folder is None or not folder.is_dir():
        pytest.skip("CNNCTL_DATA_DIR names no folder of complete data sets")
    return folder


REAL_DATA = Path(os.environ["CNNCTL_DATA_DIR"]) if "CNNCTL_DATA_DIR" in os.environ else None


@pytest.fixture
def tiny() -> Dataset:
    """Ten grey pictures of 4×3 with the labels 0, 1, 2, 0, 1, …"""
    x = np.arange(120, dtype=np.uint8).reshape(10, 4, 3)
    return make_dataset("tiny", "a test", Split(x, np.arange(10, dtype=np.int64) % 3))


Behaviour = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server:
    """An HTTP server on this machine; each path answers as a test says."""

    def __init__(self) -> None:
        self.answers: dict[str, Behaviour] = {}
        self.requests: list[str] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append(self.path)
                server.answers[self.path](self)

            def log_message(self, *args: object) -> None:
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.stopping = threading.Event()
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def file(
        self, path: str, body: bytes, *, sent: bytes | None = None, then: Behaviour | None = None
    ) -> RemoteFile:
        """Publish `body`; what is `sent` can be something else, and `then` something happens."""

        def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body if sent is None else sent)
            handler.wfile.flush()
            if then is not None:
                then(handler)

        self.answers["/" + path] = answer
        return RemoteFile(path, f"{self.url}/{path}", hashlib.sha256(body).hexdigest(), len(body))

    def hang(self, handler: http.server.BaseHTTPRequestHandler | None = None) -> None:
        """Say nothing until the test is over."""
        self.stopping.wait(30)

    def close(self) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    yield served
    served.close()


def idx(array: np.ndarray) -> bytes:
    """An array as a gzipped IDX file, by the format's description."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.01)
