"""What the page's server reads of a request, and before what: asked over a socket, byte by byte."""

import json
import socket
import threading

import pytest

from cnnctl.play.server import MOST_BYTES, serve


class Seeing:
    """In place of a network."""

    def __init__(self):
        self.description = {"title": "a network"}
        self.seen = []

    def see(self, data, layer):
        self.seen.append((data, layer))
        return {"bytes": len(data)}


@pytest.fixture
def server():
    network = Seeing()
    with serve(network, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server.server_address[1], network
        server.shutdown()


def ask(port, request, *headers, body=b"", host="127.0.0.1"):
    """The status, the answer, and whether the connection ended, without waiting for more."""
    lines = [f"{request} HTTP/1.1", *([f"Host: {host}:{port}"] if host else []), *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        with connection.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            found = {}
            while line := answer.readline().strip():
                name, _, value = line.decode().partition(": ")
                found[name.lower()] = value
            content = answer.read(int(found["content-length"]))
            ended = found.get("connection") == "close" and answer.read() == b""
    return status, content, ended


OF_20_MB = f"Content-Length: {MOST_BYTES}"


@pytest.mark.parametrize(("request_", "headers", "host", "status"), [
    ("POST /look", [OF_20_MB], "evil.example", 403),
    ("POST /look", [OF_20_MB], "127.0.0.1.evil.example", 403),
    ("POST /look", [OF_20_MB], None, 403),
    ("POST /look", [OF_20_MB, "Host: evil.example"], "127.0.0.1", 403),
    ("POST /look", [OF_20_MB, "Origin: http://evil.example"], "127.0.0.1", 403),
    ("POST /look", [OF_20_MB, "Origin: null"], "127.0.0.1", 403),
    ("POST /other", [OF_20_MB], "127.0.0.1", 404),
    ("POST /look", [f"Content-Length: {MOST_BYTES + 1}"], "127.0.0.1", 413),
    ("POST /look", ["Content-Length: " + "9" * 5000], "127.0.0.1", 413),
    ("POST /look", ["Content-Length: -1"], "127.0.0.1", 413),
    ("POST /look", ["Content-Length: \u0663"], "127.0.0.1", 413),
    ("POST /look", [], "127.0.0.1", 413),
    ("POST /look", ["Content-Length: 3", "Content-Length: 4"], "127.0.0.1", 413),
    ("POST /look", ["Content-Length: 3", "Transfer-Encoding: chunked"], "127.0.0.1", 413),
    ("GET /network", [OF_20_MB], "127.0.0.1", 400),
    ("GET /network", ["Transfer-Encoding: chunked"], "127.0.0.1", 400),
    ("GET /network", [], "evil.example", 403),
    ("PUT /look", [OF_20_MB], "evil.example", 501),
])  # fmt: skip
def test_it_is_refused_before_a_body_is_read(server, request_, headers, host, status):
    """No byte of the body is sent: whoever waited for it would not answer."""
    port, network = server
    answered, _, ended = ask(port, request_, *headers, host=host)
    assert answered == status
    assert ended  # what follows could not pass for another request
    assert network.seen == []


def test_texts_of_a_page_turn_nothing_around(server):
    port, network = server
    network.description = {"title": "a\u202eb", "classes": [("c\x1b", 0.5)]}
    shown = json.loads(ask(port, "GET /network")[1])
    assert shown == {"title": "a\\u202eb", "classes": [["c\\x1b", 0.5]]}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost"])
def test_what_is_for_this_machine_is_answered(server, host):
    port, network = server
    assert json.loads(ask(port, "GET /network", host=host)[1]) == network.description
    origin = f"Origin: http://{host}:{port}"
    status, content, ended = ask(
        port, "POST /look?layer=a", "Content-Length: 3", origin, body=b"abc", host=host
    )
    assert (status, json.loads(content), ended) == (200, {"bytes": 3}, False)
    assert network.seen == [(b"abc", "a")]
