"""The page's server: on the loopback address, from the standard library, for one person."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cnnctl.errors import CnnctlError, UsageError
from cnnctl.io.printable import printable

if TYPE_CHECKING:
    from cnnctl.play.drawing import Network

HOST = "127.0.0.1"
MOST_BYTES = 20_000_000
"""Of an image that is sent."""
_PAGE = Path(__file__).with_name("page.html")
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src blob: data:; base-uri 'none'; form-action 'none'"
)


def serve(
    network: Network | None, port: int, progress: Callable[[], dict[str, Any]] | None = None
) -> ThreadingHTTPServer:
    """A server that answers when `serve_forever` is called.

    Args:
        network: What looks at images; None while one is being trained.
        port: 0 takes a free one.
        progress: Tells how a training goes; None where none runs.

    Raises:
        UsageError: The port is taken, or not to be had.
    """
    try:
        server = _Server((HOST, port), _Handler)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"port {port} cannot be used: {getattr(error, 'strerror', None) or error}",
            hint="--port 0 takes a free one",
        ) from error
    server.network = network
    server.progress = progress
    return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    network: Network | None
    progress: Callable[[], dict[str, Any]] | None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that has gone is nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 60
    """Seconds after which a connection ends on which nothing comes."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not self._is_for_us():
            return
        if path == "/":
            self._send(200, "text/html; charset=utf-8", _PAGE.read_bytes())
        elif path == "/network":
            network = self.server.network
            self._json(200, network.description if network else {"live": True})
        elif path == "/progress" and self.server.progress is not None:
            self._json(200, self.server.progress())
        else:
            self._json(404, {"error": "there is nothing here"})

    def do_POST(self) -> None:
        # Whoever asks, what for, and how much is sent is looked at before any of it is read.
        if not self._is_for_us():
            return
        parts = urlsplit(self.path)
        network = self.server.network
        if parts.path != "/look" or network is None:
            self._refuse(404, "there is nothing here")
            return
        lengths = self.headers.get_all("Content-Length", [])
        length = _length(lengths[0]) if len(lengths) == 1 else None
        if length is None or "Transfer-Encoding" in self.headers:
            self._refuse(413, "no picture, or too large a one")
            return
        data = self.rfile.read(length)
        chosen = parse_qs(parts.query).get("layer", [None])[0]
        try:
            self._json(200, network.see(data, chosen))
        except CnnctlError as error:
            self._json(400, {"error": error.message})

    def _is_for_us(self) -> bool:
        """Whether the page was asked for by this machine's name: another's could be made to lead
        here, and read what this one answers.

        A body that is not wanted is not read: the connection ends, or it would pass for the next
        request.
        """
        hosts = self.headers.get_all("Host", [])
        name = hosts[0].lower().rsplit(":", 1)[0] if len(hosts) == 1 else ""
        origins = self.headers.get_all("Origin", [])
        if name not in (HOST, "localhost") or any(each != f"http://{hosts[0]}" for each in origins):
            self._refuse(403, "only for pages of this machine")
            return False
        if self.command == "GET" and (
            self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers
        ):
            self._refuse(400, "a question has no body")
            return False
        return True

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True
        self._json(status, {"error": why})

    def _json(self, status: int, value: Any) -> None:
        self._send(status, "application/json", json.dumps(_shown(value)).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a line for every stroke says nothing."""


def _shown(value: Any) -> Any:
    """What a page shows, with its texts printable: a page can be turned around as well."""
    if isinstance(value, dict):
        return {_shown(key): _shown(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(each) for each in value]
    return printable(value) if isinstance(value, str) else value


def _length(text: str) -> int | None:
    """The bytes of a body; None if it does not say how many, or too many."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_BYTES))):
        return None
    return int(text) if int(text) <= MOST_BYTES else None
