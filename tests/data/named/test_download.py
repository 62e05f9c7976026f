"""Downloads from a real server on this machine: whole, wrong, cut short, stalled, killed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnnctl.data.named.download import UnreachableError, download, file_sha256
from cnnctl.data.named.sources import RemoteFile
from cnnctl.errors import DataError
from data.conftest import Server, wait_until

BODY = bytes(range(256)) * 4096  # 1 MiB


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_the_published_file_arrives(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    file = server.file("sub/good.bin", BODY)
    path = download(file, tmp_path, progress=lambda *step: seen.append(step))
    assert path == tmp_path / "sub" / "good.bin"
    assert path.read_bytes() == BODY
    assert left_in(tmp_path) == ["good.bin"]
    assert seen[-1] == ("good.bin", len(BODY), len(BODY))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert path.stat().st_mode & 0o777 == 0o644
    assert file_sha256(path) == file.sha256


@pytest.mark.parametrize("sent", [BODY[:-1] + b"!", b"<html>" + BODY[6:], BODY + b"more"])
def test_another_file_is_refused(server: Server, tmp_path: Path, sent: bytes) -> None:
    file = server.file("bad.bin", BODY)
    server.file("bad.bin", sent)  # what the server has is not what was published
    with pytest.raises(DataError, match="not the published file") as caught:
        download(file, tmp_path)
    assert file.sha256 in caught.value.message
    assert left_in(tmp_path) == []


def test_a_download_cut_short_is_refused(server: Server, tmp_path: Path) -> None:
    file = server.file("short.bin", BODY, sent=BODY[:5000])
    with pytest.raises(DataError, match=r"5,000 of 1,048,576 bytes"):
        download(file, tmp_path)
    assert left_in(tmp_path) == []


def test_a_stalled_download_ends(server: Server, tmp_path: Path) -> None:
    file = server.file("stalled.bin", BODY, sent=BODY[:5000], then=server.hang)
    with pytest.raises(DataError, match=r"nothing more came in 0\.5 s"):
        download(file, tmp_path, stall_seconds=0.5)
    assert not server.stopping.is_set(), "the server, not the download, has given up"
    assert left_in(tmp_path) == []


def test_a_trickle_ends(server: Server, tmp_path: Path) -> None:
    def trickle(handler: object) -> None:
        with contextlib.suppress(OSError):  # the client hangs up
            while not server.stopping.wait(0.05):
                handler.wfile.write(b".")  # type: ignore[attr-defined]

    file = server.file("trickle.bin", BODY, sent=b"", then=trickle)
    with pytest.raises(DataError, match="came to a crawl"):
        download(file, tmp_path, stall_seconds=0.4)
    assert left_in(tmp_path) == []


def test_a_silent_server_is_out_of_reach_in_time(server: Server, tmp_path: Path) -> None:
    server.answers["/silent.bin"] = server.hang
    file = RemoteFile("silent.bin", f"{server.url}/silent.bin", "0" * 64, 1)
    with pytest.raises(UnreachableError, match=r"no answer in 0\.3 s"):
        download(file, tmp_path / "cache", reach_seconds=0.3)
    assert not server.stopping.is_set(), "the server, not the download, has given up"
    assert not (tmp_path / "cache").exists()


def test_nobody_at_the_port_is_out_of_reach(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
        with pytest.raises(UnreachableError, match="refused"):
            download(RemoteFile("x", url, "0" * 64, 1), tmp_path)


def test_a_server_that_lacks_the_file_is_out_of_reach(server: Server, tmp_path: Path) -> None:
    server.answers["/gone"] = lambda handler: handler.send_error(404)
    with pytest.raises(UnreachableError, match="Not Found"):
        download(RemoteFile("gone", f"{server.url}/gone", "0" * 64, 1), tmp_path)


def test_a_proxy_is_used(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = server.file("proxied.bin", BODY)
    there = "http://elsewhere.invalid/proxied.bin"
    server.answers[there] = server.answers["/proxied.bin"]
    monkeypatch.setenv("http_proxy", server.url)
    download(dataclasses.replace(file, url=there), tmp_path)
    assert server.requests == [there]


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cannot write in") as caught:
        download(server.file("x.bin", BODY), tmp_path / "cache")
    assert "KERAS_HOME" in (caught.value.hint or "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_killed_download_leaves_nothing_that_is_believed(server: Server, tmp_path: Path) -> None:
    file = server.file("killed.bin", BODY, sent=BODY[:500_000], then=server.hang)
    program = (
        "from pathlib import Path; from cnnctl.data.named.download import download\n"
        f"from cnnctl.data.named.sources import RemoteFile\n"
        f"download({file!r}, Path({str(tmp_path)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    wait_until(lambda: any(path.stat().st_size for path in tmp_path.iterdir()))
    process.send_signal(signal.SIGKILL)
    process.wait()
    (leftover,) = left_in(tmp_path)
    assert leftover.startswith(".killed.bin.")
    assert leftover.endswith(".part")

    file = server.file("killed.bin", BODY)
    day_ago = time.time() - 100_000
    os.utime(tmp_path / leftover, (day_ago, day_ago))
    assert download(file, tmp_path).read_bytes() == BODY
    assert left_in(tmp_path) == ["killed.bin"]
