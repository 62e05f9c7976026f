"""The page's server: on the loopback address, from the standard library, for one person."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cnnctl.errors import CnnctlError, UsageError

if TYPE_CHECKING:
    from cnnctl.play.network import Network

HOST = "127.0.0.1"
MOST_BYTES = 20_000_000
"""Of a picture that is sent."""
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
        network: What looks at pictures; None while one is being trained.
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
        parts = urlsplit(self.path)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._json(413, {"error": "no picture, or too large a one"})
            return
        data = self.rfile.read(int(length))
        if not self._is_for_us():
            return
        network = self.server.network
        if parts.path != "/look" or network is None:
            self._json(404, {"error": "there is nothing here"})
            return
        chosen = parse_qs(parts.query).get("layer", [None])[0]
        try:
            self._json(200, network.see(data, chosen))
        except CnnctlError as error:
            self._json(400, {"error": error.message})

    def _is_for_us(self) -> bool:
        """Whether the page was asked for by this machine's name: another's could be made to lead
        here, and read what this one answers."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        origin = self.headers.get("Origin")
        own = f"http://{self.headers.get('Host', '')}"
        if host in (HOST, "localhost") and origin in (None, own):
            return True
        self.close_connection = True
        self._json(403, {"error": "only for pages of this machine"})
        return False

    def _json(self, status: int, value: Any) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a line for every stroke says nothing."""
